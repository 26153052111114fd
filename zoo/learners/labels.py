"""Labels of other data for the tasks that a learner was trained on."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from zoo.data import DataError, MoleculeDataset
from zoo.data import load as load_data
from zoo.recipe.fitted import Fitted


def by_name(data: Any, fitted: Fitted) -> MoleculeDataset:
    """Find the labels of a learner's tasks, by name.

    Args:
        data: A data set, or what `zoo.data.load` takes.
        fitted: With the names of the tasks; without, all labels are returned as they are.

    Raises:
        DataError: Some of several tasks are missing. A single task may have another name, which is warned about.
    """
    if isinstance(data, MoleculeDataset):
        return reorder(data, fitted.task_names)
    if not fitted.task_names:
        return load_data(data)
    try:
        return load_data(data, tasks=fitted.task_names, task=fitted.task)
    except DataError:
        found = load_data(data)
        if set(fitted.task_names) <= set(found.task_names):
            raise
        return reorder(found, fitted.task_names)


def reorder(dataset: MoleculeDataset, names: tuple[str, ...]) -> MoleculeDataset:
    """Return the data set with these tasks only, in this order."""
    if not names or dataset.task_names == names:
        return dataset
    missing = [name for name in names if name not in dataset.task_names]
    if not missing:
        columns = [dataset.task_names.index(name) for name in names]
        return replace(dataset, task_names=names, targets=dataset.targets[:, columns])
    if len(names) == dataset.num_tasks == 1:
        warnings.warn(f"{dataset.name}: {dataset.task_names[0]!r} is taken for the task {names[0]!r}", stacklevel=4)
        return dataset
    raise DataError(
        f"{dataset.name}: no labels for {', '.join(map(repr, missing))}, which the learner was trained to predict; "
        f"there are {', '.join(map(repr, dataset.task_names))}: rename the columns, or add those that are missing"
    )
