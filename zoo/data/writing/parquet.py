"""Parquet output of `RowWriter`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from zoo.data.errors import DataError


def named_parquet(path: Path) -> bool:
    """Whether a file of this name is to be Parquet."""
    return path.suffix.lower() in (".parquet", ".pq")


class ParquetRows:
    """Appends frames to a Parquet file; the types of the first frame are those of the file.

    Args:
        path: The file, which is replaced.

    Raises:
        DataError: pyarrow is not installed, or a later frame does not have the first one's types.
    """

    def __init__(self, path: Path) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise DataError(f"{path}: Parquet needs pyarrow: pip install pyarrow") from error
        self.path, self.arrow, self.parquet = path, pyarrow, parquet
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append some rows."""
        schema = None if self._writer is None else self._writer.schema
        try:
            table = self.arrow.Table.from_pandas(frame, schema=schema, preserve_index=False)
        except self.arrow.ArrowException as error:
            raise DataError(f"{self.path}: {error}: write CSV instead, which has no column types") from error
        table = table.replace_schema_metadata(None)  # pandas cannot read all of the types that it would note there
        if self._writer is None:
            self._writer = self.parquet.ParquetWriter(self.path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()
