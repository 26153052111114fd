"""Finding the columns of the SMILES, of the split, and of marks for censored values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.errors import DataError, quote
from zoo.data.molecules import mostly_molecules
from zoo.data.reading.layout import SMILES_WORDS, is_number
from zoo.data.reading.molecule_cells import cell_text
from zoo.data.reading.table import Table

PREFERRED = ("smiles", "canonical_smiles", "isomeric_smiles", "smi")
LESS_SURE = ("mol", "molecule", "structure", "compound_structure")
SPLIT_COLUMNS = ("split", "splits", "set", "subset")


def find_smiles_column(table: Table, given: str | None = None) -> str:
    """The column with the molecules; a guess is reported in the table's notes.

    Args:
        table: The source, or its first rows.
        given: The user's choice.

    Raises:
        DataError: The chosen column is not there, or no column looks like SMILES.
    """
    columns = list(table.frame.columns)
    if given is not None:
        table.column(given)
        return given
    if table.molecules is not None:
        return table.molecules
    if "smiles" in columns:
        table.column("smiles")
        return "smiles"
    ranked = sorted(filter(SMILES_WORDS.search, columns), key=_doubt)
    # "molecule" may hold the names and "compound" the SMILES: what is in a column decides.
    holding = (name for name in [*ranked, *columns] if _holds_molecules(table, name))
    found = next(holding, ranked[0] if ranked else None)
    if found is None:
        raise DataError(
            f"{table.label}: no column looks like SMILES: name it with smiles_column=. Columns: {quote(columns, 30)}"
        )
    table.column(found)
    table.notes.append(f"SMILES are taken from column {found!r}")
    return found


def _doubt(name: str) -> int:
    """Order in which columns are tried: the usual names of SMILES, others with the word, words for molecules."""
    words = (*PREFERRED, "", *LESS_SURE)
    return words.index(name.lower() if name.lower() in words else "")


def _holds_molecules(table: Table, name: str, sample: int = 50) -> bool:
    """Return whether nearly all of the first cells are SMILES."""
    if not table.is_unique(name):
        return False
    cells = [cell for cell in map(cell_text, table.column(name).head(sample)) if cell]
    return not all(map(is_number, cells[:5])) and mostly_molecules(cells)


def describe_relations(table: Table, apart: Sequence[str]) -> list[str]:
    """Report which columns mark values as censored: some databases write `>` next to the number, not before it.

    Args:
        table: The source.
        apart: Columns of SMILES and labels.
    """
    notes = []
    for position, name in enumerate(table.frame.columns):
        cells = table.frame.iloc[:, position]
        if name in apart or "relation" not in name.lower():
            continue
        rows = np.flatnonzero(cells.map(cell_text).str.strip("'\"").str.match(r"[<>≤≥~]"))
        if len(rows):
            notes.append(
                f"column {name!r} marks {len(rows)} rows as censored (first: {table.where(rows[0])}, "
                f"{cell_text(cells.iloc[rows[0]])}), their labels are read as exact: leave such rows out"
            )
    return notes


def find_split_column(table: Table, given: str | None) -> str | None:
    """The user's own split column: the chosen one, or one of that name that holds train and test."""
    if given is not None:
        table.column(given)
        return given
    for name in table.frame.columns:
        if name.lower() in SPLIT_COLUMNS and table.is_unique(name):
            words = {str(word).strip().lower() for word in table.column(name).unique()}
            if "train" in words and "test" in words:
                table.notes.append(f"column {name!r} can be used with split='column'")
                return name
    return None
