import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizers import GroverFeaturizer
from featurizers.molecule_graph import move_graph
from featurizers.tensor_graph import TensorGraph
from zoo.layers import message_passing
from zoo.layers.message_passing import use_torch
from zoo.layers.self_loops import with_self_loops

dgl = pytest.importorskip("dgl", reason="compares with DGL, which is not installed here")

FUNCTIONS = {
    "sum_neighbors": lambda g, x, e, w: message_passing.sum_neighbors(g, x),
    "sum_at_destination": lambda g, x, e, w: message_passing.sum_at_destination(g, e),
    "dot_of_ends": lambda g, x, e, w: message_passing.dot_of_ends(g, x, x.tanh()),
    "softmax_at_destination": lambda g, x, e, w: message_passing.softmax_at_destination(g, w),
    "sum_weighted_neighbors": lambda g, x, e, w: message_passing.sum_weighted_neighbors(g, x, w),
    "sum_nodes": lambda g, x, e, w: message_passing.sum_nodes(g, x),
    "mean_nodes": lambda g, x, e, w: message_passing.mean_nodes(g, x),
    "softmax_nodes": lambda g, x, e, w: message_passing.softmax_nodes(g, x),
}


@st.composite
def graphs(draw):
    parts = []
    for nodes in draw(st.lists(st.integers(1, 6), min_size=1, max_size=4)):
        ends = st.integers(0, nodes - 1)
        edges = draw(st.lists(st.tuples(ends, ends), max_size=12))
        source, destination = ([edge[i] for edge in edges] for i in (0, 1))
        as_tensor = [torch.tensor(side, dtype=torch.int64) for side in (source, destination)]
        parts.append(dgl.graph(tuple(as_tensor), num_nodes=nodes))
    return dgl.batch(parts)


def values_and_gradients(function, graph, tensors):
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    out = function(graph, *leaves)
    weights = torch.linspace(-1, 1, out.numel(), dtype=out.dtype).view_as(out)
    grads = torch.autograd.grad((out * weights).sum(), leaves, allow_unused=True)
    return [out, *(grad for grad in grads if grad is not None)]


@pytest.mark.parametrize("name", FUNCTIONS)
@given(graph=graphs())
@settings(max_examples=15, deadline=None)
def test_dgl_and_torch_give_equal_values_and_gradients(name, graph):
    generator = torch.Generator().manual_seed(0)
    N, E = graph.num_nodes(), graph.num_edges()
    sizes = [(N, 3, 4), (E, 3, 4), (E, 3)]
    tensors = [torch.randn(*size, generator=generator, dtype=torch.float64) for size in sizes]
    expected = values_and_gradients(FUNCTIONS[name], graph, tensors)
    with use_torch():
        forced = values_and_gradients(FUNCTIONS[name], graph, tensors)
    moved = values_and_gradients(FUNCTIONS[name], TensorGraph.from_dgl(graph), tensors)
    for other in (forced, moved):
        for a, b in zip(expected, other, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_softmax_of_large_scores_is_finite():
    graph = dgl.graph(([0, 1, 2], [0, 0, 0]))
    scores = torch.tensor([[1000.0], [1000.0], [-1000.0]])
    with use_torch():
        weights = message_passing.softmax_at_destination(graph, scores)
    assert weights.flatten().tolist() == [0.5, 0.5, 0.0]


@pytest.mark.parametrize("largest", [-1.0, 0.0, 2.0])
def test_the_largest_value_gets_the_gradient_of_the_maximum(largest):
    graph = dgl.batch([dgl.graph(([], []), num_nodes=2), dgl.graph(([], []), num_nodes=1)])
    for chosen in (graph, TensorGraph.from_dgl(graph)):
        feats = torch.tensor([[-3.0], [largest], [-4.0]], requires_grad=True)
        highest = message_passing.max_nodes(chosen, feats)
        assert highest.flatten().tolist() == [largest, -4.0]
        highest.sum().backward()
        assert feats.grad.flatten().tolist() == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("graph", [dgl.graph(([0, 1, 1], [1, 0, 1])), dgl.graph(([], []), num_nodes=2)])
def test_self_loops_are_those_of_dgl(graph):
    expected = torch.stack(dgl.add_self_loop(graph).edges())
    for chosen in (graph, TensorGraph.from_dgl(graph)):
        looped = with_self_loops(chosen)
        assert type(looped) is type(chosen)
        assert torch.equal(torch.stack(looped.edges()), expected)
        assert looped.batch_num_nodes().tolist() == [2]
        assert looped.batch_num_edges().tolist() == [expected.shape[1]]


@pytest.mark.parametrize("error", [dgl.DGLError("Device API cuda is not enabled"), KeyError("mps")])
def test_a_device_that_dgl_cannot_use_gets_a_tensor_graph(monkeypatch, error):
    molecules = GroverFeaturizer()("CCO")

    def refuse(graph, device, **options):
        raise error

    monkeypatch.setattr(dgl.DGLGraph, "to", refuse)
    graph = move_graph(molecules.graph, "cpu")
    assert isinstance(graph, TensorGraph)
    assert torch.equal(graph.ndata["feat"], molecules.atom_feats)
    assert (graph.batch_size, graph.num_nodes(), graph.num_edges()) == (1, 3, 4)
    assert torch.equal(graph.in_degrees(), molecules.graph.in_degrees())
    assert molecules.to("cpu") is molecules
