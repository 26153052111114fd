"""Roles of the columns of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoo.data.labels.columns import find_molecule_columns, find_split_column
from zoo.data.labels.features import check_feature_columns
from zoo.data.labels.guessing import find_task_columns
from zoo.data.labels.weights import check_weight_column
from zoo.data.reading.sources import Opened
from zoo.recipe.options import ReadOptions


@dataclass
class Roles:
    """Columns by their use.

    Args:
        smiles: The molecules.
        partners: Further molecules of each row.
        tasks: The labels (T).
        features: Numbers that models read next to the molecules (F).
        split: The words train, valid, test; or `None`.
        weight: Weights of the molecules in the loss; or `None`.
        task: Kind of the tasks if it is known; `None` leaves it to the labels.
        task_kinds: Kinds of single tasks, where the user named them.
        metric: Of the tasks if it is known, else `""`.
        doubts: What a user should know of tasks that nobody named.
    """

    smiles: str
    partners: tuple[str, ...] = ()
    tasks: list[str] = field(default_factory=list)
    features: tuple[str, ...] = ()
    split: str | None = None
    weight: str | None = None
    task: str | None = None
    task_kinds: Mapping[str, str] = field(default_factory=dict)
    metric: str = ""
    doubts: list[str] = field(default_factory=list)


def find_roles(opened: Opened, options: ReadOptions) -> Roles:
    """Take the user's choices, then what a named set says, then what the columns look like (which is noted).

    Raises:
        DataError: A chosen column is not there, or none looks like SMILES.
    """
    table, known = opened.table, opened.known
    smiles_column, tasks, task, metric = options.smiles_column, options.tasks, options.task, options.metric
    features = options.feature_columns or ()
    apart: tuple[str, ...] = ()
    if known is not None:
        smiles_column, apart = smiles_column or known.smiles_column, known.ignored
        if tasks is None:
            used = (smiles_column, *apart, *features, options.weight_column)
            tasks = known.tasks or tuple(column for column in table.frame.columns if column not in used)
            task, metric = task or known.task, metric or known.metric
    smiles, *partners = find_molecule_columns(table, smiles_column, options.smiles_columns)
    split = find_split_column(table, options.split_column)
    apart += (*partners, *features, *(name for name in (split, options.weight_column) if name))
    guess = find_task_columns(table, smiles, tasks, apart)
    check_feature_columns(table, features, (smiles, *partners, *guess.tasks))
    if options.weight_column is not None:
        check_weight_column(table, options.weight_column, (smiles, *partners, *guess.tasks, *features))
    return Roles(
        smiles,
        tuple(partners),
        guess.tasks,
        features,
        split,
        options.weight_column,
        task,
        options.task_kinds or {},
        metric or "",
        guess.doubts,
    )
