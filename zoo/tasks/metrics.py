"""Metrics over several tasks with missing labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from zoo.registry.kinds import check_metric, higher_is_better, metric_entry, metrics_of
from zoo.tasks.bootstrap import Intervals, bootstrap, missing_rows
from zoo.tasks.scores import Metric

__all__ = [
    "LOSS",
    "MetricResult",
    "bootstrap_all",
    "check_metric",
    "compute",
    "evaluate_all",
    "is_better",
    "make_metric",
]

LOSS = "loss"


@dataclass(frozen=True)
class MetricResult:
    """A metric over several tasks.

    Args:
        value: Mean over the tasks where the metric is defined; NaN where there is none.
        per_task: One value per task, NaN where the metric is not defined.
        left_out: `(task number, reason)` for the tasks that are not in the mean.
        unpredicted: Labels of each task (T) that have no prediction; the metric is computed without them.
        in_units: Power of the tasks' units that the values have; 0 without a unit.
        labels: Labels of each task (T).
    """

    value: float
    per_task: np.ndarray
    left_out: tuple[tuple[int, str], ...] = ()
    unpredicted: tuple[int, ...] = ()
    in_units: int = 0
    labels: tuple[int, ...] = ()

    def scaled(self, std: np.ndarray) -> float:
        """Mean over the tasks in units of the standard deviation `std` (T) of each, if there is a unit."""
        return mean_of_known(self.per_task / std**self.in_units) if self.in_units else self.value

    @property
    def tasks_in_mean(self) -> int:
        """Number of tasks in the mean."""
        return int((~np.isnan(self.per_task)).sum())


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


def metrics_by_task(
    name: str, tasks: int, options: Mapping[str, Any] | None = None, thresholds: Sequence[float] | None = None
) -> list[Metric]:
    """Make a metric for each task, with the task's threshold between two classes where there are thresholds (T)."""
    metric = make_metric(name, options)
    return [metric] * tasks if thresholds is None else [metric.at(each) for each in thresholds]


def compute(
    name: str,
    targets: np.ndarray,
    predictions: np.ndarray,
    options: Mapping[str, Any] | None = None,
    thresholds: Sequence[float] | None = None,
) -> MetricResult:
    """Compute one metric in float64, task by task.

    Args:
        name: From the catalog.
        targets: (n, T), NaN where a label is missing.
        predictions: (n, T) or (n, T, C); rows that could not be predicted are NaN, left out and counted.
        options: Arguments of the metric; a threshold among them counts for all tasks.
        thresholds: Probability of each task (T) from which class 1 is predicted; `None` takes 0.5.

    Example:
        >>> compute("rmse", np.array([[1.0], [np.nan]]), np.array([[3.0], [0.0]])).value
        2.0
    """
    targets, predictions = np.asarray(targets, np.float64), np.asarray(predictions, np.float64)
    made = metrics_by_task(name, targets.shape[1], options, thresholds)
    values = np.full(targets.shape[1], np.nan)
    left_out, unpredicted = [], []
    for task, (labels, predicted) in enumerate(zip(targets.T, np.moveaxis(predictions, 1, 0), strict=True)):
        labelled, metric = ~np.isnan(labels), made[task]
        given = labelled & ~missing_rows(predicted)
        unpredicted.append(int((labelled & ~given).sum()))
        reason = why_undefined(metric, labels[labelled], labels[given]) or metric.unranked(predicted[given])
        if reason:
            left_out.append((task, reason))
        else:
            values[task] = metric(labels[given], predicted[given])
    unit = make_metric(name, options).in_units
    counts = tuple((~np.isnan(targets)).sum(axis=0).tolist())
    return MetricResult(mean_of_known(values), values, tuple(left_out), tuple(unpredicted), unit, counts)


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
    thresholds: Sequence[float] | None = None,
) -> dict[str, MetricResult]:
    """Compute all metrics of a kind of target.

    Args:
        task: Kind of target.
        first: Metric of the data set, which comes first.
        targets: (n, T).
        predictions: (n, T) or (n, T, C).
        options: Arguments of `first`.
        thresholds: As for `compute`.
    """
    return {
        name: compute(name, targets, predictions, options if name == first else None, thresholds)
        for name in names_of(task, first)
    }


def bootstrap_all(
    results: Mapping[str, MetricResult],
    targets: np.ndarray,
    predictions: np.ndarray,
    options: Mapping[str, Any] | None = None,
    thresholds: Sequence[float] | None = None,
    **how: Any,
) -> Intervals:
    """Intervals of what `evaluate_all` computed.

    Args:
        results: What each metric gave, that of the data set first.
        targets: (n, T).
        predictions: (n, T) or (n, T, C).
        options: Arguments of the first metric.
        thresholds: As for `compute`.
        **how: As for `bootstrap`: `resamples`, `level`, `seed`.
    """
    targets, predictions = np.asarray(targets, np.float64), np.asarray(predictions, np.float64)
    first = next(iter(results), None)
    made = {
        name: metrics_by_task(name, targets.shape[1], options if name == first else None, thresholds)
        for name in results
    }
    values = {name: result.per_task for name, result in results.items()}
    return bootstrap(made, values, targets, predictions, **how)


def names_of(task: str, first: str) -> list[str]:
    """Names of the metrics of a kind of target, `first` in front."""
    return [first, *(name for name in metrics_of(task) if name != first)]
