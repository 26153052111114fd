"""Choices about targets that the training part decides: their scaling, and the weights of tasks and classes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from zoo.data import DataError, MoleculeDataset
from zoo.data.errors import quote
from zoo.recipe.options import TrainingOptions
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS
from zoo.tasks import TargetScaler, Task, Weighting
from zoo.tasks.scaling import require_defined
from zoo.tasks.transforms import transforms_of

BALANCED = "balanced"


def settle_targets(
    task: Task,
    dataset: MoleculeDataset,
    train: MoleculeDataset,
    options: TrainingOptions,
    fit: Callable[..., TargetScaler | None] | None = None,
) -> tuple[TargetScaler | None, Weighting]:
    """Return the scaling of the targets and the weights in the loss; warn about classes that cannot be learned.

    Args:
        task: Kind of target.
        dataset: All parts.
        train: Training part.
        options: With transforms and weights.
        fit: Fits the scaling; `None` takes `fit_scaler`.
    """
    for place, name in enumerate(train.task_names):
        absent = absent_classes(dataset, train, place)
        if absent:
            warnings.warn(
                f"{dataset.name}: the training part has no molecule of class {quote(absent, 5)} of task {name!r}, "
                "which cannot be learned: split differently, such as by random_stratified",
                stacklevel=4,
            )
    return (fit or fit_scaler)(task, dataset, train, options), find_weighting(train, options)


def absent_classes(dataset: MoleculeDataset, train: MoleculeDataset, task: int) -> list[str]:
    """Classes of a task that are somewhere in a data set and not in its training part."""
    words, (everywhere, known) = classes_of(dataset, task), (part.targets[:, task] for part in (dataset, train))
    if not words or np.isnan(known).all():
        return []
    return [words[int(each)] for each in np.setdiff1d(everywhere[~np.isnan(everywhere)], known)]


def fit_scaler(
    task: Task, dataset: MoleculeDataset, train: MoleculeDataset, options: TrainingOptions
) -> TargetScaler | None:
    """Fit the scaling of targets on the training part; `None` where targets are not scaled.

    Args:
        task: Kind of target.
        dataset: All parts, in which transforms must be defined.
        train: Training part.
        options: With `target_transform`.

    Raises:
        DataError: A task in which there is nothing to learn, or a label that its transform is not defined for.
        ValueError: A transform of classes.
    """
    names = train.task_names
    if not task.scaled:
        if options.target_transform is not None:
            raise ValueError(
                f"target_transform={options.target_transform!r} is for numbers, and the task is {dataset.task}: leave "
                "it out"
            )
        return None
    numbers = tuple(name for place, name in enumerate(names) if place not in task.unscaled)
    chosen = dict(zip(numbers, transforms_of(options.target_transform, numbers), strict=True))
    transforms = [chosen.get(name) for name in names]
    scaler = TargetScaler.fit(train.exact_targets, names, transforms=transforms, unscaled=task.unscaled)
    for name, column, transform in zip(names, dataset.targets.T, scaler.transforms, strict=False):
        require_defined(name, column[~np.isnan(column)], transform)
    return scaler


def find_weighting(train: MoleculeDataset, options: TrainingOptions) -> Weighting:
    """Resolve the weights of tasks and classes by the training part.

    Args:
        train: Training part.
        options: With `task_weights` and `class_weight`.

    Raises:
        DataError: Weights of tasks or classes that are not there, or weights that leave nothing to learn.
        ValueError: Weights of the classes of numbers.
    """
    if train.weights is not None and len(train) and not train.weights.any():
        raise DataError(
            f"{train.name}: all weights of the training part are 0, so that nothing would be learned: split "
            "differently, or correct the weights"
        )
    return Weighting(task_weights(train, options.task_weights), class_weights(train, options.class_weight))


def task_weights(train: MoleculeDataset, given: Mapping[str, float] | Sequence[float] | None) -> tuple[float, ...]:
    """Weight of each task (T), 1 for tasks that are not named; empty where none was given."""
    if not given:
        return ()
    names = train.task_names
    if not isinstance(given, Mapping):
        if len(given) != len(names):
            raise DataError(f"{len(given)} task_weights for {len(names)} tasks ({quote(names)}): give one for each")
        given = dict(zip(names, given, strict=True))
    if unknown := [name for name in given if name not in names]:
        raise DataError(f"task_weights of {quote(unknown)}, which are not tasks: choose among {quote(names)}")
    found = tuple(number("task_weights", name, given.get(name, 1.0)) for name in names)
    if not any(found):
        raise DataError("task_weights are all 0, so that nothing would be learned: give one task more")
    return found


def class_weights(train: MoleculeDataset, given: Any) -> tuple[tuple[float, ...], ...]:
    """Weights of the classes of each task (T), class 0 first; empty where none were given."""
    if given is None:
        return ()
    names = [name for task, name in enumerate(train.task_names) if classes_of(train, task)]
    if not names:
        raise ValueError(f"class_weight={given!r} is for classes, and the task is {train.task}: leave it out")
    by_task = dict(given) if isinstance(given, Mapping) and set(given) <= set(names) else dict.fromkeys(names, given)
    found: list[tuple[float, ...]] = []
    for task, name in enumerate(train.task_names):
        wanted, classes = by_task.get(name), classes_of(train, task)
        if wanted is None or not classes:
            found.append(())
        elif wanted == BALANCED:
            found.append(balanced(train.targets[:, task], len(classes)))
        else:
            found.append(given_weights(name, classes, wanted))
    return tuple(found)


def classes_of(dataset: MoleculeDataset, task: int) -> tuple[str, ...]:
    """Words or numbers of the classes of a task, class 0 first; empty where it is a number."""
    labels, name = kinds.labels_of(dataset.kind_by_task[task]), dataset.task_names[task]
    if labels == NUMBERS:
        return ()
    count = dataset.num_classes if labels == CLASSES else 2
    words = dataset.label_names.get(name, ())
    return (*words, *map(str, range(len(words), count)))


def balanced(labels: np.ndarray, num_classes: int) -> tuple[float, ...]:
    """Weights that give all classes of a task the same sum, as scikit-learn's; 1 for a class without labels.

    Args:
        labels: (n,), NaN where missing.
        num_classes: C.

    Example:
        >>> balanced(np.array([0.0, 0.0, 0.0, 1.0, np.nan]), 2)
        (0.6666666666666666, 2.0)
    """
    counts = np.bincount(labels[~np.isnan(labels)].astype(np.int64), minlength=num_classes)
    present = int((counts > 0).sum())
    return tuple(float(counts.sum() / (present * count)) if count else 1.0 for count in counts)


def given_weights(task: str, classes: Sequence[str], given: Any) -> tuple[float, ...]:
    """Weights of the classes of a task, as a user gave them: a list, or by word or number.

    Raises:
        DataError: Another number of weights, an unknown class, or only zeros.
        ValueError: Something else than weights.
    """
    if isinstance(given, str) or not isinstance(given, (Mapping, Sequence)):
        raise ValueError(
            f"class_weight={given!r}: give 'balanced', one weight for each class ({quote(classes, 5)}), or weights by "
            "class"
        )
    if isinstance(given, Mapping):
        places = {word.lower(): place for place, word in reversed([*enumerate(classes)])}
        places |= {str(place): place for place in range(len(classes)) if str(place) not in places}
        weights = [1.0] * len(classes)
        for word, weight in given.items():
            if str(word).lower() not in places:
                raise DataError(f"class_weight of {word!r}: task {task!r} has the classes {quote(classes, 5)}")
            weights[places[str(word).lower()]] = number("class_weight", str(word), weight)
    else:
        if len(given) > len(classes) or len(given) < 2:
            raise DataError(
                f"{len(given)} class weights for the {len(classes)} classes of task {task!r} ({quote(classes, 5)}): "
                "give one for each"
            )
        weights = [number("class_weight", word, weight) for word, weight in zip(classes, given, strict=False)]
        weights += [1.0] * (len(classes) - len(weights))
    if not any(weights):
        raise DataError(f"class_weight of task {task!r} is 0 for all classes, so that nothing would be learned")
    return tuple(weights)


def number(option: str, name: str, weight: Any) -> float:
    """Return a weight as a number.

    Raises:
        ValueError: It is not a number of at least 0.
    """
    try:
        found = float(weight)
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found < math.inf:
        raise ValueError(f"{option}: {weight!r} of {name!r} is no weight: give a number of at least 0")
    return found
