"""GCN, GAT, GIN, MPNN and AttentiveFP against DGL-LifeSci's predictors on the same graphs."""

import pytest
import torch

from featurizers import CanonicalFeaturizer, MoleculeGraph, PackedMolecules
from featurizers.tensor_graph import TensorGraph
from zoo.models.attentive_fp import AttentiveFP, AttentiveFPConfig
from zoo.models.gat import GAT, GATConfig
from zoo.models.gcn import GCN, GCNConfig
from zoo.models.gin import GIN, GINConfig
from zoo.models.mpnn import MPNN, MPNNConfig

dgl = pytest.importorskip("dgl", reason="compares with DGL, which is not installed here")
theirs_of = pytest.importorskip("dgllife.model")

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
        lambda: theirs_of.GCNPredictor(74, [20] * 3, ["both"] * 3, n_tasks=3, predictor_hidden_feats=9),
    ),
    "gat": (
        lambda: GAT(GATConfig(num_tasks=3, hidden_size=5, num_layers=3, num_heads=2, residual=False)),
        lambda: theirs_of.GATPredictor(74, [5] * 3, [2] * 3, residuals=[False] * 3, n_tasks=3),
    ),
    "mpnn": (
        lambda: MPNN(MPNNConfig(num_tasks=3, hidden_size=7, num_layers=2, bond_hidden_size=6, readout_steps=2)),
        lambda: theirs_of.MPNNPredictor(74, 12, 7, 6, 3, num_step_message_passing=2, num_step_set2set=2),
    ),
    "attentive_fp": (
        lambda: AttentiveFP(AttentiveFPConfig(num_tasks=3, hidden_size=11, num_layers=3, readout_steps=1)),
        lambda: theirs_of.AttentiveFPPredictor(74, 12, num_layers=3, num_timesteps=1, graph_feat_size=11, n_tasks=3),
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
    theirs = theirs_of.GINPredictor([43], [5], emb_dim=8, JK=layers_read, n_tasks=2, **options).double()
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
