"""Decision thresholds between two classes, chosen on data that the model was not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.registry.catalog.targets import THRESHOLD_METRICS
from zoo.tasks.bootstrap import known_rows
from zoo.tasks.class_scores import DEFAULT_THRESHOLD, Decision
from zoo.tasks.metrics import make_metric
from zoo.tasks.scores import is_constant, sort_with_ties

TOLERANCE = 1e-12


def choose_thresholds(
    targets: np.ndarray, predictions: np.ndarray, task_names: Sequence[str], metric: str = "balanced_accuracy"
) -> dict[str, float]:
    """Choose the threshold of each task that gives the best value of a metric.

    Args:
        targets: (n, T), 0 and 1, NaN where a label is missing.
        predictions: Probabilities of class 1 (n, T), NaN where there is none.
        task_names: Names of the tasks (T).
        metric: What is maximised: "balanced_accuracy" (Youden's J), "accuracy", "f1" or "mcc".

    Returns:
        Thresholds by task. Tasks without labels of both classes are left out: theirs stays 0.5.

    Raises:
        ValueError: Another metric.

    Example:
        >>> choose_thresholds(np.array([[0.0], [0.0], [1.0]]), np.array([[0.1], [0.2], [0.3]]), ["toxic"])
        {'toxic': 0.25}
    """
    if metric not in THRESHOLD_METRICS:
        raise ValueError(f"threshold_metric={metric!r}: choose one of {', '.join(THRESHOLD_METRICS)}")
    made, found = make_metric(metric), {}
    assert isinstance(made, Decision)
    for task, name in enumerate(task_names):
        _, labels, probabilities = known_rows(targets[:, task], predictions[:, task])
        if not is_constant(labels):
            found[name] = choose_threshold(labels, probabilities.astype(np.float64), made)
    return found


def choose_threshold(labels: np.ndarray, probabilities: np.ndarray, metric: Decision) -> float:
    """Return the probability from which class 1 is to be predicted; of equally good ones the nearest to 0.5.

    Args:
        labels: Both classes (n,).
        probabilities: Of class 1 (n,).
        metric: What is maximised.
    """
    order, starts = sort_with_ties(probabilities)
    levels = probabilities[order][starts]
    ones = np.append(0, np.add.reduceat(labels[order], starts).cumsum())
    below = np.append(starts, len(labels))
    confusion = np.empty((len(below), 2, 2))
    confusion[:, 1, 0], confusion[:, 0, 0] = ones, below - ones
    confusion[:, 1, 1], confusion[:, 0, 1] = ones[-1] - ones, (len(labels) - ones[-1]) - (below - ones)
    values = np.nan_to_num(metric.of_confusion(confusion), nan=-np.inf)
    cuts = between_levels(levels)
    best = np.flatnonzero(values >= values.max() - TOLERANCE)
    return float(cuts[best[np.argmin(np.abs(cuts[best] - DEFAULT_THRESHOLD))]])


def between_levels(levels: np.ndarray) -> np.ndarray:
    """Thresholds (G + 1,) around and halfway between ascending probabilities (G,)."""
    halfway = (levels[:-1] + levels[1:]) / 2
    halfway = np.where(halfway > levels[:-1], halfway, levels[1:])  # neighbours in float64 have no middle
    above = (levels[-1] + 1) / 2
    return np.array([levels[0] / 2, *halfway, above if above > levels[-1] else np.nextafter(levels[-1], 2.0)])
