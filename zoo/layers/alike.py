"""Rows that look alike: atoms or directed bonds with equal features and equal surroundings, found exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import Tensor

from featurizers.packed import ranges
from zoo.layers.row_sums import RowSums

LARGEST = 2**62
"""Products of numbers of kinds stay below this, so that they fit into 64 bits."""


@dataclass(frozen=True)
class Alike:
    """Classes of n rows that look alike, and one row of each.

    Args:
        chosen: The first row of each class (R,), int64, in increasing order; more rows may follow to fill them up.
        classes: The class of each row (n,), int64, from 0 to R - 1.
    """

    chosen: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, multiple: int = 1) -> Alike:
        """Classes of rows with equal numbers (n,), of which there are as many as the largest says.

        Args:
            numbers: From 0 on, without gaps.
            multiple: Repeat row 0 until the chosen rows are a multiple of this.

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
        return cls(np.pad(first[order], (0, -len(first) % multiple)), places[numbers])

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

    def sums_into(self, after: Alike, sums: RowSums) -> RowSums:
        """Sums over these rows for those of `after`, given the sums of all (n) rows."""
        terms, starts, counts = terms_of(sums)
        counts = counts[after.chosen]
        taken = self.classes[terms[ranges(starts[after.chosen], counts)]]
        begins = counts.cumsum() - counts
        return RowSums(torch.from_numpy(taken), torch.from_numpy(begins), rows=len(self.chosen))


def terms_of(sums: RowSums) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Terms of all sums (M,), where those of each begin (n,), and how many each has (n,)."""
    terms, starts = sums.terms.numpy(), sums.starts.numpy()
    return terms, starts, np.diff(starts, append=len(terms))


def number_rows(feats: Tensor) -> np.ndarray:
    """Number rows of features (n, F) from 0 on, equal rows alike (n,).

    Rows are told apart by a random projection, then compared with the first that has the same: should two differ all
    the same, every row gets a number of its own.

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


def number_surroundings(kinds: np.ndarray, others: np.ndarray, sums: RowSums) -> np.ndarray:
    """Number rows from 0 on (n,), alike where their own kinds are and those of their neighbours, in any order.

    Args:
        kinds: Kind of each row (n,), from 0 on.
        others: Kinds of what is summed, from 0 on: `kinds` where that is rows of the same sort.
        sums: Says which neighbours a row has.

    Example:
        >>> path = RowSums(torch.tensor([1, 0, 2, 1]), torch.tensor([0, 1, 3]))
        >>> kinds = np.array([0, 0, 0])
        >>> number_surroundings(kinds, kinds, path).tolist()
        [0, 1, 0]
    """
    terms, starts, counts = terms_of(sums)
    around = np.zeros((len(kinds), counts.max(initial=0)), dtype=np.int64)
    rows = np.arange(len(kinds)).repeat(counts)
    around[rows, np.arange(len(terms)) - starts.repeat(counts)] = others[terms] + 1
    around.sort(axis=1)
    return number_columns([kinds, *around.T])


def number_columns(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Number rows from 0 on (n,), alike where all columns (n,) of numbers from 0 on are."""
    total, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        values = int(column.max(initial=0)) + 1
        if size * values > LARGEST:
            total = np.unique(total, return_inverse=True)[1]
            size = int(total.max(initial=0)) + 1
        total, size = total * values + column, size * values
    return np.unique(total, return_inverse=True)[1]
