"""Parquet output of `RowWriter`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.data.errors import DataError


def has_parquet_name(path: Path) -> bool:
    """Return whether a file of this name is to be Parquet."""
    return path.suffix.lower() in (".parquet", ".pq")


class ParquetRows:
    """Writer of frames to a Parquet file; the types of the first frame are those of the file.

    Args:
        path: The file, which is replaced.
        types: Types of columns that are known beforehand, so that a first frame without values does not mislead.

    Raises:
        DataError: pyarrow is not installed, or a later frame does not have the first one's types.
    """

    def __init__(self, path: Path, types: Mapping[str, Any] | None = None) -> None:
        try:
            import pyarrow
            from pyarrow import parquet
        except ImportError as error:
            raise DataError(f"{path}: Parquet needs pyarrow: pip install pyarrow") from error
        self.path, self.arrow, self.parquet = path, pyarrow, parquet
        self._types = dict(types or {})
        self._writer: Any = None

    def write(self, frame: pd.DataFrame) -> None:
        """Append some rows."""
        try:
            schema = schema_of(frame, self._types) if self._writer is None else self._writer.schema
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


def schema_of(frame: pd.DataFrame, types: Mapping[str, Any]) -> Any:
    """Return the Arrow schema of a frame; a column that has no values, and whose type is not known, is text.

    Args:
        frame: Some rows.
        types: Types that are known beforehand.
    """
    import pyarrow

    found = pyarrow.Schema.from_pandas(frame, preserve_index=False)
    texts = [field.with_type(pyarrow.string()) if pyarrow.types.is_null(field.type) else field for field in found]
    return pyarrow.schema([field.with_type(types.get(field.name, field.type)) for field in texts])
