"""`Table`: the cells of a source before its columns have a meaning, and names of its rows for messages."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from zoo.data.errors import DataError, unknown_column
from zoo.data.reading.delimited import DelimitedFile
from zoo.data.reading.formats import find_reader
from zoo.data.reading.parquet import is_parquet, read_parquet
from zoo.data.reading.row_file import RowFile
from zoo.data.reading.textfile import require_file
from zoo.recipe.options import ReadOptions


@dataclass
class Table:
    """Rows and columns of a source.

    Args:
        frame: Index 0 ... n - 1, column names text; cells are text (files) or typed values (frames, Parquet).
        label: What messages call the source.
        lines: Line of each row in a text file (n,), or `None`.
        separator: Between the cells of a text file, or `None`.
        notes: What was found out in reading.
        molecules: Column that holds the molecules by the kind of source, or `None`.
    """

    frame: pd.DataFrame
    label: str
    lines: np.ndarray | None = None
    separator: str | None = None
    notes: list[str] = field(default_factory=list)
    molecules: str | None = None

    def where(self, row: int) -> str:
        """Name a row for messages: the line of a file as an editor counts it, else the row from 0."""
        return f"row {row}" if self.lines is None else f"line {self.lines[row]}"

    def column(self, name: str) -> pd.Series:
        """The column of this name.

        Raises:
            DataError: There is none (lists those that are there), or more than one.
        """
        try:
            place = self.frame.columns.get_loc(name)
        except KeyError:
            raise unknown_column(self.label, name, list(self.frame.columns)) from None
        if not isinstance(place, int):
            count = int(np.sum(self.frame.columns == name))
            raise DataError(f"{self.label}: {count} columns are called {name!r}: rename all but one")
        return self.frame.iloc[:, place]

    def is_unique(self, name: str) -> bool:
        """Return whether exactly one column has this name."""
        return name in self.frame.columns and isinstance(self.frame.columns.get_loc(name), int)


def open_file(path: str | os.PathLike[str], options: ReadOptions | None = None) -> RowFile | Path | Table:
    """Open a file: text and structures row by row, Parquet as its path, other formats at once.

    Args:
        path: CSV, TSV, SMI, SDF, MOL (also gzip, bzip2, xz), Parquet, XLSX, or one of a registered format.
        options: `separator` and `encoding` of text, `sheet` of a workbook; `None` finds them out.

    Raises:
        DataError: Missing, empty, damaged or another kind of file; one line says which and where.
    """
    file, options = require_file(path), options or ReadOptions()
    if is_parquet(file):
        return file
    reader = find_reader(file, options)
    if reader is None:
        return DelimitedFile(file, options.separator, options.encoding)
    found = reader(file)
    return table_of_frame(found, str(file)) if isinstance(found, pd.DataFrame) else found


def read_table(path: str | os.PathLike[str], options: ReadOptions | None = None) -> Table:
    """Read a complete file; arguments and errors are those of `open_file`."""
    source = open_file(path, options)
    if isinstance(source, Table):
        return source
    if isinstance(source, Path):
        return table_of_frame(read_parquet(source), str(source))
    blocks = list(source.chunks(100_000))
    if not blocks:
        raise DataError(f"{source.path} has a header but no rows: nothing to read")
    frame = pd.concat([block for block, _ in blocks], ignore_index=True)
    lines = np.concatenate([lines for _, lines in blocks])
    return Table(frame, str(source.path), lines, source.separator, source.notes, source.molecules)


def table_of_frame(frame: pd.DataFrame, label: str = "DataFrame") -> Table:
    """A DataFrame as a table, with an index of text that has a name as its first column; it is not changed.

    Raises:
        DataError: It has no rows or no columns.
    """
    texts = [
        level
        for level, name in enumerate(frame.index.names)
        if not (name is None or name in frame.columns or is_numeric_dtype(frame.index.get_level_values(level)))
    ]
    if texts:
        frame = frame.reset_index(level=texts)
    if frame.empty:
        raise DataError(f"{label} has {len(frame)} rows and {frame.shape[1]} columns: nothing to read")
    copy = frame.reset_index(drop=True)
    copy.columns = pd.Index([str(name) for name in frame.columns], dtype=object)
    return Table(copy, label)


def table_of_lists(smiles: Sequence[Any], targets: Any = None, tasks: Sequence[str] | None = None) -> Table:
    """SMILES, and their labels if there are any, as a table.

    Args:
        smiles: n molecules.
        targets: Labels (n,) or (n, T); a mapping of task name to (n,); `None` without labels.
        tasks: Names of the tasks (T).

    Raises:
        DataError: Lengths do not fit.
    """
    molecules = list(smiles)
    if not molecules:
        raise DataError("the list of SMILES is empty")
    frame = pd.DataFrame({"smiles": pd.Series(molecules, dtype=object)})
    if targets is None:
        return Table(frame, "list")
    if isinstance(targets, (Mapping, pd.DataFrame)):
        columns = {str(name): list(values) for name, values in targets.items()}
    else:
        columns = _columns_of_array(targets, tasks)
    for name, values in columns.items():
        if len(values) != len(molecules):
            raise DataError(f"{len(molecules)} SMILES but {len(values)} targets ({name!r}): give one for each")
    labels = pd.DataFrame({name: pd.Series(values).infer_objects() for name, values in columns.items()})
    return Table(pd.concat([frame, labels], axis=1), "list")


def _columns_of_array(targets: Any, tasks: Sequence[str] | None) -> dict[str, list[Any]]:
    if not isinstance(targets, Iterable):
        raise DataError(f"targets are {targets!r}: give one for each SMILES")
    try:
        array = np.array([list(t) if isinstance(t, (list, tuple)) else t for t in targets], dtype=object)
    except ValueError as error:
        raise DataError("targets have rows of different lengths: give a rectangular array (n, T)") from error
    if array.ndim == 1 and any(isinstance(row, list) for row in array):
        raise DataError("targets have rows of different lengths: give a rectangular array (n, T)")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2:
        raise DataError(f"targets have shape {array.shape}: give (n,) or (n, T)")
    names = (
        list(tasks)
        if tasks is not None
        else [f"target_{t}" if array.shape[1] > 1 else "target" for t in range(array.shape[1])]
    )
    if len(names) != array.shape[1]:
        raise DataError(f"{len(names)} task names for {array.shape[1]} columns of targets: give one for each")
    return {name: list(array[:, t]) for t, name in enumerate(names)}
