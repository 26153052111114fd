"""Message passing on batched graphs: the only module that calls DGL kernels.

Every function runs on DGL's kernels where the graph is a DGLGraph, and as the same sums of torch where it is a
`TensorGraph` (tensors on a GPU with a CPU-only DGL) or inside `with use_torch():`. Both paths give equal values and
gradients. Letters: B graphs, N nodes, E edges, H heads, D width; `...` stands for any trailing axes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from featurizers.backend import is_dgl_graph, require_dgl
from featurizers.tensor_graph import TensorGraph

if TYPE_CHECKING:
    from featurizers.backend import DGLGraph

Graph: TypeAlias = "DGLGraph | TensorGraph"

_torch_forced: ContextVar[bool] = ContextVar("torch_forced", default=False)
_graph_of_nodes: WeakKeyDictionary[Graph, Tensor] = WeakKeyDictionary()


@contextmanager
def use_torch() -> Iterator[None]:
    """Run the functions of this module with torch on any graph, as where DGL has no kernels.

    Example:
        >>> import dgl
        >>> graph = dgl.graph(([0, 1], [1, 0]))
        >>> with use_torch():
        ...     sum_neighbors(graph, torch.tensor([[1.0], [2.0]])).tolist()
        [[2.0], [1.0]]
    """
    token = _torch_forced.set(True)
    try:
        yield
    finally:
        _torch_forced.reset(token)


def is_torch_forced() -> bool:
    """Whether this runs inside `with use_torch():`."""
    return _torch_forced.get()


def sizes_on_host(graph: Graph) -> Tensor:
    """Nodes of each graph of the batch (B,), on the CPU, without waiting for another device where that is possible."""
    return (graph.on_host() if isinstance(graph, TensorGraph) else graph).batch_num_nodes().cpu()


def most_nodes(graph: Graph) -> int:
    """Nodes of the largest graph of the batch."""
    return graph.most_nodes() if isinstance(graph, TensorGraph) else int(graph.batch_num_nodes().max())


def _on_dgl(graph: Graph) -> bool:
    return is_dgl_graph(graph) and not _torch_forced.get()


def _ops() -> Any:
    """Kernels of DGL, which made the graph that they run on."""
    return require_dgl().ops


def sum_at_destination(graph: Graph, edge_feats: Tensor) -> Tensor:
    """Sum over the edges that end at each node: (E, ...) to (N, ...)."""
    if _on_dgl(graph):
        return _ops().copy_e_sum(graph, _full(edge_feats))
    _, destination = graph.edges()
    return _add_rows(edge_feats, destination, graph.num_nodes())


def sum_neighbors(graph: Graph, node_feats: Tensor) -> Tensor:
    """Sum of the features of the nodes with an edge to each node: (N, ...) to (N, ...)."""
    if _on_dgl(graph):
        return _ops().copy_u_sum(graph, _full(node_feats))
    source, destination = graph.edges()
    return _add_rows(node_feats.index_select(0, source), destination, graph.num_nodes())


def dot_of_ends(graph: Graph, source_feats: Tensor, destination_feats: Tensor) -> Tensor:
    """Dot product, for every edge, of its source's and its destination's vectors: (N, H, D) twice to (E, H)."""
    if _on_dgl(graph):
        return _ops().u_dot_v(graph, _full(source_feats), _full(destination_feats)).squeeze(-1)
    source, destination = graph.edges()
    return (source_feats.index_select(0, source) * destination_feats.index_select(0, destination)).sum(-1)


def dot_of_edge_and_destination(graph: Graph, edge_feats: Tensor, node_feats: Tensor) -> Tensor:
    """Dot product, for every edge, of its own and its destination's vectors: (E, H or 1, D), (N, H, D) to (E, H)."""
    if _on_dgl(graph):
        return _ops().e_dot_v(graph, _full(edge_feats), _full(node_feats)).squeeze(-1)
    _, destination = graph.edges()
    return (edge_feats * node_feats.index_select(0, destination)).sum(-1)


def highest_at_destination(graph: Graph, scores: Tensor) -> Tensor:
    """The highest of the scores of the edges that end at each node, or 0 if none is positive: (E, H) to (N, H)."""
    _, destination = graph.edges()
    index = destination.view(-1, *[1] * (scores.dim() - 1)).expand_as(scores)
    return scores.new_zeros(graph.num_nodes(), *scores.shape[1:]).scatter_reduce(0, index, scores, "amax")


def softmax_at_destination(graph: Graph, scores: Tensor) -> Tensor:
    """Softmax over the edges that end at the same node: (E, H) to (E, H)."""
    if _on_dgl(graph):
        return _ops().edge_softmax(graph, _full(scores))
    _, destination = graph.edges()
    return _softmax_of_rows(scores, destination, graph.num_nodes())


def sum_weighted_neighbors(graph: Graph, node_feats: Tensor, weights: Tensor) -> Tensor:
    """Sum of neighbours weighted per edge and head: (N, H, D) and (E, H) to (N, H, D)."""
    if _on_dgl(graph):
        return _ops().u_mul_e_sum(graph, _full(node_feats), _full(weights).unsqueeze(-1))
    source, destination = graph.edges()
    return _add_rows(node_feats.index_select(0, source) * weights.unsqueeze(-1), destination, graph.num_nodes())


def sum_nodes(graph: Graph, node_feats: Tensor) -> Tensor:
    """Sum over the nodes of each graph of the batch: (N, ...) to (B, ...)."""
    if _on_dgl(graph):
        return _ops().segment_reduce(graph.batch_num_nodes(), _full(node_feats), reducer="sum")
    return _add_rows(node_feats, graph_of_nodes(graph), graph.batch_size)


def mean_nodes(graph: Graph, node_feats: Tensor) -> Tensor:
    """Mean over the nodes of each graph of the batch: (N, ...) to (B, ...); zero for a graph without nodes."""
    counts = graph.batch_num_nodes().clamp(min=1).to(node_feats.dtype)
    return sum_nodes(graph, node_feats) / counts.view(-1, *[1] * (node_feats.dim() - 1))


def mean_rows(rows: Tensor, counts: Tensor) -> Tensor:
    """Mean of consecutive rows: (R, D) with B counts (B,) to (B, D); zero where a count is 0."""
    places = torch.arange(counts.shape[0], device=rows.device).repeat_interleave(counts)
    sums = rows.new_zeros(counts.shape[0], rows.shape[1]).index_add(0, places, rows)
    return sums / counts.clamp(min=1).to(rows.dtype).unsqueeze(1)


def max_nodes(graph: Graph, node_feats: Tensor) -> Tensor:
    """Largest value of each column over the nodes of each graph of the batch, which has nodes: (N, D) to (B, D)."""
    if _on_dgl(graph):
        return _ops().segment_reduce(graph.batch_num_nodes(), _full(node_feats), reducer="max")
    index = graph_of_nodes(graph).unsqueeze(1).expand_as(node_feats)
    # Not zeros with include_self=False: torch would give them a share of the gradient where the largest value is 0.
    lowest = node_feats.new_full((graph.batch_size, node_feats.shape[1]), -torch.inf)
    return lowest.scatter_reduce(0, index, node_feats, "amax")


POOLS = {"mean": mean_nodes, "sum": sum_nodes}
"""Readouts without weights, by the names that models' options have."""


def softmax_nodes(graph: Graph, scores: Tensor) -> Tensor:
    """Softmax over the nodes of each graph of the batch: (N, H) to (N, H)."""
    return _softmax_of_rows(scores, graph_of_nodes(graph), graph.batch_size)


def graph_of_nodes(graph: Graph) -> Tensor:
    """Return, for every node, the number of its graph in the batch (N,); computed once for each graph object."""
    numbers = _graph_of_nodes.get(graph)
    if numbers is None:
        sizes = graph.batch_num_nodes()
        of_graphs = torch.arange(len(sizes), device=sizes.device)
        numbers = of_graphs.repeat_interleave(sizes, output_size=graph.num_nodes())  # or a GPU would be asked for it
        _graph_of_nodes[graph] = numbers
    return numbers


def number_nodes(graph: Graph, numbers: Tensor) -> None:
    """Let `graph_of_nodes` give these numbers (N,), where they are known already."""
    _graph_of_nodes[graph] = numbers


def _full(values: Tensor) -> Tensor:
    """Half precision (of autocast) as float32: DGL has no CPU kernels for it, and sums are more exact."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def _add_rows(rows: Tensor, places: Tensor, size: int) -> Tensor:
    rows = _full(rows)
    return rows.new_zeros(size, *rows.shape[1:]).index_add(0, places, rows)


def _softmax_of_rows(scores: Tensor, groups: Tensor, size: int) -> Tensor:
    scores = _full(scores)
    index = groups.view(-1, *[1] * (scores.dim() - 1)).expand_as(scores)
    # Shifting by the largest score of a group changes nothing but the range: no gradient is needed through it.
    highest = scores.new_zeros(size, *scores.shape[1:])
    highest = highest.scatter_reduce(0, index, scores.detach(), "amax", include_self=False)
    weights = (scores - highest.index_select(0, groups)).exp()
    return weights / _add_rows(weights, groups, size).index_select(0, groups)
