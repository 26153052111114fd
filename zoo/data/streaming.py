"""`stream`: rows of huge files in chunks, none left out, in bounded memory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from zoo.data.errors import DataError, quote
from zoo.data.labels.columns import find_molecule_columns
from zoo.data.labels.features import FeatureCells, check_feature_columns, feature_cells
from zoo.data.reading.molecule_cells import molecule_texts
from zoo.data.reading.parquet import ParquetCursor, is_parquet, parquet_frames, parquet_types
from zoo.data.reading.row_file import RowFile
from zoo.data.reading.standard_input import from_standard_input
from zoo.data.reading.structures import StructureFile
from zoo.data.reading.table import Table, open_file, table_of_frame
from zoo.data.reading.textfile import open_binary, require_file
from zoo.data.rows import MoleculeRows
from zoo.recipe.inputs import Inputs
from zoo.recipe.options import ReadOptions

SAMPLE_ROWS = 100


@dataclass(frozen=True)
class RowChunk:
    """Some rows of a file.

    Args:
        rows: All their columns, cells as they are in the file (text files: text, unchanged).
        smiles: Their SMILES (n); empty where the cell is.
        start: Number of the first row, from 0.
        features: Numbers next to them, if some were asked for, and what is wrong with cells that are none.
        reasons: Why molecules cannot be read that are known not to be, by place.
        partners: The other molecules of each row, where a row has several: (n) for each further column.
        columns: Names of the columns of molecules, where there are several.
    """

    rows: pd.DataFrame
    smiles: list[str]
    start: int
    features: FeatureCells | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    partners: tuple[list[str], ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def molecules(self) -> MoleculeRows:
        """The rows as learners take them."""
        values, reasons = (None, {}) if self.features is None else self.features
        return MoleculeRows(self.smiles, values, {**reasons, **self.reasons}, self.partners, self.columns)


@dataclass
class RowStream:
    """Stream of the chunks of a source, from the start each time.

    Args:
        label: What messages call the source.
        columns: All of them, in order.
        smiles_column: The one with the molecules.
        chunk_size: Rows at a time.
        source: What is read.
        notes: What was found out in reading.
        feature_columns: Numbers that are read next to the molecules.
        smiles_columns: Columns of molecules, where a row has several.
        sheet: Sheet of a workbook that was named.
    """

    label: str
    columns: list[str]
    smiles_column: str
    chunk_size: int
    source: RowFile | Path | pd.DataFrame = field(repr=False)
    notes: list[str] = field(default_factory=list)
    feature_columns: tuple[str, ...] = ()
    smiles_columns: tuple[str, ...] = ()
    sheet: str | None = None
    _place: tuple[int, Iterator[tuple[int, list[str]]]] | None = field(default=None, repr=False, compare=False)
    _cursor: ParquetCursor | None = field(default=None, repr=False, compare=False)

    def estimate(self) -> int | None:
        """About how many rows there are, without reading them as rows; for progress bars."""
        if isinstance(self.source, pd.DataFrame):
            return len(self.source)
        if isinstance(self.source, StructureFile):
            return self.source.count()
        path = self.source.path if isinstance(self.source, RowFile) else self.source
        if is_parquet(path):
            from pyarrow import parquet

            return parquet.ParquetFile(path).metadata.num_rows
        with open_binary(path) as file:
            return max(sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")) - 1, 0)

    def count(self) -> int:
        """Count the rows; a text file is read for it."""
        if isinstance(self.source, RowFile):
            return self.source.count()
        return self.estimate() or 0

    def types(self) -> dict[str, Any]:
        """Return the Arrow types of the columns of a file; those of a text file are text, if pyarrow is installed."""
        if isinstance(self.source, Path):
            return parquet_types(self.source)
        if isinstance(self.source, pd.DataFrame):
            return {}
        try:
            import pyarrow
        except ImportError:  # then nothing writes Parquet, which alone asks for types
            return {}
        return dict.fromkeys(self.columns, pyarrow.string())

    def __iter__(self) -> Iterator[RowChunk]:
        return self._chunks(_frames(self.source, self.chunk_size), 0)

    def between(self, start: int, stop: int) -> Iterator[RowChunk]:
        """Give the rows from `start` to the one before `stop`.

        Files are read on from the row where the last call stopped, if `start` lies behind it; row groups of Parquet
        that lie between are left out.
        """
        if isinstance(self.source, pd.DataFrame):
            frames = _frames(self.source.iloc[start:stop], self.chunk_size)
        elif isinstance(self.source, RowFile):
            frames = self._text_between(self.source, start, stop)
        else:
            if self._cursor is None:
                self._cursor = ParquetCursor(self.source, self.chunk_size)
            frames = self._cursor.frames(start, stop)
        return self._chunks(frames, start)

    def _text_between(self, source: RowFile, start: int, stop: int) -> Iterator[pd.DataFrame]:
        position, rows = self._place or (0, source.rows())
        if position > start:
            position, rows = 0, source.rows()
        position += sum(1 for _ in islice(rows, start - position))
        while block := list(islice(rows, min(self.chunk_size, stop - position))):
            position += len(block)
            self._place = position, rows
            yield source.frame(block)

    def _chunks(self, frames: Iterator[pd.DataFrame], start: int) -> Iterator[RowChunk]:
        names = self.smiles_columns or (self.smiles_column,)
        for frame in frames:
            found = [molecule_texts(frame.iloc[:, self.columns.index(name)]) for name in names]
            smiles, *partners = (texts for texts, _ in found)
            reasons = {
                place: f"{name}: {why}" if self.smiles_columns else why
                for name, (_, reasons) in reversed([*zip(names, found, strict=True)])
                for place, why in reasons.items()
            }
            yield RowChunk(frame, smiles, start, self._features(frame), reasons, tuple(partners), self.smiles_columns)
            start += len(frame)

    def with_features(self, names: Sequence[str]) -> RowStream:
        """Return the stream with numbers next to the molecules, from these columns.

        Raises:
            DataError: A column is not there, or is there twice.
        """
        missing = [name for name in names if name not in self.columns]
        if missing:
            raise DataError(
                f"{self.label}: no column {quote(missing)}, which the model reads next to the molecules: add it (a "
                f"blank cell gets the mean of the training part). Columns: {quote(self.columns, 30)}"
            )
        check_feature_columns(
            Table(pd.DataFrame(columns=self.columns), self.label), names, (self.smiles_column, *self.smiles_columns)
        )
        return replace(self, feature_columns=tuple(names))

    def _features(self, frame: pd.DataFrame) -> FeatureCells | None:
        if not self.feature_columns:
            return None
        separator = self.source.separator if isinstance(self.source, RowFile) else None
        return feature_cells(Table(frame, self.label, separator=separator), self.feature_columns)


def stream(
    source: str | os.PathLike[str] | pd.DataFrame,
    smiles_column: str | None = None,
    *,
    chunk_size: int = 1000,
    options: ReadOptions | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    inputs: Inputs | None = None,
) -> RowStream:
    """Read rows for prediction, a chunk at a time; no row is left out, whatever its SMILES.

    Args:
        source: A text file (CSV, TSV, SMI, also .gz), an SD or MOL file, a Parquet file, a workbook, or a DataFrame.
        smiles_column: As in `zoo.recipe.ReadOptions`; so are `separator`, `encoding` and `sheet`. A guess is noted.
        chunk_size: Rows at a time, >= 1.
        options: These, `feature_columns` and `smiles_columns` together; the others play no part in prediction.
        separator: Overrides that of the options.
        encoding: Overrides that of the options.
        inputs: Columns of features and of several molecules that a learner reads, in the place of the options'.

    Raises:
        DataError: As for `load`; while iterating, at a row that has more or fewer cells than the header.

    Example:
        >>> rows = stream(pd.DataFrame({"id": [7, 8], "smiles": ["CCO", "bad"]}))
        >>> [chunk.smiles for chunk in rows]
        [['CCO', 'bad']]
    """
    if chunk_size < 1:
        raise DataError(f"chunk_size={chunk_size}: give a positive number")
    given, inputs = options or ReadOptions(), inputs or Inputs()
    own: dict[str, Any] = {"smiles_column": smiles_column, "separator": separator, "encoding": encoding}
    given = replace(given, **{name: value for name, value in own.items() if value is not None})
    notes: list[str] = []
    opened: RowFile | Path | pd.DataFrame | Table
    if isinstance(source, pd.DataFrame):
        opened, label = table_of_frame(source), "DataFrame"
    else:
        path = require_file(from_standard_input(source))
        opened, label = open_file(path, given), str(path)
    if isinstance(opened, Table):
        opened, notes = opened.frame, list(opened.notes)
    elif isinstance(opened, RowFile):
        notes = list(opened.notes)
    head = next(_frames(opened, SAMPLE_ROWS), None)
    if head is None:
        raise DataError(f"{label} has a header but no rows: nothing to read")
    table = Table(head, label, notes=notes, molecules=opened.molecules if isinstance(opened, RowFile) else None)
    columns = find_molecule_columns(table, given.smiles_column, inputs.molecules or given.smiles_columns)
    rows = RowStream(label, list(head.columns), columns[0], chunk_size, opened, table.notes, sheet=given.sheet)
    rows = replace(rows, smiles_columns=tuple(columns) if len(columns) > 1 else ())
    return rows.with_features(inputs.features or given.feature_columns or ())


def _frames(source: RowFile | Path | pd.DataFrame, size: int) -> Iterator[pd.DataFrame]:
    if isinstance(source, RowFile):
        yield from (frame for frame, _ in source.chunks(size))
    elif isinstance(source, pd.DataFrame):
        yield from (source.iloc[start : start + size] for start in range(0, len(source), size))
    else:
        yield from parquet_frames(source, size)
