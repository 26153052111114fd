"""Parquet files as frames, whole or a few rows at a time; a pandas index that has a name is a column like others."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from zoo.data.errors import DataError

PARQUET = (".parquet", ".pq")
NAMELESS_INDEX = re.compile(r"__index_level_\d+__")


def is_parquet(path: Path) -> bool:
    """Whether name or first bytes say Parquet."""
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
        raise _damaged(path) from error


def parquet_frames(path: Path, size: int) -> Iterator[pd.DataFrame]:
    """Frames of at most `size` rows, of Arrow's types: a whole number stays one beside a missing cell.

    Raises:
        DataError: The file is damaged, or pyarrow is not installed.
    """
    try:
        from pyarrow import ArrowException, Table, parquet
    except ImportError as error:
        raise _no_pyarrow(path) from error
    try:
        for batch in parquet.ParquetFile(path).iter_batches(batch_size=size):
            columns = [name for name in batch.schema.names if not NAMELESS_INDEX.fullmatch(name)]
            table = Table.from_batches([batch]).select(columns).replace_schema_metadata(None)
            yield table.to_pandas(types_mapper=pd.ArrowDtype)
    except (ArrowException, OSError) as error:
        raise _damaged(path) from error


def _no_pyarrow(path: Path) -> DataError:
    return DataError(f"{path}: Parquet needs pyarrow: pip install pyarrow")


def _damaged(path: Path) -> DataError:
    return DataError(f"{path}: not a Parquet file, or a damaged one: get it again, or save it as CSV")
