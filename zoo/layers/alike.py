"""Rows that look alike: atoms or directed bonds with equal features and equal surroundings, found exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from zoo.layers.filled_rows import fill_rows
from zoo.layers.row_sums import RowSums

LARGEST = 2**62
"""Products of numbers of kinds stay below this, so that they fit into 64 bits."""


@dataclass(frozen=True)
class Alike:
    """Classes of n rows that look alike, and one row of each.

    Args:
        numbers: The number of each row (n,), int64: from 0 on, without gaps, equal for rows that look alike.
        chosen: The first row of each class (R,), in increasing order; row 0 may follow to fill them up.
        classes: The class of each row (n,), from 0 to R - 1.
        places: The class of each number.
    """

    numbers: np.ndarray
    chosen: np.ndarray
    classes: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, multiple: int = 1) -> Alike:
        """Classes of rows with equal numbers (n,), and chosen rows up to a multiple of some number.

        Example:
            >>> alike = Alike.of(np.array([1, 1, 0, 1]))
            >>> alike.chosen.tolist(), alike.classes.tolist()
            ([0, 2], [0, 0, 1, 0])
        """
        first = np.empty(numbers.max(initial=-1) + 1, dtype=np.int64)
        first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
        order = first.argsort()  # rows that are near each other stay so
        places = np.empty_like(order)
        places[order] = np.arange(len(order))
        chosen = np.pad(first[order], (0, -len(first) % multiple))
        return cls(numbers, chosen, places[numbers], places)

    @property
    def rows(self) -> Tensor:
        """The chosen rows (R,)."""
        return torch.from_numpy(self.chosen)

    def choose(self, values: Tensor) -> Tensor:
        """Values of the chosen rows (R, ...), from those of all (n, ...)."""
        return values.index_select(0, self.rows)

    def spread(self, states: Tensor) -> Tensor:
        """States of all rows (n, ...), from those of the chosen ones (R, ...)."""
        return states.index_select(0, torch.from_numpy(self.classes))

    def sums_for(self, after: Alike, around: np.ndarray) -> RowSums:
        """Sums over the chosen rows for those of `after`, whose neighbours have the numbers `around`.

        The terms of a sum are in the order of their numbers, which is the same in every batch.
        """
        found = around[after.chosen]
        there = found > 0
        counts = there.sum(1)
        terms = self.places[found[there] - 1]
        return RowSums(torch.from_numpy(terms), torch.from_numpy(counts.cumsum() - counts), rows=len(self.chosen))


@dataclass(frozen=True)
class AllRows:
    """All n rows, each of which is computed; in half precision on a CPU filled up as `fill_rows` does.

    Args:
        size: How many there are.
    """

    size: int
    rows: None = None

    def choose(self, values: Tensor) -> Tensor:
        """All values (n, ...), filled up."""
        return fill_rows(values)

    def spread(self, states: Tensor) -> Tensor:
        """All states (n, ...), without what fills them up."""
        return states[: self.size]


def number_rows(feats: Tensor) -> np.ndarray:
    """Number rows of features (n, F) from 0 on, equal rows alike (n,).

    Rows are numbered in the order of a random projection, then compared with the first one that has the same: should
    two of these differ nevertheless, every row gets a number of its own.

    Example:
        >>> number_rows(torch.tensor([[0.0, 1.0], [0.0, 0.0], [0.0, 1.0]])).tolist()
        [1, 0, 1]
    """
    keys = (feats.detach().double() @ projection(feats.shape[1])).numpy()
    _, first, numbers = np.unique(keys, return_index=True, return_inverse=True)
    same = torch.from_numpy(first[numbers])
    return numbers if torch.equal(feats.index_select(0, same), feats) else np.arange(len(feats))


@cache
def projection(size: int) -> Tensor:
    """A direction (`size`,) along which different rows hardly ever fall together."""
    return torch.from_numpy(np.random.default_rng(0).random(size))


def number_surroundings(kinds: np.ndarray, others: np.ndarray, sums: RowSums) -> tuple[np.ndarray, np.ndarray]:
    """Number rows from 0 on, alike where their own kinds are and those of their neighbours, in any order.

    The order of the numbers is that of the kinds, so that two rows stand in the same order in every batch.

    Args:
        kinds: Kind of each row (n,), from 0 on.
        others: Kinds of what is summed, from 0 on: `kinds` where that is rows of the same sort.
        sums: Says which neighbours a row has.

    Returns:
        The numbers (n,), and the kinds of the neighbours of each row, increasing and counted from 1, with 0 before them
        where others have more neighbours (n, most).

    Example:
        >>> path = RowSums(torch.tensor([1, 0, 2, 1]), torch.tensor([0, 1, 3]))
        >>> kinds = np.array([0, 0, 0])
        >>> [found.tolist() for found in number_surroundings(kinds, kinds, path)]
        [[0, 1, 0], [[0, 1], [1, 1], [0, 1]]]
    """
    terms, starts = sums.terms.numpy(), sums.starts.numpy()
    counts = np.diff(starts, append=len(terms))
    around = np.zeros((len(kinds), counts.max(initial=0)), dtype=np.int64)
    rows = np.arange(len(kinds)).repeat(counts)
    around[rows, np.arange(len(terms)) - starts.repeat(counts)] = others[terms] + 1
    around.sort(axis=1)
    return number_columns([kinds, *around.T]), around


def number_columns(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Number rows from 0 on (n,) in their order, alike where all columns (n,) of numbers from 0 on are."""
    total, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        values = int(column.max(initial=0)) + 1
        if size * values > LARGEST:
            total = np.unique(total, return_inverse=True)[1]
            size = int(total.max(initial=0)) + 1
        total, size = total * values + column, size * values
    return np.unique(total, return_inverse=True)[1]
