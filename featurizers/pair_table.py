"""`PairTable`: the ordered atom pairs of a batch with their features."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


class PairTable:
    """All ordered pairs of atoms of the same molecule, itself included, row-major in each molecule.

    It is a batched complete graph that stores no edges: `edges()` computes them when something asks.

    Args:
        batch_num_nodes: Atoms of each molecule (B,), int64.
        edata: Features of pairs by name, each (P, ...).
        counts: N and P where they are known; to read them from a GPU is to wait for it.

    Example:
        >>> table = PairTable(torch.tensor([2, 1]), {})
        >>> [ends.tolist() for ends in table.edges()]
        [[0, 0, 1, 1, 2], [0, 1, 0, 1, 2]]
    """

    def __init__(
        self, batch_num_nodes: Tensor, edata: dict[str, Tensor], counts: tuple[int, int] | None = None
    ) -> None:
        self._sizes, self.edata = batch_num_nodes, edata
        counts = counts or (int(batch_num_nodes.sum()), int(batch_num_nodes.square().sum()))
        self._num_nodes, self._num_edges = counts
        self._edges: tuple[Tensor, Tensor] | None = None

    def to(self, device: torch.device | str, non_blocking: bool = False) -> PairTable:
        """The same pairs on another device; `non_blocking` as in `torch.Tensor.to`."""
        return self._with(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> PairTable:
        """The same pairs in memory from which a GPU copies by itself."""
        return self._with(Tensor.pin_memory)

    def places_of_self_pairs(self) -> Tensor:
        """Return, for each atom, the place of its pair with itself (N,).

        Example:
            >>> PairTable(torch.tensor([2, 1]), {}).places_of_self_pairs().tolist()
            [0, 3, 4]
        """
        per_atom = self._sizes.repeat_interleave(self._sizes, output_size=self._num_nodes)
        starts = (self._sizes.cumsum(0) - self._sizes).repeat_interleave(self._sizes, output_size=self._num_nodes)
        numbers = torch.arange(self._num_nodes, device=self.device)
        return per_atom.cumsum(0) - per_atom + numbers - starts

    def _with(self, change: Callable[[Tensor], Tensor]) -> PairTable:
        edata = {name: change(feats) for name, feats in self.edata.items()}
        return PairTable(change(self._sizes), edata, (self._num_nodes, self._num_edges))

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
        return self._sizes.device

    @property
    def batch_size(self) -> int:
        """Number of molecules B."""
        return len(self._sizes)

    def num_nodes(self) -> int:
        """Atoms N of the batch."""
        return self._num_nodes

    def num_edges(self) -> int:
        """Pairs P of the batch."""
        return self._num_edges

    def batch_num_nodes(self) -> Tensor:
        """Atoms of each molecule (B,)."""
        return self._sizes

    def batch_num_edges(self) -> Tensor:
        """Pairs of each molecule (B,)."""
        return self._sizes.square()

    def edges(self) -> tuple[Tensor, Tensor]:
        """First and second atom of every pair, (P,) int64 twice."""
        if self._edges is None:
            sizes, N, P = self._sizes, self._num_nodes, self._num_edges
            per_atom = sizes.repeat_interleave(sizes, output_size=N)
            starts = (sizes.cumsum(0) - sizes).repeat_interleave(sizes, output_size=N)
            numbers = torch.arange(max(N, P), device=sizes.device)
            first = numbers[:N].repeat_interleave(per_atom, output_size=P)
            shift = starts - (per_atom.cumsum(0) - per_atom)
            self._edges = first, numbers[:P] + shift.index_select(0, first)
        return self._edges
