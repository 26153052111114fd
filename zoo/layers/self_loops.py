"""Edges from every atom to itself."""

from __future__ import annotations

import torch

from featurizers.backend import is_dgl_graph, require_dgl
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import Graph


def with_self_loops(graph: Graph) -> Graph:
    """Join every node to itself.

    Args:
        graph: N nodes, E edges; it is not changed.

    Returns:
        A graph without features and with N more edges after the E (the edges of one graph of the batch then lie apart,
        which only readouts of edges would mind).

    Example:
        >>> pair = torch.tensor([0, 1]), torch.tensor([1, 0])
        >>> with_self_loops(TensorGraph(*pair, torch.tensor([2]), torch.tensor([2]), {}, {})).num_edges()
        4
    """
    source, destination = graph.edges()
    nodes = torch.arange(graph.num_nodes(), device=source.device)
    source, destination = torch.cat([source, nodes]), torch.cat([destination, nodes])
    sizes, edges = graph.batch_num_nodes(), graph.batch_num_edges() + graph.batch_num_nodes()
    if not is_dgl_graph(graph):
        host = None if graph.device.type == "cpu" else with_self_loops(graph.on_host())
        return TensorGraph(source, destination, sizes, edges, {}, {}, host, graph.num_nodes())  # type: ignore[arg-type]
    looped = require_dgl().graph((source, destination), num_nodes=len(nodes))
    looped.set_batch_num_nodes(sizes)
    looped.set_batch_num_edges(edges)
    return looped
