"""Which column holds the SMILES, and which ones are tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from zoo.data.errors import DataError, listed
from zoo.data.labels.cells import DIGIT_FIRST, hashable, looks_like_labels
from zoo.data.labels.words import is_missing
from zoo.data.molecules import mostly_molecules
from zoo.data.reading.layout import SMILES_WORDS
from zoo.data.reading.table import Table, cell_text

PREFERRED = ("smiles", "canonical_smiles", "isomeric_smiles", "smi")
LESS_SURE = ("mol", "molecule", "structure", "compound_structure")
NOT_A_TASK = re.compile(
    r"^$|^unnamed|(^|[_\s])(id|ids|idx|index|num|nr|no|number|row|name|names|cas|inchi|inchikey|inchi_key|"
    r"split|splits|fold|set|subset|source|date|year|ref|reference|iupac|formula|comment)$|^cmpd|chembl_?id$|^mol_?id",
    re.IGNORECASE,
)
SPLIT_COLUMNS = ("split", "splits", "set", "subset")


def find_smiles_column(table: Table, given: str | None = None) -> str:
    """The column with the molecules; a guess is said in the table's notes.

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
    if "smiles" in columns:
        table.column("smiles")
        return "smiles"
    ranked = sorted(filter(SMILES_WORDS.search, columns), key=_doubt)
    # "molecule" may hold the names and "compound" the SMILES: what is in a column decides.
    holding = (name for name in [*ranked, *columns] if _holds_molecules(table, name))
    found = next(holding, ranked[0] if ranked else None)
    if found is None:
        raise DataError(
            f"{table.label}: no column looks like SMILES: name it with smiles_column=. Columns: {listed(columns, 30)}"
        )
    table.column(found)
    table.notes.append(f"SMILES are taken from column {found!r}")
    return found


def _doubt(name: str) -> int:
    """Order in which columns are tried: the usual names of SMILES, others with the word, words for molecules."""
    words = (*PREFERRED, "", *LESS_SURE)
    return words.index(name.lower() if name.lower() in words else "")


def _holds_molecules(table: Table, name: str, sample: int = 50) -> bool:
    """Whether nearly all of the first cells are SMILES."""
    if list(table.frame.columns).count(name) > 1:
        return False
    return mostly_molecules([cell for cell in map(cell_text, table.column(name).head(sample)) if cell])


def find_task_columns(table: Table, smiles_column: str, given: Sequence[str] | None, apart: Sequence[str]) -> list[str]:
    """The columns to learn; a guess is said in the table's notes.

    Args:
        table: The source.
        smiles_column: Not a task.
        given: The user's choice; `None` takes every column of numbers or two-valued words that is no identifier.
        apart: Columns that are no tasks for another reason.

    Raises:
        DataError: A chosen column is not there, is chosen twice, or holds the SMILES.
    """
    if given is not None:
        for name in given:
            table.column(name)
        if len(set(given)) < len(given) or smiles_column in given:
            raise DataError(f"{table.label}: tasks {listed(given)}: name each label column once, and not the SMILES")
        return list(given)
    columns = list(table.frame.columns)
    others = [name for name in columns if name and name != smiles_column and name not in apart]
    candidates = [name for name in others if not NOT_A_TASK.search(name) and not SMILES_WORDS.search(name)]
    tasks = [name for name in candidates if looks_like_labels(table.column(name))]
    # A column that only numbers the rows is an identifier, unless there is nothing else.
    tasks = [name for name in tasks if not _is_count(table.column(name))] or tasks
    if not tasks and len(candidates) == 1 and _meant_as_labels(table.column(candidates[0])):
        tasks = candidates
    left_out = [name for name in others if name not in tasks]
    if tasks:
        table.notes.append(f"tasks: {listed(tasks)}" + (f" (not used: {listed(left_out)})" if left_out else ""))
    elif left_out:
        table.notes.append(f"no column looks like a label ({listed(left_out)}): read without labels, or name tasks=")
    return tasks


def _meant_as_labels(column: pd.Series, most: int = 10) -> bool:
    """Whether the only candidate is one, so that its mistakes are told: blank, a few repeated words, or "5 nM"."""
    known = {str(cell): count for cell, count in hashable(column).value_counts().items() if not is_missing(cell)}
    if not known or (len(known) <= most and max(known.values()) > 1):
        return True
    return 2 * sum(bool(DIGIT_FIRST.match(cell)) for cell in known) > len(known)


def describe_relations(table: Table, apart: Sequence[str]) -> list[str]:
    """Say which columns mark values as censored: some databases write `>` beside the number, not before it.

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


def _is_count(column: pd.Series) -> bool:
    """Whether a column only numbers the rows: each one more than the row before."""

    def counts(cells: pd.Series) -> bool:
        return bool((pd.to_numeric(cells, errors="coerce").diff().iloc[1:] == 1).all())

    return len(column) > 2 and counts(column.head(3)) and counts(column)


def find_split_column(table: Table, given: str | None) -> str | None:
    """The user's own split column: the chosen one, or one that is called so and holds train and test."""
    if given is not None:
        table.column(given)
        return given
    for name in table.frame.columns:
        if name.lower() in SPLIT_COLUMNS and list(table.frame.columns).count(name) == 1:
            words = {str(word).strip().lower() for word in table.column(name).unique()}
            if "train" in words and "test" in words:
                table.notes.append(f"column {name!r} can be used with split='column'")
                return name
    return None
