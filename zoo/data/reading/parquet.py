"""Parquet files as frames, complete or a few rows at a time; a pandas index that has a name is a column like others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.errors import DataError

PARQUET = (".parquet", ".pq")
NAMELESS_INDEX = re.compile(r"__index_level_\d+__")


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet by its name or its first bytes."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1" or path.suffix.lower() in PARQUET


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        DataError: It is damaged, or pyarrow is not installed.
    """
    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise _no_pyarrow(path) from error
    except (OSError, ValueError) as error:
        raise _damage_error(path) from error


class ParquetCursor:
    """Place in a Parquet file from which rows are read on.

    A row group whose rows are asked for one after another is decoded once, not once for each call. Columns have Arrow's
    types, so that a whole number stays one next to a missing cell.

    Args:
        path: The file.
        size: Most rows of a frame.

    Raises:
        DataError: The file is damaged, or pyarrow is not installed.
    """

    def __init__(self, path: Path, size: int) -> None:
        try:
            from pyarrow import parquet
        except ImportError as error:
            raise _no_pyarrow(path) from error
        self.path, self.size = path, size
        with _naming_damage(path):
            self._file = parquet.ParquetFile(path)
        groups = (self._file.metadata.row_group(number) for number in range(self._file.metadata.num_row_groups))
        self._ends = np.cumsum([group.num_rows for group in groups], dtype=np.int64)
        self.rows = self._file.metadata.num_rows
        self._position = self.rows  # of the next row
        self._batches: Iterator[Any] = iter(())
        self._ahead: Any = None  # what has been decoded and not given

    def frames(self, start: int = 0, stop: int | None = None) -> Iterator[pd.DataFrame]:
        """Give the rows from `start` to the one before `stop`; `None` reads to the end."""
        stop = self.rows if stop is None else min(stop, self.rows)
        for first in range(start, stop, self.size):
            with _naming_damage(self.path):
                self._go_to(first)
                frame = self._frame(min(first + self.size, stop))
            yield frame

    def _go_to(self, row: int) -> None:
        group = int(np.searchsorted(self._ends, row, side="right"))
        first = int(self._ends[group - 1]) if group else 0
        if row < self._position or first > self._position:  # back, or over row groups that nobody needs
            self._batches = self._file.iter_batches(self.size, row_groups=list(range(group, len(self._ends))))
            self._position, self._ahead = first, None
        while self._position < row:
            self._take(row - self._position)

    def _frame(self, stop: int) -> pd.DataFrame:
        from pyarrow import Table

        batches = []
        while self._position < stop:
            batches.append(self._take(stop - self._position))
        return frame_of(Table.from_batches(batches))

    def _take(self, rows: int) -> Any:
        """Return at least one and at most `rows` of the next rows."""
        while not self._ahead:
            self._ahead = next(self._batches, None)
            if self._ahead is None:
                raise EOFError(f"it ends before row {self._position}")
        taken, self._ahead = self._ahead.slice(0, rows), self._ahead.slice(rows)
        self._position += len(taken)
        return taken


def parquet_frames(path: Path, size: int) -> Iterator[pd.DataFrame]:
    """Give all rows of a file as frames of at most `size`; see `ParquetCursor`."""
    yield from ParquetCursor(path, size).frames()


def frame_of(table: Any) -> pd.DataFrame:
    """Return an Arrow table as a frame of Arrow's types, without an index of pandas that has no name."""
    columns = [name for name in table.column_names if not NAMELESS_INDEX.fullmatch(name)]
    return table.select(columns).replace_schema_metadata(None).to_pandas(types_mapper=pd.ArrowDtype)


def parquet_types(path: Path) -> dict[str, Any]:
    """Return the Arrow type of each column."""
    from pyarrow import parquet

    schema = parquet.read_schema(path)
    return {field.name: field.type for field in schema if not NAMELESS_INDEX.fullmatch(field.name)}


def _no_pyarrow(path: Path) -> DataError:
    return DataError(f"{path}: Parquet needs pyarrow: pip install pyarrow")


@contextmanager
def _naming_damage(path: Path) -> Iterator[None]:
    """Name the file in the error of the block if it is damaged."""
    from pyarrow import ArrowException

    try:
        yield
    except (ArrowException, OSError, EOFError) as error:
        raise _damage_error(path) from error


def _damage_error(path: Path) -> DataError:
    return DataError(f"{path}: not a Parquet file, or a damaged one: get it again, or save it as CSV")
