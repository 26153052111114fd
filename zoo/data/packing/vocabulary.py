"""Rows of a store that repeat: each different row is written once, and its number wherever it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

CODED = ("atoms", "bonds")
"""Arrays of a store whose rows are of few kinds."""
TABLE = ".table"
"""What follows the name of an array in that of its different rows."""
MOST_IN_16_BITS = 1 << 16


class Vocabulary:
    """Different rows of integers, in the order in which they were met.

    Example:
        >>> words = Vocabulary()
        >>> words.number(np.array([[7, 7], [1, 2], [7, 7]])).tolist(), words.table().tolist()
        ([1, 0, 1], [[1, 2], [7, 7]])
    """

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._like = np.empty((0, 0), np.uint8)

    def __len__(self) -> int:
        return len(self._numbers)

    @staticmethod
    def pays_for(rows: np.ndarray) -> bool:
        """Return whether these rows (n, C) are integers, and longer than their numbers."""
        return rows.ndim == 2 and rows.dtype.kind in "iu" and rows.shape[1] * rows.itemsize > 2

    def number(self, rows: np.ndarray) -> np.ndarray:
        """Return the numbers (n,) of rows (n, C), uint16 as long as these reach.

        Raises:
            TypeError: Rows of another type or width than before.
        """
        rows = np.ascontiguousarray(rows)
        self._like = self._like if len(self) else rows[:0]
        if (rows.dtype, rows.shape[1:]) != (self._like.dtype, self._like.shape[1:]):
            raise TypeError(
                f"a featurizer must give arrays of one type and width: {self._like.dtype}{self._like.shape[1:]} "
                f"before, now {rows.dtype}{rows.shape[1:]}"
            )
        whole = rows.view(np.dtype((np.void, rows.shape[1] * rows.itemsize))).ravel()
        different, places = np.unique(whole, return_inverse=True)
        numbers = [self._numbers.setdefault(row.tobytes(), len(self._numbers)) for row in different]
        return np.array(numbers, np.uint16 if len(self) <= MOST_IN_16_BITS else np.uint32)[places]

    def table(self) -> np.ndarray:
        """Return the different rows (K, C)."""
        rows = np.frombuffer(b"".join(self._numbers), self._like.dtype)
        return rows.reshape(len(self), self._like.shape[1])


class CodedRows:
    """Rows (n, C) as numbers of the rows of a table; NumPy takes them for an array.

    Args:
        numbers: (n,), mapped or not.
        table: The different rows (K, C).
    """

    def __init__(self, numbers: np.ndarray, table: np.ndarray) -> None:
        self.numbers, self.table = numbers, table
        self.dtype, self.flags = table.dtype, numbers.flags
        self.shape = (len(numbers), *table.shape[1:])
        self.size, self.ndim, self.base = int(np.prod(self.shape)), table.ndim, numbers.base
        self.nbytes = numbers.nbytes + table.nbytes

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, place: Any) -> np.ndarray:
        rows, *columns = place if isinstance(place, tuple) else (place,)
        found, of_columns = self.table[self.numbers[rows]], (..., *columns)
        return found[of_columns] if columns else found

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        rows = self.table.take(self.numbers, axis=0)
        return rows if dtype is None else rows.astype(dtype, copy=False)

    def take(self, rows: np.ndarray | Sequence[int], axis: int = 0) -> np.ndarray:
        """Return the rows at these places, as `numpy.ndarray.take` does."""
        return self.table.take(self.numbers.take(rows), axis=axis)
