"""Edges from every atom to itself."""

from __future__ import annotations

import torch
from torch import Tensor

from featurizers.backend import DGLGraph, dgl


def with_self_loops(graph: DGLGraph, edge_feats: Tensor) -> tuple[DGLGraph, Tensor]:
    """Join every node to itself.

    Args:
        graph: N nodes, E edges; it is not changed.
        edge_feats: (E, F).

    Returns:
        A graph with N more edges after the E (the edges of one graph of the batch then lie apart, which only readouts
        of edges would mind), and features (E + N, F + 1) whose last column marks the loops.

    Example:
        >>> import dgl
        >>> looped, feats = with_self_loops(dgl.graph(([0, 1], [1, 0])), torch.zeros(2, 3))
        >>> looped.num_edges(), feats.shape
        (4, torch.Size([4, 4]))
    """
    source, destination = graph.edges()
    nodes = torch.arange(graph.num_nodes(), device=source.device)
    looped = dgl.graph((torch.cat([source, nodes]), torch.cat([destination, nodes])), num_nodes=len(nodes))
    looped.set_batch_num_nodes(graph.batch_num_nodes())
    looped.set_batch_num_edges(graph.batch_num_edges() + graph.batch_num_nodes())
    feats = edge_feats.new_zeros(len(edge_feats) + len(nodes), edge_feats.shape[1] + 1)
    feats[: len(edge_feats), :-1] = edge_feats
    feats[len(edge_feats) :, -1] = 1.0
    return looped, feats
