"""Results of the metrics of tasks of several kinds, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.tasks.bootstrap import Intervals
from zoo.tasks.metrics import MetricResult, mean_of_known


@dataclass(frozen=True)
class KindResults:
    """Metrics of the tasks of one kind.

    Args:
        places: Numbers of the tasks among all T.
        results: What each metric gave for them.
        resample: Computes their intervals, as `zoo.tasks.metrics.bootstrap_all`.
    """

    places: Sequence[int]
    results: dict[str, MetricResult]
    resample: Callable[..., Intervals]


def merge_results(parts: Sequence[KindResults], num_tasks: int, first: str) -> dict[str, MetricResult]:
    """Return what each metric gave for all tasks; NaN for those of a kind that it does not fit.

    Args:
        parts: By kind.
        num_tasks: T.
        first: Metric of the data set, which comes first.
    """
    if len(parts) == 1:
        return parts[0].results
    unpredicted, labels = np.zeros(num_tasks, np.int64), np.zeros(num_tasks, np.int64)
    for part in parts:
        known = next(iter(part.results.values()))
        unpredicted[list(part.places)], labels[list(part.places)] = known.unpredicted, known.labels
    merged = {}
    for name in dict.fromkeys([first, *(name for part in parts for name in part.results)]):
        values, left_out, in_units = np.full(num_tasks, np.nan), [], 0
        for part in parts:
            if name in part.results:
                found = part.results[name]
                values[list(part.places)], in_units = found.per_task, found.in_units
                left_out += [(part.places[number], reason) for number, reason in found.left_out]
        value = mean_of_known(values)
        counted = tuple(labels.tolist())
        merged[name] = MetricResult(value, values, tuple(left_out), tuple(unpredicted.tolist()), in_units, counted)
    return merged


def merge_intervals(parts: Sequence[KindResults], num_tasks: int, **how: Any) -> Intervals:
    """Return the intervals of all tasks; those of a mean over several kinds are NaN.

    Args:
        parts: By kind.
        num_tasks: T.
        **how: As for `zoo.tasks.bootstrap.bootstrap`.
    """
    found = [part.resample(**how) for part in parts]
    if len(parts) == 1:
        return found[0]
    means: dict[str, tuple[float, float]] = {}
    per_task: dict[str, np.ndarray] = {}
    for part, intervals in zip(parts, found, strict=True):
        for name, ends in intervals.per_task.items():
            means[name] = (np.nan, np.nan) if name in means else intervals.mean[name]
            per_task.setdefault(name, np.full((num_tasks, 2), np.nan))[list(part.places)] = ends
    return Intervals(means, per_task, found[0].level, min(each.resamples for each in found))
