"""Pieces of a file become rows of its output, with what was predicted added."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from zoo import data
from zoo.inference.job import Job, Piece
from zoo.inference.tally import Tally

if TYPE_CHECKING:
    import pandas as pd
    from tqdm.auto import tqdm


class PieceWriter:
    """Writer of predicted pieces to one file, which appears when the block ends without an error.

    Args:
        path: CSV, TSV or Parquet.
        rows: The input.
        job: What was done to its rows.
        tally: Counts them.
        bar: Shows them.
    """

    def __init__(self, path: Path, rows: data.RowStream, job: Job, tally: Tally, bar: tqdm) -> None:
        self.path, self.rows, self.job, self.tally, self.bar = path, rows, job, tally, bar
        self.names: list[str] = []
        self._writer: data.RowWriter | None = None
        self._stack = ExitStack()

    def __enter__(self) -> PieceWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.__exit__(*error)  # type: ignore[arg-type]

    def write(self, piece: Piece, cells: pd.DataFrame, table: pd.DataFrame) -> None:
        """Write the rows of a piece (n), each as often as the index of its table has it."""
        if self._writer is None:
            self.names = list(table.columns)
            writer = data.RowWriter(self.path, self.rows.columns, self.names, types=self.rows.types())
            self._writer = self._stack.enter_context(writer)
        self._writer.write(cells.iloc[table.index], [table[name].to_numpy() for name in self.names])
        self.tally.add(self.job.reasons(table, len(cells)), piece.molecules)
        self.bar.update(len(cells))
