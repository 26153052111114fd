"""Batches from DGLGraphs and to them."""

import pytest
import torch
from support.graphs import batch_of

import zoo
from featurizers import CanonicalFeaturizer, MoleculeGraph
from featurizers.tensor_graph import TensorGraph

dgl = pytest.importorskip("dgl", reason="compares with DGL, which is not installed here")


@pytest.fixture
def molecules():
    return batch_of(CanonicalFeaturizer(), ["CC(=O)O", "C", "c1ccccc1"])


def test_there_and_back(molecules):
    tensors = MoleculeGraph(TensorGraph.from_dgl(molecules.graph))
    back = tensors.to_dgl()
    assert molecules.to_dgl() is molecules.graph
    for ours, theirs in ((back, molecules.graph), (MoleculeGraph.from_dgl(back).graph, molecules.graph)):
        assert isinstance(ours, dgl.DGLGraph)
        assert torch.equal(torch.stack(ours.edges()), torch.stack(theirs.edges()))
        assert torch.equal(ours.ndata["feat"], theirs.ndata["feat"])
        assert torch.equal(ours.edata["feat"], theirs.edata["feat"])
        assert torch.equal(ours.batch_num_nodes(), theirs.batch_num_nodes())
        assert torch.equal(ours.batch_num_edges(), theirs.batch_num_edges())


@pytest.mark.parametrize("dtype", ["int64", "int32"])
def test_edges_in_any_order_predict_the_same(molecules, dtype):
    """Graphs of other software list all bonds in one direction first, then in the other."""
    parts = []
    for graph in dgl.unbatch(molecules.graph):
        source, destination = graph.edges()
        order = torch.cat([torch.arange(len(source))[::2], torch.arange(len(source))[1::2].flip(0)])
        part = dgl.graph((source[order], destination[order]), num_nodes=graph.num_nodes())
        part.ndata["feat"], part.edata["feat"] = graph.ndata["feat"], graph.edata["feat"][order]
        parts.append(part)
    given = dgl.batch(parts)
    before = torch.stack(given.edges())
    mixed = MoleculeGraph.from_dgl(given.int() if dtype == "int32" else given)
    source, destination = mixed.graph.edges()
    assert torch.equal(source[mixed.reverse_edges], destination)
    assert torch.equal(torch.stack(given.edges()), before)
    model = zoo.build("mpnn", device="cpu").model.eval()
    torch.testing.assert_close(model(mixed), model(molecules))


@pytest.mark.parametrize(
    ("edges", "feats", "message"),
    [
        (([0, 1], [1, 2]), True, "no opposite direction"),
        (([0], [1]), True, "no opposite direction"),
        (([0, 1, 1, 1], [1, 0, 1, 1]), True, "remove_self_loop"),
        (([0, 1], [1, 0]), False, 'graph.ndata has no "feat"'),
    ],
)
def test_what_is_no_molecule_is_refused(edges, feats, message):
    graph = dgl.graph(edges, num_nodes=3)
    if feats:
        graph.ndata["feat"], graph.edata["feat"] = torch.zeros(3, 2), torch.zeros(len(edges[0]), 2)
    with pytest.raises(ValueError, match=message):
        MoleculeGraph.from_dgl(graph)
