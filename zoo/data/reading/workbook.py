"""Excel workbooks (.xlsx) as tables: the values of one sheet, formulas as they were last computed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.errors import DataError, quote
from zoo.data.reading.limits import FREE_OF_RATIO, LARGEST_RATIO
from zoo.data.reading.table import Table

MOST_CELLS, MOST_COLUMNS = 50_000_000, 16_384
LARGEST = 2_000_000_000


def read_workbook(path: Path, sheet: str | None = None) -> Table:
    """Read a sheet of a workbook; its first row that is not blank has the names of the columns.

    Links to other files are not followed, macros not run.

    Args:
        path: The file.
        sheet: Name of the sheet; `None` takes the first one, and notes the others.

    Raises:
        DataError: Damaged, far too large, without such a sheet, without rows, or openpyxl is not installed.
    """
    check_archive(path)
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise DataError(f"{path}: Excel workbooks need openpyxl: pip install molzoo[excel]") from error
    try:
        with path.open("rb") as file:  # openpyxl looks at the name of a path
            book = load_workbook(file, read_only=True, data_only=True, keep_links=False)
            page, notes = choose_sheet(path, book, sheet)
            page.reset_dimensions()  # what the file says of its size may be anything
            rows = list(filled_rows(path, page))
    except DataError:
        raise
    except Exception as error:  # whatever a damaged archive makes of the parser of XML
        raise DataError(
            f"{path}: not an Excel workbook, or a damaged one ({type(error).__name__}): get it again, or save it as CSV"
        ) from error
    return as_table(path, page.title, rows, notes)


def check_archive(path: Path) -> None:
    """Refuse archives that grow to far more than their size.

    Raises:
        DataError: It does, or is not an archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            total = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise DataError(f"{path}: not an Excel workbook, or a damaged one: get it again, or save it as CSV") from error
    if total > min(LARGEST, max(FREE_OF_RATIO, LARGEST_RATIO * path.stat().st_size)):
        raise DataError(
            f"{path} grows to {total:,} bytes, which no workbook of molecules does: look at what it holds, or save it "
            "as CSV"
        )


def choose_sheet(path: Path, book: Any, name: str | None) -> tuple[Any, list[str]]:
    """Return a sheet of cells, and a note where there are others."""
    sheets = {page.title: page for page in book.worksheets}
    if not sheets:
        raise DataError(f"{path} has no sheet with cells: nothing to read")
    if name is not None and name not in sheets:
        raise DataError(f"{path}: no sheet {name!r}. Sheets: {quote(list(sheets))}")
    chosen = next(iter(sheets)) if name is None else name
    others = [title for title in sheets if title != chosen]
    note = [f"{path.name}: sheet {chosen!r} is read, sheet= names another one ({quote(others)})"]
    return sheets[chosen], note if others and name is None else []


def filled_rows(path: Path, page: Any) -> Iterator[tuple[int, list[Any]]]:
    """Number of each row that is not blank, from 1 as the spreadsheet shows it, and its cells."""
    total = 0
    for number, cells in enumerate(page.iter_rows(values_only=True), start=1):
        total += len(cells) + 1
        if total > MOST_CELLS or len(cells) > MOST_COLUMNS:
            raise DataError(
                f"{path}: more than {MOST_CELLS:,} cells, which no workbook of molecules has: save it as CSV"
            )
        if any(cell is not None and str(cell).strip() for cell in cells):
            yield number, list(cells)


def as_table(path: Path, sheet: str, rows: list[tuple[int, list[Any]]], notes: list[str]) -> Table:
    """Make a table of rows whose first one has the names of the columns.

    Raises:
        DataError: There are no rows, or cells to the right of the names.
    """
    if len(rows) < 2:
        what = "a header but no rows" if rows else "no cells"
        raise DataError(f"{path}: sheet {sheet!r} has {what}: nothing to read")
    names = ["" if cell is None else str(cell).strip() for cell in rows[0][1]]
    while names and not names[-1]:
        names.pop()
    width = len(names)
    for number, cells in rows[1:]:
        if any(cell is not None for cell in cells[width:]):
            raise DataError(
                f"{path}: sheet {sheet!r}, row {number} has cells to the right of the {width} named columns: name "
                "each column in the first row"
            )
    frame = pd.DataFrame([(cells + [None] * width)[:width] for _, cells in rows[1:]], columns=names, dtype=object)
    lines = np.array([number for number, _ in rows[1:]], dtype=np.int64)
    return Table(frame.infer_objects(), str(path), lines, notes=notes)
