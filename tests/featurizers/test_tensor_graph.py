"""Graphs of tensors: what they know without asking their device."""

from support.graphs import graph_of

from featurizers.tensor_graph import TensorGraph
from zoo.layers.self_loops import with_self_loops


def test_a_graph_knows_its_structure_on_any_device():
    graph = graph_of([3, 2], [0, 1], [1, 0])
    here = graph if isinstance(graph, TensorGraph) else TensorGraph.from_dgl(graph)
    there = here.to("meta")
    assert (there.num_nodes(), there.num_edges(), there.batch_size) == (5, 2, 2)
    assert there.in_degrees().shape == (5,)
    assert [ends.tolist() for ends in there.on_host().edges()] == [[0, 1], [1, 0]]
    assert there.to("meta").on_host() is there.on_host()
    assert with_self_loops(there).on_host().edges()[0].tolist() == [0, 1, 0, 1, 2, 3, 4]
