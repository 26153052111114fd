"""Tables in text files: names of columns, and rows with the lines they stand on."""

from __future__ import annotations

import csv
import itertools
import os
import re
from collections.abc import Iterator
from typing import TextIO

from zoo.data.errors import DataError
from zoo.data.molecules import is_molecule
from zoo.data.reading.layout import (
    SEPARATORS,
    SMILES_FILES,
    SMILES_WORDS,
    find_separator,
    is_header,
    lines_above,
    molecule_column,
)
from zoo.data.reading.row_file import RowFile
from zoo.data.reading.textfile import inspect_text

SAMPLE_LINES = 100
SAMPLE_SIZE = 4_000_000
SMILES_LINE = re.compile(r"(\S+(?:\s+\|[^|]*\|(?=\s|$))?)\s*(.*)", re.DOTALL)
EXCEL_SEPARATOR = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)


class DelimitedFile(RowFile):
    """A CSV-like or SMI file, read row by row.

    pandas cannot tell a short row from empty cells nor say on which line it stands; the csv module can.

    Args:
        path: The file, plain or compressed.
        separator: Between cells; `None` finds it out.
        encoding: Of the text; `None` finds it out.

    Raises:
        DataError: Empty, not text, or no row below the header.
    """

    def __init__(self, path: str | os.PathLike[str], separator: str | None = None, encoding: str | None = None) -> None:
        self.text = inspect_text(path, encoding)
        self.path = self.text.path
        self.notes = [self.text.note] if self.text.note else []
        # A field of a million characters is a quote that was never closed, not a molecule.
        csv.field_size_limit(1_000_000)
        with self.text.open() as file:
            sample = _first_lines(file)
        if not sample:
            raise DataError(f"{self.path} is empty")
        self.skip_lines = 0
        if said := EXCEL_SEPARATOR.match(sample[0]):
            separator, self.skip_lines = separator or said[1], 1
            sample = sample[1:]
        if sample and (above := lines_above(sample)):
            if any(map(str.strip, sample[:above])):
                self.notes.append(f"{self.path.name}: {above} line(s) above the header are not read")
            sample, self.skip_lines = sample[above:], self.skip_lines + above
        self.suffixes = [suffix.lower() for suffix in self.path.suffixes]
        if separator is not None and len(separator) != 1:
            raise DataError(f"separator={separator!r}: give one character, such as ',' or '\\t'")
        self.separator = separator or find_separator(sample, self.suffixes)
        self.columns, self.has_header = self._find_header()

    def _find_header(self) -> tuple[list[str], bool]:
        with self.text.open() as file:
            first = itertools.islice(self._split(itertools.islice(file, self.skip_lines, None)), SAMPLE_LINES)
            rows = [[cell.strip() for cell in row] for _, row in first if any(map(str.strip, row))]
        if not rows:
            raise DataError(f"{self.path} is empty")
        names, below = rows[0], rows[1:]
        if self.separator is None:
            names = (names + [""])[: max(map(len, rows))]
        if self._names_columns(names, below):
            return names, True
        column = molecule_column(below)
        if column is None or column >= len(names):
            column = next((i for i, name in enumerate(names) if is_molecule(name)), 0)
        names = [f"column_{i + 1}" for i in range(len(names))]
        names[column] = "smiles"
        if self.separator is None and len(names) == 2:
            names[1 - column] = "name"
        if self.separator is not None:
            self.notes.append(f"{self.path.name} has no header: columns are called {', '.join(names)}")
        return names, False

    def _names_columns(self, first: list[str], below: list[list[str]]) -> bool:
        """Return whether the first row is a header; that of a SMILES file says so."""
        if self.separator is None and any(suffix in SMILES_FILES for suffix in self.suffixes):
            return any(map(SMILES_WORDS.search, first)) and not is_molecule(first[0])
        return is_header(first, below)

    def _split(self, lines: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Number of the line on which each row starts, and its cells."""
        if self.separator is None:
            for number, line in enumerate(lines, start=1):
                yield number, split_smiles_line(line)
            return
        reader = csv.reader(lines, delimiter=self.separator, strict=True, skipinitialspace=self.separator == " ")
        start = 1
        while True:
            try:
                row = next(reader, None)
            except csv.Error as error:
                raise DataError(
                    f"{self.path}: the row that starts on line {start + self.skip_lines} is broken ({error}): close "
                    "its quotation mark, or double one that stands inside a cell"
                ) from error
            if row is None:
                return
            yield start, row
            start = reader.line_num + 1

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Line number and cells of every row below the header, as many cells as columns.

        Blank lines are not rows, except between the rows of a single column, where one is an empty molecule.

        Raises:
            DataError: A row has more or fewer cells than the header; names the line.
        """
        with self.text.open() as file:
            yield from self._check_rows(file)

    def _check_rows(self, file: TextIO) -> Iterator[tuple[int, list[str]]]:
        width = len(self.columns)
        blank: list[int] = []
        header_pending = self.has_header
        for start, cells in self._split(itertools.islice(file, self.skip_lines, None)):
            line = start + self.skip_lines
            if not any(cell.strip() for cell in cells) and len(cells) < max(width, 2):
                blank.append(line)
                continue
            if header_pending:
                header_pending = False
                blank = []
                continue
            if width == 1 or self.separator is None:
                yield from ((number, [""] * width) for number in blank)
            blank = []
            yield line, self._fit(cells, width, line)

    def _fit(self, cells: list[str], width: int, line: int) -> list[str]:
        if len(cells) == width:
            return cells
        if len(cells) > width and not any(map(str.strip, cells[width:])):
            return cells[:width]
        if self.separator is None:
            return (cells + [""] * width)[:width] if width > 1 else [" ".join(cells)]
        name = SEPARATORS.get(self.separator, repr(self.separator))
        raise DataError(
            f"{self.path}: line {line} has {len(cells)} cell(s) but the header has {width}: complete the row, or put "
            f"cells that contain a {name} in quotation marks"
        )


def split_smiles_line(line: str) -> list[str]:
    """Return the SMILES with its CXSMILES extension, if it has one, and the rest of a line, if there is any.

    Example:
        >>> split_smiles_line("CCO |$a;;$| ethanol, dry"), split_smiles_line("CCO")
        (['CCO |$a;;$|', 'ethanol, dry'], ['CCO'])
    """
    found = SMILES_LINE.match(line.strip())
    return [part for part in found.groups() if part] if found else []


def _first_lines(file: TextIO) -> list[str]:
    """Some lines from the start, fewer where they are long."""
    lines: list[str] = []
    size = 0
    for line in itertools.islice(file, SAMPLE_LINES):
        lines.append(line)
        size += len(line)
        if size > SAMPLE_SIZE:
            break
    return lines
