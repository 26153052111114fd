"""`TensorGraph`: a batched graph of plain tensors, for devices that the installed DGL cannot use."""

from __future__ import annotations

from collections.abc import Callable
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
        host: The same graph on the CPU, of one that is on another device: it answers questions that a device could
            only answer by making the process wait for it.
        num_nodes: Nodes N of the complete batch; `None` adds them up.

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
        host: TensorGraph | None = None,
        num_nodes: int | None = None,
    ) -> None:
        self._source, self._destination = source, destination
        self._batch_num_nodes, self._batch_num_edges = batch_num_nodes, batch_num_edges
        if num_nodes is None:
            num_nodes = int(batch_num_nodes.sum()) if host is None else host.num_nodes()
        self._num_nodes = num_nodes
        self._host = host
        self._in_degrees: Tensor | None = None
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

    def to(self, device: torch.device | str, non_blocking: bool = False) -> TensorGraph:
        """The same graph on another device; `non_blocking` as in `torch.Tensor.to`."""

        def move(tensor: Tensor) -> Tensor:
            return tensor.to(device, non_blocking=non_blocking)

        host = None if torch.device(device).type == "cpu" else self.on_host()
        return self._with(move, host)

    def pin_memory(self) -> TensorGraph:
        """The same graph in memory from which a GPU copies by itself."""
        return self._with(Tensor.pin_memory, None)

    def on_host(self) -> TensorGraph:
        """The same graph on the CPU, without features."""
        if self._host is None:
            parts = (self._source, self._destination, self._batch_num_nodes, self._batch_num_edges)
            source, destination, nodes, edges = (part.cpu() for part in parts)
            host = TensorGraph(source, destination, nodes, edges, {}, {})
            if self.device.type == "cpu":
                return host
            self._host = host
        return self._host

    def _with(self, change: Callable[[Tensor], Tensor], host: TensorGraph | None) -> TensorGraph:
        return TensorGraph(
            change(self._source),
            change(self._destination),
            change(self._batch_num_nodes),
            change(self._batch_num_edges),
            {name: change(feats) for name, feats in self.ndata.items()},
            {name: change(feats) for name, feats in self.edata.items()},
            host,
        )

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self._source.device

    @property
    def batch_size(self) -> int:
        """Number of graphs B."""
        return self._batch_num_nodes.shape[0]

    def num_nodes(self) -> int:
        """Nodes N of the complete batch."""
        return self._num_nodes

    def most_nodes(self) -> int:
        """Nodes of the largest graph."""
        return int(self.on_host().batch_num_nodes().max())

    def num_edges(self) -> int:
        """Edges E of the complete batch."""
        return self._source.shape[0]

    def edges(self) -> tuple[Tensor, Tensor]:
        """Source and destination of every edge, each (E,)."""
        return self._source, self._destination

    def in_degrees(self) -> Tensor:
        """Edges that end at each node (N,)."""
        if self._in_degrees is None:
            host = self if self._host is None else self._host
            degrees = torch.bincount(host._destination, minlength=self._num_nodes)
            self._in_degrees = degrees.to(self.device, non_blocking=True)
        return self._in_degrees

    def batch_num_nodes(self) -> Tensor:
        """Nodes of each graph (B,)."""
        return self._batch_num_nodes

    def batch_num_edges(self) -> Tensor:
        """Edges of each graph (B,)."""
        return self._batch_num_edges
