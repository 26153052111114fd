"""Parquet files as frames, complete or a few rows at a time; a pandas index that has a name is a column like others."""

from __future__ import annotations

import re
from collections.abc import Iterator
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


def parquet_frames(path: Path, size: int, start: int = 0, stop: int | None = None) -> Iterator[pd.DataFrame]:
    """Frames of at most `size` rows, of Arrow's types: a whole number stays one next to a missing cell.

    Args:
        path: The file.
        size: Most rows of a frame.
        start: First row; row groups before it are not read.
        stop: Row behind the last one; `None` reads to the end.

    Raises:
        DataError: The file is damaged, or pyarrow is not installed.
    """
    try:
        from pyarrow import ArrowException, Table, parquet
    except ImportError as error:
        raise _no_pyarrow(path) from error
    try:
        file = parquet.ParquetFile(path)
        groups, position = _row_groups(file.metadata, start, stop)
        for batch in file.iter_batches(batch_size=size, row_groups=groups):
            first, last = max(start - position, 0), len(batch) if stop is None else min(len(batch), stop - position)
            position += len(batch)
            if first < last:
                columns = [name for name in batch.schema.names if not NAMELESS_INDEX.fullmatch(name)]
                table = Table.from_batches([batch.slice(first, last - first)]).select(columns)
                yield table.replace_schema_metadata(None).to_pandas(types_mapper=pd.ArrowDtype)
    except (ArrowException, OSError) as error:
        raise _damage_error(path) from error


def _row_groups(metadata: Any, start: int, stop: int | None) -> tuple[list[int], int]:
    """Return the row groups that hold rows from `start` to `stop`, and the number of the first row in them."""
    ends = np.cumsum([metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)])
    first = int(np.searchsorted(ends, start, side="right"))
    last = len(ends) if stop is None else int(np.searchsorted(ends, stop, side="left")) + 1
    return list(range(first, min(last, len(ends)))), int(ends[first - 1]) if first else 0


def parquet_types(path: Path) -> dict[str, Any]:
    """Return the Arrow type of each column."""
    from pyarrow import parquet

    schema = parquet.read_schema(path)
    return {field.name: field.type for field in schema if not NAMELESS_INDEX.fullmatch(field.name)}


def _no_pyarrow(path: Path) -> DataError:
    return DataError(f"{path}: Parquet needs pyarrow: pip install pyarrow")


def _damage_error(path: Path) -> DataError:
    return DataError(f"{path}: not a Parquet file, or a damaged one: get it again, or save it as CSV")
