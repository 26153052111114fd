"""`RowFile`: a file that is read row by row, in bounded memory."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd


class RowFile(ABC):
    """Base class of files that are read row by row; all cells are text.

    Attributes:
        path: The file.
        columns: Names of the columns.
        notes: What was found out in reading.
        separator: Between cells, or `None`.
        molecules: Column that holds the molecules by the kind of file, or `None`.
    """

    path: Path
    columns: list[str]
    notes: list[str]
    separator: str | None = None
    molecules: str | None = None

    @abstractmethod
    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of every row, as many cells as columns."""

    def count(self) -> int:
        """Number of rows; the file is read for it."""
        return sum(1 for _ in self.rows())

    def chunks(self, size: int) -> Iterator[tuple[pd.DataFrame, np.ndarray]]:
        """Frames of at most `size` rows (all cells text) and the lines of their rows."""
        rows = self.rows()
        while block := list(itertools.islice(rows, size)):
            yield self.frame(block), np.array([line for line, _ in block], dtype=np.int64)

    def frame(self, rows: Sequence[tuple[int, list[str]]]) -> pd.DataFrame:
        """Return rows as a frame whose cells are text."""
        return pd.DataFrame([cells for _, cells in rows], columns=self.columns, dtype=object)
