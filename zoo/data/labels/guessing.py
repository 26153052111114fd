"""Guessing the task columns where none are named, and notes about the guess."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
from rdkit import Chem

from zoo.data.errors import DataError, quote
from zoo.data.labels.cells import DIGIT_FIRST, hashable, looks_like_labels
from zoo.data.labels.descriptors import recognize_descriptors
from zoo.data.labels.doubts import Doubt, doubt_cells, doubt_name
from zoo.data.labels.words import is_missing
from zoo.data.reading.layout import SMILES_WORDS
from zoo.data.reading.molecule_cells import cell_text
from zoo.data.reading.table import Table

NOT_A_TASK = re.compile(
    r"^$|^unnamed|(^|[_\s])(id|ids|idx|index|num|nr|no|number|row|name|names|cas|inchi|inchikey|inchi_key|"
    r"split|splits|fold|set|subset|source|date|year|ref|reference|iupac|formula|comment)$|^cmpd|chembl_?id$|^mol_?id",
    re.IGNORECASE,
)
MOST = 10
MOST_COLUMNS = 10_000


@dataclass
class Guess:
    """Task columns, found or named.

    Args:
        tasks: The label columns.
        doubts: What a user should know of a choice that nobody made, each with the remedy.
    """

    tasks: list[str]
    doubts: list[str] = field(default_factory=list)


def find_task_columns(table: Table, smiles_column: str, given: Sequence[str] | None, apart: Sequence[str]) -> Guess:
    """The columns to learn; a guess is reported in the table's notes.

    Args:
        table: The source.
        smiles_column: Not a task.
        given: The user's choice; `None` takes the columns of numbers or two-valued words that do not look like
            something else: identifiers, conditions, descriptors, predictions.
        apart: Columns that are not tasks for another reason.

    Raises:
        DataError: A chosen column is not there, is chosen twice, or holds the SMILES.
    """
    if given is not None:
        for name in given:
            table.column(name)
        if len(set(given)) < len(given) or smiles_column in given:
            raise DataError(f"{table.label}: tasks {quote(given)}: name each label column once, and not the SMILES")
        return Guess(list(given))
    if table.frame.shape[1] > MOST_COLUMNS:
        raise DataError(f"{table.label} has {table.frame.shape[1]:,} columns: name the labels with tasks=")
    others = [name for name in table.frame.columns if name and name != smiles_column and name not in apart]
    candidates = [name for name in others if not NOT_A_TASK.search(name) and not SMILES_WORDS.search(name)]
    candidates = [name for name in candidates if not _holds_molecules(table.column(name))]
    guess = _weigh(table, smiles_column, [name for name in candidates if looks_like_labels(table.column(name))])
    if not guess.tasks and not guess.doubts and len(candidates) == 1:
        column = table.column(candidates[0])
        if _meant_as_labels(column) and not doubt_cells(column):
            guess.tasks = candidates
    left_out = [name for name in others if name not in guess.tasks]
    if guess.tasks:
        table.notes.append(f"tasks: {quote(guess.tasks)}" + (f" (not used: {quote(left_out)})" if left_out else ""))
    elif left_out:
        table.notes.append(f"no column looks like a label ({quote(left_out)}): read without labels, or name tasks=")
    if len(guess.tasks) > 1:
        guess.doubts.append(
            f"{len(guess.tasks)} columns are taken as tasks, since none were named and these hold numbers or two "
            f"classes ({quote(guess.tasks)}): name those to learn with tasks="
        )
    table.notes.extend(guess.doubts)
    return guess


def _weigh(table: Table, smiles_column: str, candidates: list[str]) -> Guess:
    """Take the candidates that nothing speaks against; else descriptors, or a single one of another kind."""
    doubts = {name: doubt_name(name) or doubt_cells(table.column(name)) for name in candidates}
    clear = [name for name in candidates if doubts[name] is None]
    if len(candidates) > 1 and clear:
        smiles = [cell_text(cell) for cell in table.column(smiles_column)]
        known = recognize_descriptors(smiles, {name: table.column(name) for name in clear})
        doubts |= {name: Doubt(f"the {what} of the molecules", computed=True) for name, what in known.items()}
        clear = [name for name in clear if name not in known]
    doubtful = {name: doubt for name, doubt in doubts.items() if doubt is not None}
    possible = [name for name, doubt in doubtful.items() if doubt.computed]
    possible = possible or [name for name, doubt in doubtful.items() if not doubt.sure]
    if clear or (len(possible) > 1 and not doubtful[possible[0]].computed):
        possible = []
    refused = [name for name in doubtful if name not in possible]
    texts = []
    if refused:
        texts.append(f"not taken as tasks: {_with_reasons(refused, doubtful)}: name tasks= to learn one of them")
    if possible:
        texts.append(
            f"taken as tasks for want of another column: {_with_reasons(possible, doubtful)}: name tasks= if these are "
            "no labels"
        )
    return Guess(clear or possible, texts)


def _holds_molecules(column: pd.Series) -> bool:
    """Return whether a column has RDKit's molecules, as frames of PandasTools do."""
    return column.dtype == object and any(isinstance(cell, Chem.Mol) for cell in column)


def _with_reasons(names: Sequence[str], doubts: Mapping[str, Doubt]) -> str:
    shown = [f"{name!r} ({doubts[name].reason})" for name in names[:MOST]]
    return ", ".join(shown) + (f", ... ({len(names)})" if len(names) > MOST else "")


def _meant_as_labels(column: pd.Series, most: int = 10) -> bool:
    """Check whether the only candidate is meant as labels: blank, a few repeated words, or "5 nM"."""
    known = {str(cell): count for cell, count in hashable(column).value_counts().items() if not is_missing(cell)}
    if not known or (len(known) <= most and max(known.values()) > 1):
        return True
    return 2 * sum(bool(DIGIT_FIRST.match(cell)) for cell in known) > len(known)
