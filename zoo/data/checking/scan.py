"""`check`: the content of a source and the problems that training would have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from typing_extensions import Unpack

from zoo.data.checking.report import DataReport, TaskSummary
from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.labels.roles import Roles, find_roles
from zoo.data.loading import assemble
from zoo.data.molecules import read_molecule
from zoo.data.reading.sources import Opened, open_source
from zoo.data.splits.rules import group_by
from zoo.recipe.options import ReadKeywords, ReadOptions
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE

MOST = 10


def check(
    source: Any,
    options: ReadOptions | None = None,
    *,
    base_url: str | None = None,
    **reading: Unpack[ReadKeywords],
) -> DataReport:
    """Describe a source; the arguments are those of `load`.

    Raises:
        DataError: The source cannot be loaded.

    Example:
        >>> check((["CCO", "OCC", "c1ccccc1"], [0, 1, 0])).duplicates
        1
    """
    chosen = ReadOptions.of(options, reading)
    opened = open_source(source, chosen, base_url=base_url)
    roles = find_roles(opened, chosen)
    return _report(opened, roles, assemble(opened, roles, chosen))


def _report(opened: Opened, roles: Roles, data: MoleculeDataset) -> DataReport:
    atoms = np.array([read_molecule(smiles).GetNumHeavyAtoms() for smiles in data.smiles])
    repeated = [group for group in group_by(data.canonical_smiles) if len(group) > 1]
    places = data.rows if data.lines is None else data.lines
    conflicts = {data.canonical_smiles[group[0]]: places[group].tolist() for group in repeated if _differ(data, group)}
    counts = Counter(data.scaffolds)
    splits: dict[str, list[int] | str] = {}
    for rule in ["scaffold", "random"] + ["column"] * (data.splits is not None):
        try:
            splits[rule] = [len(part) for part in data.split(rule).indices]
        except DataError as error:
            splits[rule] = str(error)
    return DataReport(
        name=data.name,
        rows=len(opened.table.frame),
        molecules=len(data),
        columns=_uses(opened, roles),
        task=data.task,
        metric=data.metric,
        tasks=_summaries(data),
        invalid=data.invalid,
        counted="row" if data.lines is None else "line",
        duplicates=len(repeated),
        conflicts=conflicts,
        scaffolds=len(counts),
        largest_scaffold=max(counts.values()),
        mixtures=sum("." in smiles for smiles in data.canonical_smiles),
        single_atoms=int((atoms <= 1).sum()),
        largest=int(atoms.max()),
        splits=splits,
        notes=data.notes,
        problems=roles.doubts + _problems(data, conflicts, len(repeated), splits),
    )


def _uses(opened: Opened, roles: Roles) -> dict[str, str]:
    special = dict.fromkeys((roles.smiles, *roles.partners), "SMILES") | dict.fromkeys(roles.tasks, "task")
    special |= dict.fromkeys(roles.features, "feature")
    if roles.split:
        special[roles.split] = "split"
    return {name: special.get(name, "not used") for name in opened.table.frame.columns}


def _differ(data: MoleculeDataset, group: Sequence[int]) -> bool:
    """Return whether rows of one molecule contradict each other in any task; missing labels agree with all."""
    targets = data.targets[group]
    sides = np.zeros(targets.shape, np.int8) if data.bounds is None else data.bounds[group]
    known = ~np.isnan(targets)
    highest = np.where(known & (sides <= 0), targets, np.inf).min(axis=0)
    lowest = np.where(known & (sides >= 0), targets, -np.inf).max(axis=0)
    return bool((lowest > highest).any())


def _summaries(data: MoleculeDataset) -> dict[str, TaskSummary]:
    """Summaries of the labels by task."""
    found = {}
    columns = zip(data.task_names, data.kind_by_task, data.targets.T, data.exact_targets.T, strict=True)
    for name, kind, column, exact in columns:
        bounds = int((~np.isnan(column) & np.isnan(exact)).sum())
        summary = _summary(exact, kind)
        found[name] = replace(summary, missing=summary.missing - bounds, bounds=bounds) if bounds else summary
    return found


def _summary(column: np.ndarray, task: str) -> TaskSummary:
    known = column[~np.isnan(column)]
    missing = len(column) - len(known)
    if kinds.labels_of(task) == ZERO_ONE:
        return TaskSummary(len(known), missing, positives=int(known.sum()))
    if kinds.labels_of(task) == CLASSES:
        return TaskSummary(len(known), missing, classes=tuple(np.bincount(known.astype(np.int64)).tolist()))
    if not len(known):
        return TaskSummary(0, missing)
    numbers = (float(known.mean()), float(known.std()), float(known.min()), float(known.max()))
    return TaskSummary(len(known), missing, None, *numbers)


def _problems(
    data: MoleculeDataset, conflicts: dict[str, list[int]], repeated: int, splits: dict[str, list[int] | str]
) -> list[str]:
    problems = [] if data.num_tasks else ["there are no labels: molecules can be predicted, nothing can be learned"]
    if data.invalid:
        problems.append(f"{len(data.invalid)} rows have SMILES that cannot be used: correct them, or they are left out")
    if repeated:
        problems.append(f"{repeated} molecules occur more than once: a random split keeps each in one part")
    if conflicts:
        problems.append(f"{len(conflicts)} of them have different labels: keep one row of each, or their mean")
    for name, kind, column in zip(data.task_names, data.kind_by_task, data.exact_targets.T, strict=True):
        known = column[~np.isnan(column)]
        if not len(known):
            problems.append(f"task {name!r} has no labels (bounds do not count): leave it out of tasks=")
        elif known.min() == known.max():
            what = "the same value everywhere" if kinds.labels_of(kind) == NUMBERS else "one class only"
            problems.append(f"task {name!r} has {what}: leave it out of tasks=")
        elif kinds.labels_of(kind) == ZERO_ONE and min(known.sum(), (1 - known).sum()) < MOST:
            problems.append(f"task {name!r} has {int(known.sum())} positives of {len(known)}: its metric will be noise")
    problems += [text for text in splits.values() if isinstance(text, str)]
    return problems
