"""Report of a split: sizes, positives, scaffolds and duplicates of its parts, and their deficiencies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

from zoo.data.errors import DataError, printable
from zoo.registry import kinds
from zoo.registry.catalog import SPLITS
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE

PART_NAMES = ("train", "valid", "test")


class Labelled(Protocol):
    """Protocol of the datasets that are reported; `MoleculeDataset` follows it."""

    @property
    def name(self) -> str:
        """Name in reports."""

    @property
    def targets(self) -> np.ndarray:
        """Labels (n, T), NaN where missing."""

    @property
    def exact_targets(self) -> np.ndarray:
        """Labels (n, T) that are no bounds, NaN elsewhere."""

    @property
    def task_names(self) -> tuple[str, ...]:
        """Names of the tasks (T)."""

    @property
    def task(self) -> str:
        """Kind of target."""

    @property
    def kind_by_task(self) -> tuple[str, ...]:
        """Kind of target of each task (T)."""

    @property
    def num_tasks(self) -> int:
        """Number of tasks T."""

    @property
    def canonical_smiles(self) -> list[str]:
        """Canonical SMILES of each molecule (n)."""

    @property
    def scaffolds(self) -> list[str]:
        """Scaffold of each molecule (n)."""

    def __len__(self) -> int: ...


@dataclass(frozen=True)
class PartSummary:
    """Summary of one part.

    Args:
        size: Molecules.
        scaffolds: Distinct Bemis-Murcko scaffolds.
        labels: Labels of each task that are not missing (bounds count).
        positives: Share of class 1 among them (classification), else `None`; `None` for a task without labels.
        means: Mean label of each task (regression), else `None`.
    """

    size: int
    scaffolds: int
    labels: dict[str, int]
    positives: dict[str, float | None] | None
    means: dict[str, float | None] | None


@dataclass(frozen=True)
class SplitReport:
    """All three parts and what they share; `str()` of it is a table.

    Args:
        name: The rule.
        seed: Its seed.
        parts: Summary of train, valid and test.
        left_out: Molecules that are in no part.
        duplicates_across: Molecules (by canonical SMILES) that occur in more than one part.
        scaffolds_across: Scaffolds that occur in more than one part.
        warnings: Those of the split.
    """

    name: str
    seed: int
    parts: dict[str, PartSummary]
    left_out: int
    duplicates_across: int
    scaffolds_across: int
    warnings: tuple[str, ...]

    @classmethod
    def of(
        cls, data: Labelled, indices: Sequence[np.ndarray], name: str, seed: int, warnings: Sequence[str]
    ) -> SplitReport:
        """Describe the parts at these positions of `data`."""
        return cls(
            name=name,
            seed=seed,
            parts={part: _summary(data, chosen) for part, chosen in zip(PART_NAMES, indices, strict=True)},
            left_out=len(data) - sum(map(len, indices)),
            duplicates_across=_count_shared(data.canonical_smiles, indices),
            scaffolds_across=_count_shared(data.scaffolds, indices),
            warnings=tuple(warnings),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"split {self.name!r}, seed {self.seed}", f"{'part':<6} {'size':>8} {'scaffolds':>9}  labels"]
        for name, part in self.parts.items():
            lines.append(f"{name:<6} {part.size:>8} {part.scaffolds:>9}  {_describe_labels(part)}")
        lines.append(
            f"molecules in more than one part: {self.duplicates_across}; scaffolds in more than one part: "
            f"{self.scaffolds_across}; molecules in no part: {self.left_out}"
        )
        return printable("\n".join(lines + [f"warning: {text}" for text in self.warnings]))


def _summary(data: Labelled, chosen: np.ndarray) -> PartSummary:
    counts = (~np.isnan(data.targets[chosen])).sum(axis=0)
    labels = {kinds.labels_of(kind) for kind in data.kind_by_task}
    averages: dict[str, dict[str, float | None]] = {kind: {} for kind in labels}
    for task, kind, column in zip(data.task_names, data.kind_by_task, data.exact_targets[chosen].T, strict=True):
        average = None if np.isnan(column).all() else float(np.nanmean(column))
        averages[kinds.labels_of(kind)][task] = average
    return PartSummary(
        size=len(chosen),
        scaffolds=len({data.scaffolds[i] for i in chosen}),
        labels={task: int(count) for task, count in zip(data.task_names, counts, strict=True)},
        positives=averages.get(ZERO_ONE),
        means=averages.get(NUMBERS),
    )


def _count_shared(keys: Sequence[str], indices: Sequence[np.ndarray]) -> int:
    """Count the keys that occur in more than one part; molecules without rings share no scaffold worth counting."""
    sets = [{keys[i] for i in part} - {""} for part in indices]
    return sum(map(len, sets)) - len(set().union(*sets))


def _describe_labels(part: PartSummary, most: int = 4) -> str:
    values = [(task, value, "positive") for task, value in (part.positives or {}).items()]
    values += [(task, value, "mean") for task, value in (part.means or {}).items()]
    shown = [
        f"{task}: no labels" if value is None else f"{task}: {value:.3f} {word} of {part.labels[task]}"
        for task, value, word in values[:most]
    ]
    return ", ".join(shown) + (f", ... ({len(values)} tasks)" if len(values) > most else "")


def split_warnings(data: Labelled, indices: Sequence[np.ndarray], name: str) -> list[str]:
    """Name the tasks that a part cannot train or measure.

    Raises:
        DataError: No task can be trained.
    """
    warnings = []
    useless = {
        part: [
            task
            for task, kind, column in zip(data.task_names, data.kind_by_task, data.targets[chosen].T, strict=True)
            if _dead(column, kind)
        ]
        for part, chosen in zip(PART_NAMES, indices, strict=True)
        if len(chosen)
    }
    what = "labels of one class only" if all(map(has_classes, data.kind_by_task)) else "no labels"
    if data.num_tasks and len(useless["train"]) == data.num_tasks:
        if all(_dead(column, kind) for kind, column in zip(data.kind_by_task, data.targets.T, strict=True)):
            raise DataError(f"{data.name}: {what} in every task, nothing to learn: add other ones")
        raise DataError(
            f"{data.name}: the training part of split {name!r} has {what} in every task, nothing to learn: "
            f"{_remedy(data, name, data.task_names)}"
        )
    for part, tasks in useless.items():
        if tasks:
            named = ", ".join(map(repr, tasks[:5])) + (", ..." if len(tasks) > 5 else "")
            warnings.append(
                f"{part} part: {what} for {len(tasks)} of {data.num_tasks} task(s) ({named}), left out of the mean; "
                f"{_remedy(data, name, tasks)}"
            )
    return warnings


def has_classes(kind: str) -> bool:
    """Return whether the labels of a kind of target are classes."""
    return kinds.labels_of(kind) in (ZERO_ONE, CLASSES)


def _dead(column: np.ndarray, kind: str) -> bool:
    known = column[~np.isnan(column)]
    return not len(known) or (has_classes(kind) and known.min() == known.max())


def _remedy(data: Labelled, name: str, tasks: Sequence[str]) -> str:
    """Suggest another split or seed that gives the parts labels of every kind, if the tasks have enough of them."""
    chosen = [
        (column, kind)
        for task, kind, column in zip(data.task_names, data.kind_by_task, data.targets.T, strict=True)
        if task in tasks
    ]
    if any(_rarest(column, kind) < len(PART_NAMES) for column, kind in chosen):
        return "there are too few for three parts: add labels, or leave the task out of tasks="
    if name not in SPLITS or name == "column":
        return "move some of these molecules to that part"
    if data.num_tasks == 1 and name != "random_stratified":
        return "use split='random_stratified'"
    return "use another seed" if name.startswith("random") else "use split='random' or another seed"


def _rarest(column: np.ndarray, kind: str) -> int:
    """Count the labels of the rarest class, or the numbers."""
    known = column[~np.isnan(column)]
    if not has_classes(kind) or not len(known):
        return len(known)
    return int(np.unique(known, return_counts=True)[1].min())
