"""Columns of three or more classes, written as words or as whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.data.errors import DataError, quote
from zoo.data.labels.cells import FEWEST_OF_CLASS, MOST_CLASSES, Column
from zoo.data.reading.table import Table

FEW_NUMBERS = 10


def has_many_classes(column: Column) -> bool:
    """Return whether labels look like three or more classes.

    Words do where no word is rare, which might be misspelt; numbers do where they count from 0 or 1 to ten at most and
    none is rare.
    """
    if column.words:
        return len(column.words) > 2
    if column.bounds is not None:
        return False
    known, counts = np.unique(column.values[~np.isnan(column.values)], return_counts=True)
    if not 3 <= len(known) <= FEW_NUMBERS or counts.min() < FEWEST_OF_CLASS:
        return False
    return known[0] in (0, 1) and bool((np.diff(known) == 1).all())


def as_classes(table: Table, column: Column) -> Column:
    """Number the classes of a column from 0.

    Raises:
        DataError: Numbers that are not whole, or too many of them.
    """
    if column.words:
        return column
    known = np.unique(column.values[~np.isnan(column.values)])
    odd = np.flatnonzero(column.values % 1 > 0)
    if len(odd):
        raise DataError(
            f"{table.label}: column {column.name!r}, {table.where(odd[0])}: {column.values[odd[0]]:g} is not a class, "
            "classes are words or whole numbers: recode it, or say task='regression'"
        )
    if len(known) > MOST_CLASSES:
        raise DataError(
            f"{table.label}: column {column.name!r} has {len(known)} different numbers, at most {MOST_CLASSES} can be "
            "classes: say task='regression', or recode it"
        )
    words = tuple(f"{number:g}" for number in known)
    values = np.where(np.isnan(column.values), np.nan, np.searchsorted(known, column.values))
    return Column(column.name, values, words, column.note)


def refuse_mixture(table: Table, few: Sequence[Column], many: Sequence[Column]) -> None:
    """Raise where some columns hold two classes and others more."""
    if few and many:
        raise DataError(
            f"{table.label}: {quote([c.name for c in few])} hold two classes but {quote([c.name for c in many])} "
            "more: choose tasks= of one kind, or say task='multiclass' to treat all alike"
        )
