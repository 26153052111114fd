"""GCN, GAT, GIN, MPNN and AttentiveFP: precision, layers, options."""

import pytest
import torch
from support.graphs import batch_of

from featurizers import CanonicalFeaturizer, MoleculeGraph
from featurizers.backend import dgl
from featurizers.tensor_graph import TensorGraph
from zoo.layers.batch_norm import BatchNorm
from zoo.layers.edge_network import EdgeNetwork
from zoo.models.attentive_fp import AttentiveFP, AttentiveFPConfig
from zoo.models.gat import GAT, GATConfig
from zoo.models.gcn import GCN, GCNConfig
from zoo.models.gin import GIN, GINConfig
from zoo.models.mpnn import MPNN, MPNNConfig

MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "CC[NH3+].[Cl-]", "F/C=C/Cl", "C1CC2CCC1CC2"]
MODELS = {
    "gcn": lambda: GCN(GCNConfig(num_tasks=3, hidden_size=20, norm="both")),
    "gat": lambda: GAT(GATConfig(num_tasks=3, hidden_size=5, num_heads=2)),
    "gin": lambda: GIN(GINConfig(num_tasks=3, hidden_size=20)),
    "mpnn": lambda: MPNN(MPNNConfig(num_tasks=3, hidden_size=7, bond_hidden_size=6)),
    "attentive_fp": lambda: AttentiveFP(AttentiveFPConfig(num_tasks=3, hidden_size=11)),
}


@pytest.fixture
def molecules():
    return batch_of(CanonicalFeaturizer(), MOLECULES)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("tensors", [False, True], ids=["default", "tensors"])
def test_half_precision_of_autocast(molecules, name, tensors):
    torch.manual_seed(0)
    model = MODELS[name]()
    if tensors and dgl is not None:
        molecules = MoleculeGraph(TensorGraph.from_dgl(molecules.graph))
    exact = model.eval()(molecules)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(molecules)
    scores.float().square().sum().backward()
    assert 0 < (scores.float() - exact).abs().max() < 0.05 * max(1.0, exact.abs().max().item())
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_matrices_of_kinds_of_bonds_equal_those_of_every_bond(molecules):
    """A feature that no two bonds share leaves a matrix for each, and so does a gradient with respect to features."""
    torch.manual_seed(0)
    layer = EdgeNetwork(5, 12, 6).double()
    atoms, bonds = torch.randn(molecules.graph.num_nodes(), 5).double(), molecules.bond_feats.double()
    kinds = layer.matrices(molecules.graph, bonds)
    assert len(kinds.matrices) < 12
    each = layer.matrices(molecules.graph, bonds.clone().requires_grad_())
    assert len(each.matrices) == len(bonds)
    torch.testing.assert_close(layer(kinds, atoms), layer(each, atoms), rtol=1e-12, atol=1e-12)
    many = layer.matrices(molecules.graph, torch.rand_like(bonds))
    assert len(many.matrices) == len(bonds)


def test_batch_norm_equals_torch_and_trains_on_one_row():
    ours, theirs = BatchNorm(4), torch.nn.BatchNorm1d(4)
    rows = torch.randn(6, 4)
    torch.testing.assert_close(ours(rows), theirs(rows))
    mean = ours.running_mean.clone()
    torch.testing.assert_close(ours(rows[:1]), theirs.eval()(rows[:1]))
    assert ours(rows[:0]).shape == (0, 4)
    assert torch.equal(ours.running_mean, mean)


@pytest.mark.parametrize(
    ("config", "options", "message"),
    [
        (GCNConfig, {"norm": "left"}, "choose one of 'none', 'right', 'both'"),
        (GATConfig, {"num_heads": 0}, "num_heads=0"),
        (GINConfig, {"num_layers": 1}, "at least 2"),
        (MPNNConfig, {"readout_steps": 0}, "readout_steps=0"),
        (AttentiveFPConfig, {"dropout": 1.0}, "dropout=1.0"),
    ],
)
def test_options_out_of_range(config, options, message):
    with pytest.raises(ValueError, match=message):
        config(**options)
