"""Metrics over several tasks with missing labels, computed by scikit-learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np

Score = Callable[[np.ndarray, np.ndarray], float]


def score_by(name: str) -> Score:
    """One of scikit-learn's metrics, imported at its first use: that takes a second, which predicting can spare."""

    def score(targets: np.ndarray, predictions: np.ndarray) -> float:
        return getattr(import_module("sklearn.metrics"), name)(targets, predictions)

    return score


def accuracy(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Share of the labels that are on the right side of 0.5."""
    return score_by("accuracy_score")(targets, probabilities >= 0.5)


CLASSIFICATION: dict[str, Score] = {
    "roc_auc": score_by("roc_auc_score"),
    "prc_auc": score_by("average_precision_score"),
    "accuracy": accuracy,
}
REGRESSION: dict[str, Score] = {
    "rmse": score_by("root_mean_squared_error"),
    "mae": score_by("mean_absolute_error"),
    "r2": score_by("r2_score"),
}
METRICS: dict[str, Score] = {**CLASSIFICATION, **REGRESSION}
SMALLER_IS_BETTER = frozenset({"rmse", "mae"})
DEFAULT_METRIC = {"classification": "roc_auc", "regression": "rmse"}


@dataclass(frozen=True)
class MetricResult:
    """A metric over several tasks.

    Args:
        value: Mean over the tasks where the metric is defined; NaN where there is none.
        per_task: One value per task, NaN where the metric is not defined.
        left_out: `(task number, reason)` for the tasks that are not in the mean.
    """

    value: float
    per_task: np.ndarray
    left_out: tuple[tuple[int, str], ...] = ()


def check_metric(name: str, task: str) -> None:
    """Raise a `ValueError` that names the metrics of the task unless `name` is one of them."""
    known = CLASSIFICATION if task == "classification" else REGRESSION
    if name not in known:
        raise ValueError(f"metric {name!r} is not one for {task}: choose one of {', '.join(known)}")


def improved(name: str, value: float, best: float | None) -> bool:
    """Whether `value` beats `best`; NaN never does."""
    if np.isnan(value):
        return False
    if best is None or np.isnan(best):
        return True
    return value < best if name in SMALLER_IS_BETTER else value > best


def compute(name: str, targets: np.ndarray, predictions: np.ndarray) -> MetricResult:
    """Compute one metric, task by task.

    Args:
        name: One of `METRICS`.
        targets: (n, T), NaN where a label is missing.
        predictions: (n, T), probabilities or values; rows that could not be predicted are NaN and left out.

    Example:
        >>> compute("rmse", np.array([[1.0], [np.nan]]), np.array([[3.0], [0.0]])).value
        2.0
    """
    values = np.full(targets.shape[1], np.nan)
    left_out = []
    for task in range(targets.shape[1]):
        present = ~(np.isnan(targets[:, task]) | np.isnan(predictions[:, task]))
        labels, predicted = targets[present, task], predictions[present, task]
        reason = undefined(name, labels)
        if reason:
            left_out.append((task, reason))
        else:
            values[task] = METRICS[name](labels, predicted)
    value = float(np.nanmean(values)) if len(left_out) < len(values) else float("nan")
    return MetricResult(value, values, tuple(left_out))


def undefined(name: str, labels: np.ndarray) -> str:
    """Why a metric has no value for these labels, or an empty string."""
    if len(labels) == 0:
        return "no labels"
    if name in ("roc_auc", "prc_auc") and len(np.unique(labels)) < 2:
        return "labels of one class only"
    if name == "r2" and len(labels) < 2:
        return "fewer than two labels"
    return ""


def evaluate_all(task: str, first: str, targets: np.ndarray, predictions: np.ndarray) -> dict[str, MetricResult]:
    """All metrics of the task, the data set's own (`first`) in front."""
    names = CLASSIFICATION if task == "classification" else REGRESSION
    ordered: Sequence[str] = [first, *(n for n in names if n != first)]
    return {name: compute(name, targets, predictions) for name in ordered}
