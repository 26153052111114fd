"""GCN, GAT, GIN, MPNN and AttentiveFP against DGL-LifeSci's predictors on the same graphs."""

import dgl
import pytest
import torch
from dgllife.model import AttentiveFPPredictor, GATPredictor, GCNPredictor, GINPredictor, MPNNPredictor

from featurizers import CanonicalFeaturizer, MoleculeGraph, PackedMolecules
from featurizers.tensor_graph import TensorGraph
from zoo.layers.batch_norm import BatchNorm
from zoo.layers.edge_network import EdgeNetwork
from zoo.models.attentive_fp import AttentiveFP, AttentiveFPConfig
from zoo.models.gat import GAT, GATConfig
from zoo.models.gcn import GCN, GCNConfig
from zoo.models.gin import GIN, GINConfig
from zoo.models.mpnn import MPNN, MPNNConfig

MOLECULES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "CC[NH3+].[Cl-]", "F/C=C/Cl", "C1CC2CCC1CC2"]


@pytest.fixture(scope="module")
def molecules():
    featurizer = CanonicalFeaturizer()
    return featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(s)) for s in MOLECULES]))


def looped(molecules):
    """Self-loops as DGL adds them, molecule by molecule, and the bonds' features with a column that marks the loops."""
    parts = [dgl.add_self_loop(graph, fill_data=0.0) for graph in dgl.unbatch(molecules.graph)]
    for part, graph in zip(parts, dgl.unbatch(molecules.graph), strict=True):
        mark = torch.zeros(part.num_edges(), 1)
        mark[graph.num_edges() :] = 1
        part.edata["feat"] = torch.cat([part.edata["feat"], mark], 1)
    return dgl.batch(parts)


# Ours with options that differ from the defaults, theirs with the same.
PAIRS = {
    "gcn": (
        lambda: GCN(GCNConfig(num_tasks=3, hidden_size=20, num_layers=3, norm="both", ffn_hidden_size=9)),
        lambda: GCNPredictor(74, [20] * 3, ["both"] * 3, n_tasks=3, predictor_hidden_feats=9),
    ),
    "gat": (
        lambda: GAT(GATConfig(num_tasks=3, hidden_size=5, num_layers=3, num_heads=2, residual=False)),
        lambda: GATPredictor(74, [5] * 3, [2] * 3, residuals=[False] * 3, n_tasks=3),
    ),
    "mpnn": (
        lambda: MPNN(MPNNConfig(num_tasks=3, hidden_size=7, num_layers=2, bond_hidden_size=6, readout_steps=2)),
        lambda: MPNNPredictor(74, 12, 7, 6, 3, num_step_message_passing=2, num_step_set2set=2),
    ),
    "attentive_fp": (
        lambda: AttentiveFP(AttentiveFPConfig(num_tasks=3, hidden_size=11, num_layers=3, readout_steps=1)),
        lambda: AttentiveFPPredictor(74, 12, num_layers=3, num_timesteps=1, graph_feat_size=11, n_tasks=3),
    ),
}


def copied(ours, theirs):
    """Ours with the weights and statistics of theirs."""
    places = {"gnn": "encoder.gnn", "readout": "encoder.readout", "predict": "head"}
    state = {}
    for name, tensor in theirs.state_dict().items():
        part, _, rest = name.partition(".")
        state[f"{places[part]}.{rest}"] = tensor
    ours.load_state_dict(state)
    return ours


LOOPED = ("gcn", "gat")


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("tensors", [False, True], ids=["dgl", "tensors"])
def test_equal_to_the_predictor(molecules, name, training, tensors):
    torch.manual_seed(0)
    ours, theirs = (make().double().train(training) for make in PAIRS[name])
    copied(ours, theirs)
    graph = looped(molecules) if name in LOOPED else molecules.graph
    feats = [graph.ndata["feat"].double(), graph.edata["feat"].double()]
    expected = theirs(graph, *(feats[:1] if name in LOOPED else feats))
    got = ours(MoleculeGraph(TensorGraph.from_dgl(molecules.graph)) if tensors else molecules)
    torch.testing.assert_close(got, expected, rtol=1e-10, atol=1e-10)
    expected.square().sum().backward()
    got.square().sum().backward()
    for (mine, p), (other, q) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert mine.rsplit(".", 1)[1] == other.rsplit(".", 1)[1]
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("readout", ["mean", "sum", "max", "attention"])
@pytest.mark.parametrize("layers_read", ["last", "concat", "sum", "max"])
def test_gin_on_one_hot_features_is_the_categorical_predictor(molecules, layers_read, readout):
    """Elements and bond types as the only features: a linear map of one-hot columns is an embedding."""
    graph = looped(molecules)
    atoms, bonds = molecules.atom_feats[:, :43], molecules.bond_feats[:, :4]
    categories = [atoms.argmax(1)], [graph.edata["feat"][:, [0, 1, 2, 3, -1]].argmax(1)]
    options = {"num_layers": 3, "dropout": 0.0, "readout": readout}
    config = GINConfig(num_tasks=2, atom_size=43, bond_size=4, hidden_size=8, layers_read=layers_read, **options)
    ours = GIN(config).double()
    theirs = GINPredictor([43], [5], emb_dim=8, JK=layers_read, n_tasks=2, **options).double()
    state = {}
    for name, tensor in theirs.state_dict().items():
        place = name.replace("predict.", "head.").replace("gnn.", "encoder.gnn.layers.")
        place = place.replace("readout.", "encoder.readout.")
        state[place] = tensor.T if "_embeddings" in name else tensor
    ours.load_state_dict(state)
    ours_graph = TensorGraph.from_dgl(molecules.graph)
    ours_graph.ndata["feat"], ours_graph.edata["feat"] = atoms, bonds
    got = ours(MoleculeGraph(ours_graph))
    torch.testing.assert_close(got, theirs(graph, *categories), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", [*PAIRS, "gin"])
@pytest.mark.parametrize("tensors", [False, True], ids=["dgl", "tensors"])
def test_half_precision_of_autocast(molecules, name, tensors):
    torch.manual_seed(0)
    model = PAIRS[name][0]() if name in PAIRS else GIN(GINConfig(num_tasks=3, hidden_size=20))
    batch = MoleculeGraph(TensorGraph.from_dgl(molecules.graph)) if tensors else molecules
    exact = model.eval()(batch)
    with torch.autocast("cpu", torch.bfloat16):
        scores = model(batch)
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
