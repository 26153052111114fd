"""`Finding`: the result of one check of an audit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.tasks import format_value
from zoo.views.classes import class_name

GOOD, CARE, BAD = "good", "care", "bad"
MOST_EXAMPLES, SEED = 6, 0


@dataclass(frozen=True)
class Example:
    """Molecules that show what was found.

    Args:
        smiles: One, or a pair.
        lines: Where they are, and their labels.
    """

    smiles: tuple[str, ...]
    lines: tuple[str, ...]

    @classmethod
    def of(cls, dataset: MoleculeDataset, rows: Sequence[int], note: str = "", task: int | None = None) -> Example:
        """Show some molecules of a data set, with their labels of a task."""
        lines = [note] if note else []
        for row in rows:
            label = "" if task is None else f": {dataset.task_names[task]} {format_label(dataset, row, task)}"
            lines.append(f"{dataset.where(row)}{label}")
        return cls(tuple(dict.fromkeys(dataset.smiles[row] for row in rows)), tuple(lines))


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Args:
        name: Of the check.
        level: "good", "care" or "bad".
        text: What was found, in a sentence.
        count: How many molecules, pairs or groups of molecules.
        examined: What was looked at; says so where it is a sample.
        remedy: What to do; empty where nothing is to be done.
        examples: A few of them.
        table: More numbers, `{name: value}`.
    """

    name: str
    level: str
    text: str
    count: int
    examined: str
    remedy: str = ""
    examples: tuple[Example, ...] = ()
    table: dict[str, Any] = field(default_factory=dict)


def format_label(dataset: MoleculeDataset, row: int, task: int) -> str:
    """Write a label: its word, or its number."""
    value = float(dataset.targets[row, task])
    name = dataset.task_names[task]
    return class_name(dataset, task, value) if name in dataset.label_names and value == value else format_value(value)


def draw_rows(size: int, most: int) -> np.ndarray:
    """Draw at most this many positions, always the same ones, in their order."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.default_rng(SEED).permutation(size)[:most])


def describe_examined(chosen: int, size: int, what: str = "molecules") -> str:
    """Say how many were looked at.

    Example:
        >>> describe_examined(10, 10), describe_examined(10, 99)
        ('all 10 molecules', '10 molecules drawn from 99')
    """
    return f"all {size:,} {what}" if chosen == size else f"{chosen:,} {what} drawn from {size:,}"
