"""Labels of other data for the tasks that a learner was trained on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from zoo.data import DataError, MoleculeDataset
from zoo.data import load as load_data
from zoo.data.kinds_apart import take_tasks
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
    columns = columns_of_inputs(fitted)
    if not fitted.task_names:
        return load_data(data, **columns)
    try:
        return load_data(data, **columns, **reading_of(fitted))
    except DataError:
        found = load_data(data, **columns)
        if set(fitted.task_names) <= set(found.task_names):
            raise
        return reorder(found, fitted.task_names)


def columns_of_inputs(fitted: Fitted) -> dict[str, Any]:
    """Options that read the columns of features and of several molecules that a learner needs."""
    return {"feature_columns": fitted.feature_names or None, "smiles_columns": fitted.smiles_columns or None}


def reading_of(fitted: Fitted) -> dict[str, Any]:
    """Options that read the labels of a learner's tasks: their columns, kinds, and the words of several classes."""
    by_task = dict(zip(fitted.task_names, fitted.kind_by_task, strict=True))
    words = {task: list(names) for task, names in fitted.label_names.items() if has_several(by_task.get(task, ""))}
    kind: dict[str, Any] = {"task_kinds": by_task} if fitted.task_kinds else {"task": fitted.task}
    return {"tasks": fitted.task_names, "label_names": words or None, **kind}


def has_several(kind: str) -> bool:
    """Return whether targets of a kind have several classes."""
    return bool(kind) and kinds.labels_of(kind) == CLASSES


def as_kind(dataset: MoleculeDataset, task: str) -> MoleculeDataset:
    """Read a data set as another kind of target where both have the same labels, such as numbers; else return it."""
    if kinds.same_task(dataset.task, task) or kinds.labels_of(dataset.task) != kinds.labels_of(task):
        return dataset
    metric = dataset.metric if dataset.metric in kinds.metrics_of(task) else kinds.default_metric(task)
    return replace(
        dataset, task=task, metric=metric, metric_args=dataset.metric_args if metric == dataset.metric else {}
    )


def check_labels(dataset: MoleculeDataset, fitted: Fitted) -> MoleculeDataset:
    """Return a data set with the labels that a learner was built for, its classes numbered as in training.

    Args:
        dataset: Its tasks in the order of the learner's.
        fitted: Tasks and words of the learner.

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
    pairs = zip(dataset.task_names, dataset.task_kinds, fitted.task_kinds, strict=False)
    if other := [(name, own, kind) for name, own, kind in pairs if not kinds.same_task(own, kind)]:
        name, own, kind = other[0]
        raise ValueError(
            f"{dataset.name}: {name!r} was read as {own}, this learner was built for {kind}: name its kind with "
            f"tasks={{{name!r}: {kind!r}}}"
        )
    several = [name for name, kind in zip(dataset.task_names, dataset.kind_by_task, strict=True) if has_several(kind)]
    refuse_swapped_words(dataset, {name: words for name, words in fitted.label_names.items() if name not in several})
    if not several:
        return dataset
    return with_trained_classes(dataset, fitted.label_names, fitted.task_args.get("num_classes", 0))


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
    several = [place for place, kind in enumerate(dataset.kind_by_task) if has_several(kind)]
    for column, task in ((place, dataset.task_names[place]) for place in several):
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
    if count_classes(targets, {} if label_names else names, dataset.task_names, several) > num_classes:
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
        return take_tasks(dataset, [dataset.task_names.index(name) for name in names])
    if len(names) == dataset.num_tasks == 1:
        warnings.warn(f"{dataset.name}: {dataset.task_names[0]!r} is taken for the task {names[0]!r}", stacklevel=4)
        return dataset
    raise DataError(
        f"{dataset.name}: no labels for {', '.join(map(repr, missing))}, which the learner was trained to predict; "
        f"there are {', '.join(map(repr, dataset.task_names))}: rename the columns, or add those that are missing"
    )
