"""`MoleculeLoader`: batches cut from packed molecules, in an order that only seed and epoch decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from featurizers import Featurizer, MoleculeGraph, PackedMolecules
from zoo.data.errors import DataError


@dataclass
class Batch:
    """Molecules and labels of one step.

    Args:
        graph: B molecules.
        targets: Labels (B, T), float32; 0 where they are missing. T = 0 without labels.
        mask: 1 where there is a label (B, T), float32.
        indices: Position of each molecule in the packed store (B,), int64.
        weights: Weight of each molecule in the loss (B,), float32; `None` weighs all alike.
        bounds: What each label is (B, T), int8: -1 an upper bound, 1 a lower bound, 0 exact; `None` where all are.
    """

    graph: MoleculeGraph
    targets: Tensor
    mask: Tensor
    indices: Tensor
    weights: Tensor | None = None
    bounds: Tensor | None = None

    def __len__(self) -> int:
        return len(self.indices)

    def to(self, device: torch.device | str, non_blocking: bool = False) -> Batch:
        """The same batch on another device; `indices` stay where they are. `non_blocking` as in `torch.Tensor.to`."""
        return self._map(lambda part: part.to(device, non_blocking=non_blocking), self.graph.to(device, non_blocking))

    def pin_memory(self) -> Batch:
        """The same batch in memory from which a GPU copies by itself."""
        return self._map(Tensor.pin_memory, self.graph.pin_memory())

    def _map(self, function: Callable[[Tensor], Tensor], graph: MoleculeGraph) -> Batch:
        """Return the batch with a function applied to its labels and weights."""
        parts = {name: getattr(self, name) for name in ("targets", "mask", "weights", "bounds")}
        return replace(self, graph=graph, **{name: function(part) for name, part in parts.items() if part is not None})


class MoleculeLoader:
    """Iterates over packed molecules in batches; one DGL graph is made per batch.

    The order of an epoch is a pure function of `seed` and the epoch number, so `batches(start=k)` after
    `set_epoch(e)` goes on exactly where an interrupted run stopped.

    Args:
        packed: All molecules, as `featurize` gives them.
        featurizer: The featurizer that wrote them.
        targets: Labels of all packed molecules (n, T), NaN where missing; `None` without labels.
        weights: Weight of each packed molecule in the loss (n,); `None` weighs all alike.
        bounds: What each label is (n, T), as in `MoleculeDataset`; `None` where all are exact.
        batch_size: Molecules per batch, >= 1.
        shuffle: Draw a new order every epoch.
        seed: Of the shuffling, >= 0.
        indices: Take only these positions of `packed` (and `targets`), in this order; `None` takes all.
        drop_last: Leave out a last batch that is not full.

    Raises:
        DataError: Sizes do not fit, or a chosen molecule has no atoms (it could not be read).
    """

    def __init__(
        self,
        packed: PackedMolecules,
        featurizer: Featurizer,
        targets: np.ndarray | None = None,
        *,
        weights: np.ndarray | None = None,
        bounds: np.ndarray | None = None,
        batch_size: int = 32,
        shuffle: bool = False,
        seed: int = 0,
        indices: Sequence[int] | np.ndarray | None = None,
        drop_last: bool = False,
    ) -> None:
        if batch_size < 1:
            raise DataError(f"batch_size={batch_size}: give a positive number")
        for name, rows in {"targets": targets, "weights": weights, "bounds": bounds}.items():
            if rows is not None and len(rows) != len(packed):
                raise DataError(f"{len(rows)} rows of {name} for {len(packed)} molecules: give one row for each")
        chosen = np.arange(len(packed)) if indices is None else np.asarray(indices, dtype=np.int64)
        if len(chosen) and not (chosen.min() >= 0 and chosen.max() < len(packed)):
            raise DataError(f"indices reach {chosen.min()} to {chosen.max()}, but there are {len(packed)} molecules")
        empty = chosen[np.asarray(packed.num_atoms)[chosen] == 0]
        if len(empty):
            raise DataError(f"molecule {empty[0]} has no atoms, it could not be read: leave it out with indices=")
        self.packed, self.featurizer = packed, featurizer
        self.batch_size, self.shuffle, self.seed, self.drop_last = batch_size, shuffle, seed, drop_last
        self.indices, self.epoch = chosen, 0
        labels = np.empty((len(packed), 0)) if targets is None else np.asarray(targets).reshape(len(packed), -1)
        known = ~np.isnan(labels)
        self._mask = known.astype(np.float32)
        self._targets = np.where(known, labels, 0.0).astype(np.float32)
        self._weights = None if weights is None else np.asarray(weights, np.float32)
        self._bounds = None if bounds is None else np.asarray(bounds, np.int8).reshape(len(packed), -1)

    def __len__(self) -> int:
        full, rest = divmod(len(self.indices), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch whose order the next iteration follows."""
        self.epoch = epoch

    def order(self) -> np.ndarray:
        """Positions in `packed` in the order of this epoch."""
        if not self.shuffle:
            return self.indices
        return np.random.default_rng([self.seed, self.epoch]).permutation(self.indices)

    def __iter__(self) -> Iterator[Batch]:
        return self.batches()

    def batches(self, start: int = 0) -> Iterator[Batch]:
        """Batches of this epoch from number `start` on."""
        order = self.order()
        for number in range(start, len(self)):
            yield self.batch(order[number * self.batch_size : (number + 1) * self.batch_size])

    def batch(self, indices: np.ndarray) -> Batch:
        """One batch of the molecules at these positions (B,)."""
        return Batch(
            graph=self.featurizer.collate(self.packed.take(indices)),
            targets=torch.from_numpy(self._targets.take(indices, axis=0)),
            mask=torch.from_numpy(self._mask.take(indices, axis=0)),
            indices=torch.from_numpy(np.array(indices, dtype=np.int64)),
            weights=None if self._weights is None else torch.from_numpy(self._weights.take(indices)),
            bounds=None if self._bounds is None else torch.from_numpy(self._bounds.take(indices, axis=0)),
        )
