"""Metrics over several tasks with missing labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zoo.registry.kinds import check_metric, higher_is_better, metric_entry, metrics_of
from zoo.tasks.scores import Metric

__all__ = ["LOSS", "MetricResult", "check_metric", "compute", "evaluate_all", "is_better", "make_metric"]

LOSS = "loss"


@dataclass(frozen=True)
class MetricResult:
    """A metric over several tasks.

    Args:
        value: Mean over the tasks where the metric is defined; NaN where there is none.
        per_task: One value per task, NaN where the metric is not defined.
        left_out: `(task number, reason)` for the tasks that are not in the mean.
        unpredicted: Labels of each task (T) that have no prediction; the metric is computed without them.
        in_units: Whether the values have the units of the tasks.
    """

    value: float
    per_task: np.ndarray
    left_out: tuple[tuple[int, str], ...] = ()
    unpredicted: tuple[int, ...] = ()
    in_units: bool = False

    def scaled(self, std: np.ndarray) -> float:
        """Mean over the tasks in units of the standard deviation `std` (T) of each, if there is a unit."""
        return mean_of_known(self.per_task / std) if self.in_units else self.value


def mean_of_known(values: np.ndarray) -> float:
    """Mean of the values that are not NaN; NaN where there is none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


class FunctionMetric(Metric):
    """A function of labels (n,) and predictions (n,) or (n, C) as a metric."""

    def __init__(self, function: Callable[..., float], better: bool) -> None:
        self.function, self.higher_is_better = function, better  # type: ignore[misc]

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Call the function."""
        return float(self.function(targets, predictions))


def make_metric(name: str, options: Mapping[str, Any] | None = None) -> Metric:
    """Make a metric.

    Args:
        name: From the catalog.
        options: Its arguments, such as `{"threshold": 0.3}`.

    Raises:
        UnknownName: There is no such metric.
        TypeError: It has no such argument.
    """
    entry = metric_entry(name)
    target, given = entry.resolve(), {**entry.defaults, **(options or {})}
    if isinstance(target, type):
        return target(**given)
    return FunctionMetric(partial(target, **given), entry.facts["higher_is_better"])


def is_better(name: str, value: float, best: float | None) -> bool:
    """Return whether a value of a metric (or of the loss) beats `best`; NaN never does."""
    if np.isnan(value):
        return False
    if best is None or np.isnan(best):
        return True
    return value > best if name != LOSS and higher_is_better(name) else value < best


def compute(
    name: str, targets: np.ndarray, predictions: np.ndarray, options: Mapping[str, Any] | None = None
) -> MetricResult:
    """Compute one metric in float64, task by task.

    Args:
        name: From the catalog.
        targets: (n, T), NaN where a label is missing.
        predictions: (n, T) or (n, T, C); rows that could not be predicted are NaN, left out and counted.
        options: Arguments of the metric.

    Example:
        >>> compute("rmse", np.array([[1.0], [np.nan]]), np.array([[3.0], [0.0]])).value
        2.0
    """
    metric = make_metric(name, options)
    targets, predictions = np.asarray(targets, np.float64), np.asarray(predictions, np.float64)
    values = np.full(targets.shape[1], np.nan)
    left_out, unpredicted = [], []
    for task, (labels, predicted) in enumerate(zip(targets.T, np.moveaxis(predictions, 1, 0), strict=True)):
        labelled = ~np.isnan(labels)
        given = ~np.isnan(predicted.reshape(len(predicted), -1)).any(axis=1)
        unpredicted.append(int((labelled & ~given).sum()))
        reason = why_undefined(metric, labels[labelled], labels[labelled & given])
        if reason:
            left_out.append((task, reason))
        else:
            values[task] = metric(labels[labelled & given], predicted[labelled & given])
    return MetricResult(mean_of_known(values), values, tuple(left_out), tuple(unpredicted), metric.in_units)


def why_undefined(metric: Metric, labels: np.ndarray, predicted: np.ndarray) -> str:
    """Return why a metric has no value, or an empty string.

    Args:
        metric: The metric.
        labels: All labels of the task.
        predicted: Those of them that have a prediction.
    """
    if not len(labels):
        return "no labels"
    if not len(predicted):
        return "no predictions"
    return metric.undefined(predicted)


def evaluate_all(
    task: str,
    first: str,
    targets: np.ndarray,
    predictions: np.ndarray,
    options: Mapping[str, Any] | None = None,
) -> dict[str, MetricResult]:
    """Compute all metrics of a kind of target.

    Args:
        task: Kind of target.
        first: Metric of the data set, which comes first.
        targets: (n, T).
        predictions: (n, T) or (n, T, C).
        options: Arguments of `first`.
    """
    names = [first, *(name for name in metrics_of(task) if name != first)]
    return {name: compute(name, targets, predictions, options if name == first else None) for name in names}
