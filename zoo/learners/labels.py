"""Labels of other data for the tasks that a learner was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zoo.data import DataError, MoleculeDataset
from zoo.data import load as load_data
from zoo.data.row_arrays import count_classes
from zoo.learners.own_features import take_features
from zoo.recipe.fitted import Fitted
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES


def by_name(data: Any, fitted: Fitted) -> MoleculeDataset:
    """Find the labels of a learner's tasks, by name.

    Args:
        data: A data set, or what `zoo.data.load` takes.
        fitted: With the names of the tasks; without, all labels are returned as they are.

    Raises:
        DataError: Some of several tasks are missing. A single task may have another name, which is warned about.
    """
    if isinstance(data, MoleculeDataset):
        return take_features(reorder(data, fitted.task_names), fitted.feature_names)
    columns = fitted.feature_names or None
    if not fitted.task_names:
        return load_data(data, feature_columns=columns)
    try:
        words = class_words(fitted)
        return load_data(data, tasks=fitted.task_names, feature_columns=columns, task=fitted.task, label_names=words)
    except DataError:
        found = load_data(data, feature_columns=columns)
        if set(fitted.task_names) <= set(found.task_names):
            raise
        return reorder(found, fitted.task_names)


def class_words(fitted: Fitted) -> dict[str, list[str]] | None:
    """Words of the classes by task, where these are several; `None` for other kinds of target."""
    several = kinds.labels_of(fitted.task) == CLASSES
    return {task: list(words) for task, words in fitted.label_names.items()} if several else None


def as_kind(dataset: MoleculeDataset, task: str) -> MoleculeDataset:
    """Read a data set as another kind of target where both have the same labels, such as numbers; else return it."""
    if kinds.same_task(dataset.task, task) or kinds.labels_of(dataset.task) != kinds.labels_of(task):
        return dataset
    metric = dataset.metric if dataset.metric in kinds.metrics_of(task) else kinds.default_metric(task)
    return replace(
        dataset, task=task, metric=metric, metric_args=dataset.metric_args if metric == dataset.metric else {}
    )


def check_labels(dataset: MoleculeDataset, fitted: Fitted, num_classes: int = 0) -> MoleculeDataset:
    """Return a data set with the labels that a learner was built for, its classes numbered as in training.

    Args:
        dataset: Its tasks in the order of the learner's.
        fitted: Tasks and words of the learner.
        num_classes: C of the learner's targets; 0 where a prediction is one number.

    Raises:
        ValueError: Another number or kind of tasks, or a word is class 1 that was class 0 in training.
        DataError: A class that the learner does not know.
    """
    if dataset.num_tasks != fitted.num_tasks or not kinds.same_task(dataset.task, fitted.task):
        raise ValueError(
            f"{dataset.name} has {dataset.num_tasks} {dataset.task} task(s), this learner was built for "
            f"{fitted.num_tasks} {fitted.task} task(s): build it with dataset={dataset.name!r}, or with "
            f"num_tasks={dataset.num_tasks}, task={dataset.task!r}"
        )
    if num_classes:
        return with_trained_classes(dataset, fitted.label_names, num_classes)
    refuse_swapped_words(dataset, fitted.label_names)
    return dataset


def refuse_swapped_words(dataset: MoleculeDataset, label_names: Mapping[str, Sequence[str]]) -> None:
    """Raise a `ValueError` if a word of a data set means class 1 that meant class 0 in training, or the reverse.

    Args:
        dataset: With two classes.
        label_names: Words of the classes in training, by task.
    """
    for task, trained in label_names.items():
        words = dataset.label_names.get(task, ("", ""))
        if trained[0].lower() == words[1].lower() or trained[1].lower() == words[0].lower():
            raise ValueError(
                f"{dataset.name}: column {task!r} has {words[0]!r} as class 0 and {words[1]!r} as class 1, but "
                f"this learner was trained with {trained[0]!r} as class 0 and {trained[1]!r} as class 1: "
                "write the words that it was trained with"
            )


def with_trained_classes(
    dataset: MoleculeDataset, label_names: Mapping[str, Sequence[str]], num_classes: int
) -> MoleculeDataset:
    """Number the classes of a data set as in training.

    Args:
        dataset: With several classes.
        label_names: Words of the classes in training, by task; empty before it.
        num_classes: Most that the learner can tell apart.

    Raises:
        DataError: A class that the learner does not know.
    """
    targets, names = dataset.targets.copy(), dict(dataset.label_names)
    for column, task in enumerate(dataset.task_names):
        trained, own = label_names.get(task), dataset.label_names.get(task)
        if not trained or not own or list(trained) == list(own):
            continue
        places = {word.lower(): number for number, word in enumerate(trained)}
        if unknown := [word for word in own if word.lower() not in places]:
            raise DataError(
                f"{dataset.name}: column {task!r} has class {unknown[0]!r}, which this learner does not know; it was "
                f"trained with {', '.join(map(repr, trained))}: leave these rows out, or train it anew"
            )
        numbers = np.array([places[word.lower()] for word in own], dtype=np.float64)
        known = ~np.isnan(targets[:, column])
        targets[known, column] = numbers[targets[known, column].astype(np.int64)]
        names[task] = tuple(trained)
    if count_classes(targets, {} if label_names else names) > num_classes:
        raise DataError(
            f"{dataset.name} has {dataset.num_classes} classes, this learner was built for {num_classes}: build it "
            f'with dataset={dataset.name!r}, or with task_args={{"num_classes": {dataset.num_classes}}}'
        )
    return replace(dataset, targets=targets, label_names=names, num_classes=num_classes)


def reorder(dataset: MoleculeDataset, names: tuple[str, ...]) -> MoleculeDataset:
    """Return the data set with these tasks only, in this order."""
    if not names or dataset.task_names == names:
        return dataset
    missing = [name for name in names if name not in dataset.task_names]
    if not missing:
        columns = [dataset.task_names.index(name) for name in names]
        bounds = None if dataset.bounds is None else dataset.bounds[:, columns]
        return replace(dataset, task_names=names, targets=dataset.targets[:, columns], bounds=bounds)
    if len(names) == dataset.num_tasks == 1:
        warnings.warn(f"{dataset.name}: {dataset.task_names[0]!r} is taken for the task {names[0]!r}", stacklevel=4)
        return dataset
    raise DataError(
        f"{dataset.name}: no labels for {', '.join(map(repr, missing))}, which the learner was trained to predict; "
        f"there are {', '.join(map(repr, dataset.task_names))}: rename the columns, or add those that are missing"
    )
