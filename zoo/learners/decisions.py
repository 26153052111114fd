"""Decisions for a class: thresholds of two classes, the likeliest of several, and their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.arrays import Objects
from zoo.recipe.fitted import Fitted
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.tasks import choose_thresholds
from zoo.tasks.bootstrap import missing_rows
from zoo.tasks.class_scores import DEFAULT_THRESHOLD, likeliest


def thresholds_of(fitted: Fitted, threshold: float | None = None) -> list[float] | None:
    """Thresholds of the tasks (T); `None` where no task has two classes. Tasks of other kinds have no use for theirs.

    Args:
        fitted: With the thresholds that training chose.
        threshold: Takes their place.

    Raises:
        ValueError: It is not a probability, or no task has two classes.

    Example:
        >>> thresholds_of(Fitted(2, "binary", task_names=("a", "b"), thresholds={"b": 0.3}))
        [0.5, 0.3]
    """
    if not any(has_two_classes(fitted)):
        if threshold is not None:
            raise ValueError(f"threshold={threshold}: the targets are of kind {fitted.task!r}: leave it out")
        return None
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"threshold={threshold}: give a probability from 0 to 1")
    chosen = fitted.thresholds
    return [chosen.get(name, DEFAULT_THRESHOLD) if threshold is None else threshold for name in fitted.output_names]


def has_two_classes(fitted: Fitted) -> list[bool]:
    """Whether each task (T) has two classes, between which a threshold decides."""
    return [kinds.labels_of(kind) == ZERO_ONE for kind in fitted.kind_by_task]


def with_thresholds(fitted: Fitted, valid: MoleculeDataset, predictions: np.ndarray, metric: str | None) -> Fitted:
    """Return what training found with thresholds between two classes, chosen on a validation part.

    Args:
        fitted: What training found.
        valid: Molecules and labels that the learner was not trained on.
        predictions: Its probabilities for them (n, T); (n, K) where tasks are of several kinds.
        metric: What is maximised; `None` leaves the thresholds at 0.5.
    """
    tasks = np.flatnonzero(has_two_classes(fitted))
    if metric is None or not len(tasks):
        return replace(fitted, thresholds={})
    probabilities = np.stack([of_tasks(predictions, fitted)[task] for task in tasks], axis=1)
    names = [valid.task_names[task] for task in tasks]
    return replace(fitted, thresholds=choose_thresholds(valid.targets[:, tasks], probabilities, names, metric))


def mean_thresholds(members: Sequence[Fitted], weights: Sequence[float]) -> dict[str, float]:
    """Weighted mean of what the members of an ensemble decide by, for the tasks in which one has a threshold."""
    named = dict.fromkeys(name for fitted in members for name in fitted.thresholds)
    cuts = {name: [fitted.thresholds.get(name, DEFAULT_THRESHOLD) for fitted in members] for name in named}
    return {name: float(np.average(each, weights=weights)) for name, each in cuts.items()}


def of_tasks(values: np.ndarray, fitted: Fitted) -> list[np.ndarray]:
    """Predictions of each task: numbers (n,), or probabilities of its classes (n, C).

    Args:
        values: (n, T) or (n, T, C); (n, K) of tasks of several kinds.
        fitted: With their kinds.
    """
    if not fitted.task_kinds:
        return [values[:, task] for task in range(values.shape[1])]
    several = [kinds.labels_of(kind) == CLASSES for kind in fitted.task_kinds]
    widths = [fitted.task_args["num_classes"] if each else 1 for each in several]
    parts = np.split(values, np.cumsum(widths)[:-1], axis=1)
    return [part if each else part[:, 0] for part, each in zip(parts, several, strict=True)]


def decide_classes(values: np.ndarray, fitted: Fitted) -> dict[str, Objects] | None:
    """Word of the class of each molecule (n,) by task, its number where classes have no words.

    Args:
        values: Predictions (n, T) or (n, T, C); (n, K) of tasks of several kinds.
        fitted: Kind of target, thresholds and words.

    Returns:
        Texts, empty where there is no prediction; `None` for kinds of target without classes.
    """
    if kinds.labels_of(fitted.task) in (NUMBERS, ""):
        return None
    thresholds = thresholds_of(fitted)
    found: dict[str, Objects] = {}
    for task, (name, predicted) in enumerate(zip(fitted.output_names, of_tasks(values, fitted), strict=True)):
        if kinds.labels_of(fitted.kind_by_task[task]) == NUMBERS:
            continue
        known = ~missing_rows(predicted)
        cut = DEFAULT_THRESHOLD if thresholds is None else thresholds[task]
        numbers = likeliest(predicted[known].astype(np.float64), cut)
        words = fitted.label_names.get(name, ())
        names = [str(words[each]) if each < len(words) else str(each) for each in range(numbers.max(initial=0) + 1)]
        found[name] = np.full(len(values), "", dtype=object)
        found[name][known] = np.array(names, dtype=object)[numbers]
    return found
