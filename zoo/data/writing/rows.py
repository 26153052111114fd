"""`RowWriter`: a file's rows as they were, in their order, with columns added."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import os
import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO, cast

import numpy as np
import pandas as pd

from zoo.data.errors import DataError
from zoo.data.writing.parquet import ParquetRows, has_parquet_name

SEPARATORS = {".csv": ",", ".txt": ",", ".tsv": "\t", ".tab": "\t"}
UNFINISHED = re.compile(r"\.[0-9a-f]{32}\.part")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


class RowWriter:
    """Writer of rows with added columns as CSV, TSV or Parquet; the file appears when it is complete, or not at all.

    Args:
        target: A path (`.csv` or `.tsv`, also with `.gz`; `.parquet`), or an open text stream such as `sys.stdout`.
        columns: Columns of the rows.
        added: Names of the columns to add; one that is taken already gets `_predicted` behind it.
        types: Arrow types of the columns that are known beforehand; for Parquet only.
        guard_formulas: Write an apostrophe before text that spreadsheets would run as a formula: cells and column names
            that begin with `=`, `+`, `-`, `@`, a tab or a carriage return and are not numbers. Off by default, so that
            cells stay what they were; Parquet needs none.

    Raises:
        DataError: Another kind of file, or it cannot be written.

    Example:
        >>> import sys
        >>> with RowWriter(sys.stdout, ["id"], ["score"]) as writer:
        ...     writer.write(pd.DataFrame({"id": ["a", "b"]}), [[0.25, float("nan")]])
        id,score
        a,0.25
        b,
    """

    def __init__(
        self,
        target: str | os.PathLike[str] | TextIO,
        columns: Sequence[str],
        added: Sequence[str],
        *,
        types: Mapping[str, Any] | None = None,
        guard_formulas: bool = False,
    ) -> None:
        self._as_text = _guard_formula if guard_formulas else _to_text
        self.columns = list(columns)
        self.added: list[str] = []
        for name in added:
            self.added.append(free_name(name, [*self.columns, *self.added]))
        self.path: Path | None = None
        self._parquet: ParquetRows | None = None
        self._file: TextIO
        if isinstance(target, (str, os.PathLike)):
            self.path = Path(target).expanduser()
            self.check(self.path, self.columns)
            self._unfinished = self.path.with_name(f"{self.path.name}.{uuid.uuid4().hex}.part")
            self._parquet = ParquetRows(self._unfinished, types) if has_parquet_name(self.path) else None
            if self._parquet is not None:
                return
            self._file = self._open(self.path)
        else:
            self._file = target
        self._writer = csv.writer(self._file, delimiter=self._separator(), lineterminator="\n")
        # The csv module takes no notice of a carriage return that is not its line end.
        self._quoting = csv.writer(self._file, delimiter=self._separator(), lineterminator="\n", quoting=csv.QUOTE_ALL)

    def _separator(self) -> str:
        if self.path is None:
            return ","
        return SEPARATORS[Path(self.path.name.removesuffix(".gz")).suffix.lower()]

    @staticmethod
    def check(path: str | os.PathLike[str], columns: Sequence[str] = ()) -> None:
        """Raise a `DataError` unless such a file can be written, so that nobody learns it after hours."""
        path = Path(path).expanduser()
        if not has_parquet_name(path) and Path(path.name.removesuffix(".gz")).suffix.lower() not in SEPARATORS:
            raise DataError(
                f"{path}: predictions are written as .csv, .tsv (or .csv.gz, .tsv.gz) or .parquet: choose such a name"
            )
        if not path.parent.is_dir():
            raise DataError(f"{path} cannot be written (there is no folder {path.parent}): choose another place")
        if path.is_dir() or not os.access(path.parent, os.W_OK):
            why = "it is a folder" if path.is_dir() else f"no permission to write in {path.parent}"
            raise DataError(f"{path} cannot be written ({why}): choose another place")
        repeated = [name for i, name in enumerate(columns) if name in columns[:i]]
        if has_parquet_name(path) and repeated:
            raise DataError(f"{path}: Parquet takes no two columns of one name ({repeated[0]!r}): write CSV instead")

    def _open(self, path: Path) -> TextIO:
        try:
            if path.suffix == ".gz":
                return io.TextIOWrapper(cast(Any, gzip.open(self._unfinished, "wb")), encoding="utf-8", newline="")
            return self._unfinished.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise DataError(f"{path} cannot be written ({error.strerror}): choose another place") from error

    def __enter__(self) -> RowWriter:
        if self._parquet is not None:
            return self
        self._writer.writerow(map(self._as_text, [*self.columns, *self.added]))
        return self

    def write(self, rows: pd.DataFrame, values: Sequence[Sequence[Any] | np.ndarray]) -> None:
        """Write some rows.

        Args:
            rows: n rows with all `columns`; cells are written as they are.
            values: One sequence (n) for each added column; NaN and `None` are left empty.

        Raises:
            DataError: Lengths do not fit.
        """
        sizes = {len(rows), *(len(column) for column in values)}
        if len(values) != len(self.added) or len(sizes) > 1 or rows.shape[1] != len(self.columns):
            raise DataError(
                f"{len(rows)} rows of {rows.shape[1]} columns with {len(values)} added ones of sizes {sorted(sizes)}: "
                f"give {len(self.columns)} columns and {len(self.added)} added ones of equal size"
            )
        try:
            self._append(rows, values)
        except OSError as error:
            raise self._full(error) from error

    def _append(self, rows: pd.DataFrame, values: Sequence[Sequence[Any] | np.ndarray]) -> None:
        if self._parquet is not None:
            added = pd.DataFrame(dict(zip(self.added, values, strict=True)))
            self._parquet.write(pd.concat([rows.reset_index(drop=True), added], axis=1))
            return
        for cells, more in zip(rows.itertuples(index=False, name=None), zip(*values, strict=True), strict=True):
            texts = [*map(self._as_text, cells), *map(_format_value, more)]
            (self._quoting if any("\r" in text for text in texts) else self._writer).writerow(texts)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.path is None:
            self._file.flush()
            return
        try:
            (self._file if self._parquet is None else self._parquet).close()
            if kind is None:
                with self._unfinished.open("rb+") as file:
                    os.fsync(file.fileno())
                os.replace(self._unfinished, self.path)
        except OSError as failure:
            if kind is None:
                raise self._full(failure) from failure
        finally:
            self._unfinished.unlink(missing_ok=True)

    def _full(self, error: OSError) -> OSError | DataError:
        """Return the error to raise where writing failed; a closed pipe stays one."""
        if self.path is None:
            return error
        return DataError(
            f"{self.path} cannot be written ({error.strerror or error}): make room, or choose another place"
        )

    @staticmethod
    def remove_leftovers(path: Path) -> None:
        """Remove what writers of this file have left that were killed; nobody else may be writing it."""
        for leftover in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
            if UNFINISHED.fullmatch(leftover.name[len(path.name) :]):
                leftover.unlink(missing_ok=True)


def free_name(name: str, taken: Collection[str]) -> str:
    """A name for an added column: the wanted one, or one with `_predicted` behind it where that is taken.

    Example:
        >>> free_name("predicted_y", ["smiles", "predicted_y"])
        'predicted_y_predicted'
    """
    if name not in taken:
        return name
    candidates = [f"{name}_predicted", *(f"{name}_predicted_{i}" for i in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _is_missing(cell: Any) -> bool:
    return cell is None or cell is pd.NA or (isinstance(cell, (float, np.floating)) and bool(np.isnan(cell)))


def _to_text(cell: Any) -> str:
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace")
    return "" if _is_missing(cell) else str(cell)


def _guard_formula(cell: Any) -> str:
    """Guard a cell against spreadsheets: text that begins a formula gets an apostrophe, numbers stay."""
    text = _to_text(cell)
    if not text.startswith(FORMULA_STARTS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _format_value(value: Any) -> str:
    """Format a prediction with six digits, the precision of float32."""
    if _is_missing(value):
        return ""
    return f"{value:.6g}" if isinstance(value, (float, np.floating)) else str(value)
