"""Labels of all tasks of a source, and whether they are classes or numbers to regress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from zoo.data.errors import DataError, quote
from zoo.data.labels.bounds import describe_bounds
from zoo.data.labels.cells import Column, read_column
from zoo.data.labels.classes import as_classes, has_many_classes, refuse_mixture
from zoo.data.reading.table import Table
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, MIXED, NUMBERS

FEW = 10


@dataclass
class Labels:
    """Labels of a source.

    Args:
        targets: (n, T), float64, NaN where missing.
        task: Kind of target; `"unlabelled"` where T = 0.
        label_names: Words of the classes by task, where the cells were words or there are more than two classes.
        notes: How cells were read.
        bounds: What each label is (n, T), as in `MoleculeDataset`; `None` where all are exact.
        task_kinds: Kind of each task (T) where they differ, else empty.
    """

    targets: np.ndarray
    task: str
    label_names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    bounds: np.ndarray | None = None
    task_kinds: tuple[str, ...] = ()


def read_labels(
    table: Table,
    tasks: Sequence[str],
    task: str | None = None,
    *,
    decimal: str | None = None,
    label_names: Mapping[str, Sequence[str | float]] | None = None,
    task_kinds: Mapping[str, str] | None = None,
) -> Labels:
    """Read the task columns of a table.

    Args:
        table: The source.
        tasks: Its columns to read (T).
        task: Kind of target, or `None` to find out: 0/1 and two words are classes, more words and numbers that count
            from 0 or 1 are several classes where none of them is rare. "classification" leaves open how many.
        decimal: Decimal mark; `None` finds it out.
        label_names: Words of class 0 and 1 by task, where the user says so.
        task_kinds: Kinds of single tasks, where the user says so; those of the others are found out.

    Raises:
        DataError: Cells that are not labels, tasks of different kinds, or no label at all.
    """
    _check_choices(task, decimal)
    if not tasks:
        return Labels(np.empty((len(table.frame), 0), dtype=np.float64), "unlabelled")
    given = label_names or {}
    if unknown := [name for name in given if name not in tasks]:
        raise DataError(f"{table.label}: label_names= of {quote(unknown)}, which are not tasks. Tasks: {quote(tasks)}")
    if task_kinds or (task is not None and kinds.labels_of(task) == MIXED):
        return _read_each(table, tasks, task_kinds or {}, decimal, given)
    many = None if task in (None, "classification") else kinds.labels_of(task) == CLASSES
    columns = [read_column(table, name, decimal=decimal, words=given.get(name), many=many) for name in tasks]
    if all(np.isnan(column.values).all() for column in columns):
        raise DataError(f"{table.label}: no label in column(s) {quote(tasks)}: every cell is blank")
    kind = _find_kind(table, columns) if task is None else task
    if kind == "classification":
        kind = _how_many(table, columns)
    if kinds.labels_of(kind) != NUMBERS:
        for column in columns:
            _refuse_bounds(table, column, kind)
    if kinds.labels_of(kind) == CLASSES:
        columns = [as_classes(table, column) for column in columns]
    elif kinds.labels_of(kind) == NUMBERS:
        for column in columns:
            if column.words:
                raise DataError(
                    f"{table.label}: column {column.name!r} holds words ({quote(column.words, 2)}), "
                    "no numbers to regress: use task='classification'"
                )
    else:
        for column in columns:
            _refuse_other_than_binary(table, column)
    notes = [column.note for column in columns if column.note]
    if task is None:
        notes.append(f"{kind}: found from the labels, task= overrides")
    return Labels(
        targets=np.stack([column.values for column in columns], axis=1),
        task=kind,
        label_names={column.name: column.words for column in columns if column.words},
        notes=notes,
        bounds=_stack_bounds(columns),
    )


def _read_each(
    table: Table,
    tasks: Sequence[str],
    task_kinds: Mapping[str, str],
    decimal: str | None,
    label_names: Mapping[str, Sequence[str | float]],
) -> Labels:
    """Read columns that may be of several kinds, one by one; arguments as for `read_labels`."""
    if unknown := [name for name in task_kinds if name not in tasks]:
        raise DataError(f"{table.label}: kinds of {quote(unknown)}, which are not tasks. Tasks: {quote(tasks)}")
    found = []
    for name in tasks:
        words = {name: label_names[name]} if name in label_names else None
        each = read_labels(table, [name], task_kinds.get(name), decimal=decimal, label_names=words)
        if name not in task_kinds:
            each.notes[-1] = f"column {name!r} is {each.task}: found from the labels, name its kind with {name}:KIND"
        found.append(each)
    columns = [np.zeros(each.targets.shape, np.int8) if each.bounds is None else each.bounds for each in found]
    names = tuple(kinds.task_entry(each.task).name for each in found)
    alike = len(set(names)) == 1
    return Labels(
        targets=np.concatenate([each.targets for each in found], axis=1),
        task=found[0].task if alike else MIXED,
        label_names={name: words for each in found for name, words in each.label_names.items()},
        notes=[note for each in found for note in each.notes],
        bounds=np.concatenate(columns, axis=1) if any(column.any() for column in columns) else None,
        task_kinds=() if alike else names,
    )


def _stack_bounds(columns: Sequence[Column]) -> np.ndarray | None:
    """Bounds of all tasks (n, T); `None` where all labels are exact."""
    if all(column.bounds is None for column in columns):
        return None
    return np.stack([np.zeros(len(c.values), np.int8) if c.bounds is None else c.bounds for c in columns], axis=1)


def _refuse_bounds(table: Table, column: Column, kind: str) -> None:
    """Raise where labels of classes are bounds."""
    if column.bounds is None:
        return
    rows = np.flatnonzero(column.bounds)
    cell = str(table.column(column.name).iloc[rows[0]]).strip()
    raise DataError(
        f"{table.label}: column {column.name!r}, {table.where(rows[0])}: {cell!r} is a bound ({len(rows)} such cells), "
        f"and task={kind!r} has classes: say task='regression', or recode the column as classes"
    )


def _check_choices(task: str | None, decimal: str | None) -> None:
    if task not in (None, kinds.UNLABELLED):
        try:
            kinds.check_task(task)
        except ValueError as error:
            raise DataError(str(error)) from error
    if decimal not in (None, ".", ","):
        raise DataError(f"decimal={decimal!r}: choose '.' or ','")


def _how_many(table: Table, columns: Sequence[Column]) -> str:
    """Return whether columns of classes hold two or more of them."""
    labelled = [column for column in columns if not np.isnan(column.values).all()]
    many = [column for column in labelled if has_many_classes(column)]
    refuse_mixture(table, [c for c in labelled if _is_binary(c) and not has_many_classes(c)], many)
    return "multiclass" if many else "classification"


def _is_binary(column: Column) -> bool:
    if column.bounds is not None:
        return False
    known = column.values[~np.isnan(column.values)]
    return bool(np.isin(known, (0, 1)).all())


def _is_continuous(column: Column) -> bool:
    """Check whether numbers are surely measurements: not a few whole ones, nor zeros and ones with an odd value."""
    if column.bounds is not None:
        return True
    known = column.values[~np.isnan(column.values)]
    zero_one = np.isin(known, (0, 1)).mean()
    if len(np.unique(known)) <= FEW:
        return bool((known % 1 != 0).any()) and zero_one < 0.5
    return zero_one < 0.9


def _find_kind(table: Table, columns: Sequence[Column]) -> str:
    labelled = [column for column in columns if not np.isnan(column.values).all()]
    binary = [column for column in labelled if _is_binary(column)]
    if len(binary) == len(labelled):
        return "classification"
    others = [column for column in labelled if not _is_binary(column)]
    if any(has_many_classes(column) for column in others):
        return "classification"
    if all(_is_continuous(column) for column in others):
        if binary:
            raise DataError(
                f"{table.label}: {quote([c.name for c in binary])} hold 0 and 1 but "
                f"{quote([c.name for c in others])} other numbers: choose tasks= of one kind, or say "
                "task='regression', or task='mixed' to learn each as its own kind"
            )
        return "regression"
    if any(_is_continuous(column) for column in others) and not binary:
        return "regression"
    doubtful = next(column for column in others if not _is_continuous(column))
    _refuse_other_than_binary(table, doubtful)
    return "classification"


def _refuse_other_than_binary(table: Table, column: Column) -> None:
    odd = np.flatnonzero(~np.isnan(column.values) & ~np.isin(column.values, (0, 1)))
    if len(odd):
        places = ", ".join(table.where(row) for row in odd[:5]) + (", ..." if len(odd) > 5 else "")
        raise DataError(
            f"{table.label}: column {column.name!r}: {column.values[odd[0]]:g} is not a class, classes are 0 and 1 "
            f"({len(odd)} such row(s): {places}): recode them, give label_names=, or say task='multiclass' or "
            "task='regression'"
        )


def describe_labels(
    targets: np.ndarray, tasks: Sequence[str], kind_by_task: Sequence[str], bounds: np.ndarray | None = None
) -> list[str]:
    """Say what training will find: missing labels, bounds, tasks without labels, of one class, or constant.

    Args:
        targets: (n, T), NaN where missing.
        tasks: Their names.
        kind_by_task: Kind of each (T).
        bounds: What each label is (n, T); `None` where all are exact.
    """
    notes = describe_bounds(bounds, targets, tasks)
    missing = int(np.isnan(targets).sum())
    if missing:
        notes.append(f"{missing} of {targets.size} labels are missing and masked in loss and metric")
    counts = (~np.isnan(targets)).sum(axis=0)
    empty = [name for name, count in zip(tasks, counts, strict=True) if not count]
    if empty:
        notes.append(f"no labels for {quote(empty)}: left out of the mean")
    exact = targets if bounds is None else np.where(bounds == 0, targets, np.nan)
    constant = [
        (name, kinds.labels_of(kind) == NUMBERS)
        for name, kind, column in zip(tasks, kind_by_task, exact.T, strict=True)
        if not np.isnan(column).all() and np.nanmin(column) == np.nanmax(column)
    ]
    if single := [name for name, number in constant if not number]:
        notes.append(f"one class only in {quote(single)}: cannot be measured by ranking, left out of the mean")
    if same := [name for name, number in constant if number]:
        notes.append(f"{quote(same)} constant: nothing to learn, leave it out of tasks=")
    return notes
