"""`TensorGraph`: a batched graph of plain tensors, for devices that the installed DGL cannot use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from featurizers.backend import require_dgl

if TYPE_CHECKING:
    import dgl


class TensorGraph:
    """The part of `dgl.DGLGraph` that models read, on tensors alone.

    Batches are TensorGraphs where DGL is not installed, and on devices for which it has no code (its wheels on PyPI
    have none for GPUs). `zoo.layers.message_passing` then runs its sums with torch.

    Args:
        source: Source node of each edge (E,), int64.
        destination: Destination node of each edge (E,), int64.
        batch_num_nodes: Nodes of each graph of the batch (B,), int64.
        batch_num_edges: Edges of each graph of the batch (B,), int64.
        ndata: Node features by name, each (N, ...).
        edata: Edge features by name, each (E, ...).
        num_nodes: Nodes N of the whole batch where they are known; to read them from a GPU is to wait for it.

    Example:
        >>> ends = torch.tensor([0, 1]), torch.tensor([1, 0])
        >>> graph = TensorGraph(*ends, torch.tensor([2]), torch.tensor([2]), {}, {})
        >>> graph.num_nodes(), graph.num_edges(), graph.batch_size
        (2, 2, 1)
    """

    def __init__(
        self,
        source: Tensor,
        destination: Tensor,
        batch_num_nodes: Tensor,
        batch_num_edges: Tensor,
        ndata: dict[str, Tensor],
        edata: dict[str, Tensor],
        num_nodes: int | None = None,
    ) -> None:
        self._source, self._destination = source, destination
        self._batch_num_nodes, self._batch_num_edges = batch_num_nodes, batch_num_edges
        self._num_nodes = int(batch_num_nodes.sum()) if num_nodes is None else num_nodes
        self.ndata, self.edata = ndata, edata

    @classmethod
    def from_dgl(cls, graph: dgl.DGLGraph) -> TensorGraph:
        """The same graph and features as a `TensorGraph` (tensors are shared)."""
        source, destination = graph.edges()
        return cls(
            source,
            destination,
            graph.batch_num_nodes(),
            graph.batch_num_edges(),
            dict(graph.ndata),
            dict(graph.edata),
        )

    def to_dgl(self) -> dgl.DGLGraph:
        """The same graph and features as a DGLGraph.

        Raises:
            ImportError: DGL is not installed.
        """
        graph = require_dgl().graph(self.edges(), num_nodes=self.num_nodes())
        graph.set_batch_num_nodes(self.batch_num_nodes())
        graph.set_batch_num_edges(self.batch_num_edges())
        graph.ndata.update(self.ndata)
        graph.edata.update(self.edata)
        return graph

    def to(self, device: torch.device | str) -> TensorGraph:
        """The same graph on another device."""
        return TensorGraph(
            self._source.to(device),
            self._destination.to(device),
            self._batch_num_nodes.to(device),
            self._batch_num_edges.to(device),
            {name: feats.to(device) for name, feats in self.ndata.items()},
            {name: feats.to(device) for name, feats in self.edata.items()},
            self._num_nodes,
        )

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self._source.device

    @property
    def batch_size(self) -> int:
        """Number of graphs B."""
        return len(self._batch_num_nodes)

    def num_nodes(self) -> int:
        """Nodes N of the whole batch."""
        return self._num_nodes

    def num_edges(self) -> int:
        """Edges E of the whole batch."""
        return len(self._source)

    def edges(self) -> tuple[Tensor, Tensor]:
        """Source and destination of every edge, each (E,)."""
        return self._source, self._destination

    def in_degrees(self) -> Tensor:
        """Edges that end at each node (N,)."""
        return torch.bincount(self._destination, minlength=self._num_nodes)

    def batch_num_nodes(self) -> Tensor:
        """Nodes of each graph (B,)."""
        return self._batch_num_nodes

    def batch_num_edges(self) -> Tensor:
        """Edges of each graph (B,)."""
        return self._batch_num_edges
