"""Layout of a text table: the separator of its cells, its first line, and whether its first row is a header."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from zoo.data.molecules import is_molecule, mostly_molecules

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "bar", " ": "blank"}
SMILES_FILES = (".smi", ".smiles", ".ism", ".can", ".cxsmi", ".cxsmiles")
SMILES_WORDS = re.compile(r"smiles|^(mol|molecule|structure|compound_structure|smi)$", re.IGNORECASE)
HEADER = re.compile(r'(^|[,;\t|])\s*"?((canonical|isomeric)[ _]?)?smiles"?\s*($|[,;\t|])', re.IGNORECASE)
# Marks of a SMILES, and letters that are in the words of headers but hardly in a SMILES, even a broken one.
SMILES_MARKS = re.compile(r"[()\[\]=#@/\\]")
WORD_LETTERS = re.compile(r"[adghjkmqtuvwxyz]")
TITLE_LINES = 20
ROWS_BELOW = 20


def lines_above(sample: Sequence[str]) -> int:
    """Count the lines of titles or comments above a header that has the word SMILES."""
    words = re.split(r"[,;\t|]", sample[0])
    if any(SMILES_WORDS.search(word.strip(' "\r\n')) or is_molecule(word) for word in words):
        return 0
    return next((i for i, line in enumerate(sample[:TITLE_LINES]) if HEADER.search(line.rstrip("\r\n"))), 0)


def find_separator(sample: Sequence[str], suffixes: Sequence[str]) -> str | None:
    """The separator, or `None` for SMILES, blank, rest of the line.

    Args:
        sample: First lines of the table.
        suffixes: Of the file's name, in small letters.
    """
    if any(suffix in SMILES_FILES for suffix in suffixes):
        return _separator_of_smiles(sample)
    scores = {}
    for separator in ",\t;|":
        widths = _widths(sample, separator)
        if widths and widths[0] > 1:
            scores[separator] = (sum(width == widths[0] for width in widths) / len(widths), widths[0])
    if scores:
        return max(scores, key=lambda separator: scores[separator])
    rows = [line.split() for line in sample if line.strip()]
    if rows and any(map(SMILES_WORDS.search, rows[0])) and {len(row) for row in rows} == {max(len(rows[0]), 2)}:
        return " "
    if ".txt" in suffixes and all(len(row) != 1 for row in rows):
        return None
    return "\t" if ".tsv" in suffixes else ","


def _widths(sample: Sequence[str], separator: str) -> list[int]:
    """Cells of each row, as far as the lines are rows with this separator."""
    widths = []
    try:
        for row in csv.reader(sample, delimiter=separator):
            widths += [len(row)] if row else []
    except csv.Error:  # a cell beyond the limit, which the reader of the rows names with its line
        widths.append(0)
    return widths


def _separator_of_smiles(sample: Sequence[str]) -> str | None:
    """Find the separator of a SMILES file, which some programs write as a table, with a header or without."""
    lines = [line for line in sample if line.strip()][:ROWS_BELOW]
    for separator in ",\t;|":
        names = sample[0].split(separator)
        if len(names) > 1 + (separator == "\t") and any(SMILES_WORDS.search(name.strip()) for name in names):
            return separator
        first = [line.split(separator)[0] for line in lines if separator in line]
        if separator in ",;" and len(first) == len(lines) and mostly_molecules(first):
            return separator
    return None


def is_header(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Return whether a table's first row names its columns, and is not a molecule, not even one that cannot be read.

    Args:
        first: Cells of the first row, without blanks around them.
        below: Some rows under it.
    """
    if any(map(SMILES_WORDS.search, first)):
        return True
    if all(map(is_number, filter(None, first))):  # pandas calls columns without a name 0, 1, ...
        return True
    column = molecule_column(below)
    if column is not None and column < len(first):
        cell = first[column]
        return not is_molecule(cell) and (not SMILES_MARKS.search(cell) or bool(WORD_LETTERS.search(cell)))
    # "N" or "Cl" may be a column's name; a row of data has a number next to the SMILES, or nothing.
    others = [cell for cell in first if not is_molecule(cell)]
    return len(others) == len(first) or (bool(others) and not any(map(is_number, others)))


def molecule_column(rows: Sequence[Sequence[str]]) -> int | None:
    """The first column of which nearly all cells are molecules."""
    widest = max(map(len, rows), default=0)
    columns = ([row[i] for row in rows[:ROWS_BELOW] if i < len(row)] for i in range(widest))
    return next((i for i, cells in enumerate(columns) if mostly_molecules(cells)), None)


def is_number(text: str) -> bool:
    """Return whether a text is a number, with a decimal point or comma."""
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True
