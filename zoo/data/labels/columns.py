"""Finding the columns of the SMILES, of the split, and of marks for censored values."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from zoo.data.errors import DataError, quote
from zoo.data.molecules import canonical_smiles, mostly_molecules
from zoo.data.reading.layout import SMILES_MARKS, SMILES_WORDS, is_number
from zoo.data.reading.molecule_cells import cell_text
from zoo.data.reading.table import Table

PREFERRED = ("smiles", "canonical_smiles", "isomeric_smiles", "smi")
LESS_SURE = ("mol", "molecule", "structure", "compound_structure")
COMPONENTS = re.compile(
    r"(^|[^a-z])(solute|solvent|reactant|reagent|product|catalyst|ligand|donor|acceptor|monomer|anion|cation|drug|base|"
    r"additive)",
    re.IGNORECASE,
)
"""Names of columns whose molecules take part in what is measured."""
PARTS_OF_MOLECULES = re.compile(r"scaffold|murcko|core|fragment|substructure|parent|canonical|standard|desalted", re.I)
"""Names of columns whose molecules are made of those in another column."""
MANY_COLUMNS = 100
"""More columns than these are looked into only where they are called as SMILES are."""
SPLIT_COLUMNS = ("split", "splits", "set", "subset")


def find_molecule_columns(table: Table, given: str | None, several: Sequence[str] | None = None) -> list[str]:
    """Return the columns of molecules: those that were named, else the one that is found.

    Args:
        table: The source, or its first rows.
        given: The user's choice of one column.
        several: The user's choice of several.

    Raises:
        DataError: A chosen column is not there, or is chosen twice; as for `find_smiles_column`.
    """
    if not several:
        return [find_smiles_column(table, given)]
    for name in several:
        table.column(name)
    if len(set(several)) < len(several) or (given is not None and given != several[0]):
        named = f"smiles_columns {quote(several)}" + ("" if given is None else f" and smiles_column {given!r}")
        raise DataError(f"{table.label}: {named}: name each column once, and leave smiles_column= out")
    return list(several)


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
        ask_about_others(table, "smiles")
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
    ask_about_others(table, found)
    table.notes.append(f"SMILES are taken from column {found!r}")
    return found


def ask_about_others(table: Table, found: str) -> None:
    """Ask which molecules are meant where other columns hold other molecules than the one that was found.

    A column `smiles` is taken all the same where the others only look like molecules, or are called as parts of them
    are; that is noted.

    Raises:
        DataError: It is unclear which column is meant.
    """
    others = [name for name in table.frame.columns if name != found and _holds_others(table, name, found)]
    if not others:
        return
    sure = found == "smiles" and not any(SMILES_WORDS.search(name) or COMPONENTS.search(name) for name in others)
    if sure or all(PARTS_OF_MOLECULES.search(name) for name in others):
        table.notes.append(f"SMILES are taken from column {found!r}; {quote(others)} hold other molecules")
        return
    both = " ".join((found, *others))
    raise DataError(
        f"{table.label}: columns {quote([found, *others])} hold different molecules: is one of them meant "
        f"(smiles_column={found!r}), or all ({', '.join(('smiles_columns=[' + repr(found), *map(repr, others)))}]; "
        f"--smiles-columns {both})?"
    )


def _holds_others(table: Table, name: str, found: str, sample: int = 50) -> bool:
    """Return whether a column has molecules, and most of them differ from those of another column."""
    if not table.is_unique(name) or (table.frame.shape[1] > MANY_COLUMNS and not SMILES_WORDS.search(name)):
        return False
    cells = list(map(cell_text, table.column(name).head(sample)))
    known = [cell for cell in cells if cell]
    if not any(len(cell) > 5 or SMILES_MARKS.search(cell) or cell[-1:].isdigit() for cell in known):
        return False
    if all(map(is_number, known[:5])) or not mostly_molecules(known):
        return False
    pairs = zip(map(cell_text, table.column(found).head(sample)), cells, strict=True)
    both = [(canonical_smiles(first), canonical_smiles(second)) for first, second in pairs if first and second]
    return sum(first == second for first, second in both) < 0.5 * max(len(both), 1)


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
                f"{cell_text(cells.iloc[rows[0]])}), their labels are read as exact: write "
                "the sign before the label (>4.5), or leave such rows out"
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
