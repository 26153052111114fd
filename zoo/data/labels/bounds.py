"""Cells that hold a bound, such as `>4.5`, where a measurement ended at the limit of its range."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from zoo.data.row_arrays import EXACT, LOWER, UPPER

SIGNS = {"<": UPPER, "≤": UPPER, "≦": UPPER, "⩽": UPPER, "＜": UPPER, ">": LOWER, "≥": LOWER, "≧": LOWER, "⩾": LOWER}
SIGNS |= {"＞": LOWER}
BOUND = re.compile(rf"^\s*=?([{''.join(SIGNS)}])=?\s*(?=[-+−.,\d])(.+?)\s*$", re.DOTALL)


class Cell(NamedTuple):
    """Text of a number and what it is.

    Args:
        number: The cell without the sign of a bound.
        side: -1 where it is an upper bound, 1 where it is a lower bound, else 0.
    """

    number: Any
    side: int


def split_bound(cell: Any) -> Cell:
    """Take the sign of a bound off a cell; other cells are returned as they are.

    `>= 4.5` means the same as `>4.5`: what was measured is not a number, only where it lies.

    Example:
        >>> split_bound(" ≤ 0.1"), split_bound("-4"), split_bound("=1+1"), split_bound(">>5").side
        (Cell(number='0.1', side=-1), Cell(number='-4', side=0), Cell(number='=1+1', side=0), 0)
    """
    found = BOUND.match(cell) if isinstance(cell, str) else None
    return Cell(cell, EXACT) if found is None else Cell(found[2], SIGNS[found[1]])


def describe_bounds(bounds: np.ndarray | None, targets: np.ndarray, tasks: Sequence[str]) -> list[str]:
    """Say how many labels of each task are bounds, and what becomes of them.

    Args:
        bounds: What each label is (n, T); `None` where all are exact.
        targets: (n, T), NaN where missing.
        tasks: Their names (T).
    """
    if bounds is None:
        return []
    notes = []
    for name, sides, column in zip(tasks, bounds.T, targets.T, strict=True):
        labels = ~np.isnan(column)
        upper, lower = int((sides[labels] == UPPER).sum()), int((sides[labels] == LOWER).sum())
        if upper or lower:
            notes.append(
                f"column {name!r}: {upper + lower} of {int(labels.sum())} labels are bounds ({upper} upper such as "
                f"<1, {lower} lower such as >1): only predictions beyond them cost loss; scaling and metrics take "
                "exact labels"
            )
            if upper + lower == labels.sum():
                notes.append(f"column {name!r} has no exact label: it can be neither scaled nor measured")
    return notes
