"""`Evaluation`: the metrics of a model on a data set, in all and task by task."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.tasks.bootstrap import LEVEL, RESAMPLES, SEED, Intervals
from zoo.tasks.metrics import MetricResult, make_metric

if TYPE_CHECKING:
    import pandas as pd


class Evaluation(dict[str, float]):
    """Metrics by name, the deciding one first: mean over the tasks where it is defined, NaN where there is none.

    Args:
        results: What each metric gave.
        task_names: Names of the tasks (T).
        std: Standard deviation of the training targets of each task (T), where they were scaled.
        loss: Mean loss over the labels, if it was computed; it is an entry of its own.
        thresholds: Probability from which class 1 was predicted, by task; empty where no threshold was applied.
        resample: Computes the intervals, see `zoo.tasks.metrics.bootstrap_all`; None where the data are not kept.

    Attributes:
        results: What each metric gave.
        task_names: Names of the tasks (T).
        thresholds: As above.

    Example:
        >>> from zoo.tasks.metrics import compute
        >>> targets, predictions = np.array([[1.0, 10.0], [3.0, 50.0]]), np.array([[1.0, 20.0], [2.0, 50.0]])
        >>> found = Evaluation({"mae": compute("mae", targets, predictions)}, ["logS", "mp"], std=[1.0, 20.0])
        >>> found, found.per_task, found.decisive("mae")
        ({'mae': 2.75}, {'mae': {'logS': 0.5, 'mp': 5.0}}, 0.375)
    """

    def __init__(
        self,
        results: Mapping[str, MetricResult],
        task_names: Sequence[str],
        std: Sequence[float] | None = None,
        loss: float | None = None,
        thresholds: Mapping[str, float] | None = None,
        resample: Callable[..., Intervals] | None = None,
    ) -> None:
        super().__init__({name: result.value for name, result in results.items()})
        self.results, self.task_names = dict(results), tuple(task_names)
        self.thresholds, self._resample = dict(thresholds or {}), resample
        self._std = None if std is None else np.asarray(std, np.float64)
        if loss is not None:
            self["loss"] = loss

    def decisive(self, name: str) -> float:
        """Value that epochs are compared by; where several tasks have units, the mean in their standard deviations."""
        result = self.results.get(name)
        if result is None or self._std is None or len(self.task_names) < 2:
            return self.get(name, math.nan)
        return result.scaled(self._std)

    @property
    def per_task(self) -> dict[str, dict[str, float]]:
        """Value of each metric for each task, `{metric: {task: value}}`; NaN where it is not defined."""
        return {
            name: dict(zip(self.task_names, map(float, result.per_task), strict=True))
            for name, result in self.results.items()
        }

    @property
    def by_task(self) -> dict[str, dict[str, float]]:
        """Value of each metric by task, as files hold it: `{task: {metric: value}}`."""
        found = self.per_task
        return {task: {name: values[task] for name, values in found.items()} for task in self.task_names}

    def bootstrap(self, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = SEED) -> Intervals:
        """Compute bootstrap intervals of every metric, of the mean and task by task.

        Args:
            resamples: How often the molecules are drawn; large sets are drawn less often.
            level: Probability that an interval holds the metric.
            seed: Of the draws.

        Raises:
            ValueError: The data were not kept.
        """
        if self._resample is None:
            raise ValueError("this evaluation did not keep its data: evaluate again")
        return self._resample(resamples=resamples, level=level, seed=seed)

    @cached_property
    def intervals(self) -> Intervals:
        """Bootstrap intervals of 95 %, computed at the first use."""
        return self.bootstrap()

    @property
    def interval(self) -> dict[str, tuple[float, float]]:
        """Ends of the interval of each metric's mean over tasks."""
        return self.intervals.mean

    @property
    def interval_by_task(self) -> dict[str, dict[str, tuple[float, float]]]:
        """Ends of the interval of each metric by task, `{task: {metric: (lower, upper)}}`."""
        found = self.intervals.per_task
        return {
            task: {name: (float(ends[number, 0]), float(ends[number, 1])) for name, ends in found.items()}
            for number, task in enumerate(self.task_names)
        }

    @property
    def undefined(self) -> dict[str, dict[str, str]]:
        """Reasons why tasks are not in the mean of a metric, `{metric: {task: reason}}`."""
        return {
            name: {self.task_names[task]: reason for task, reason in result.left_out}
            for name, result in self.results.items()
            if result.left_out
        }

    def to_frame(self) -> pd.DataFrame:
        """Return a table with a row for each metric and task.

        Its columns are `task`, `metric`, `value`, `lower`, `upper`, `labels`, `unpredicted`, `threshold` and `reason`
        (why there is no value).
        """
        import pandas as pd

        rows = []
        for name, result in self.results.items():
            decides, reasons = make_metric(name).decides, dict(result.left_out)
            for number, task in enumerate(self.task_names):
                low, high = self.intervals.per_task[name][number]
                threshold = self.thresholds.get(task) if decides else None
                counts = result.labels[number], result.unpredicted[number]
                value = result.per_task[number]
                rows.append((task, name, value, low, high, *counts, threshold, reasons.get(number, "")))
        columns = ["task", "metric", "value", "lower", "upper", "labels", "unpredicted", "threshold", "reason"]
        return pd.DataFrame(rows, columns=columns).astype({"threshold": float})

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON files hold next to the means: values and intervals by task, what is not defined and why."""
        return {
            "per_task": self.by_task,
            "unpredicted": self.unpredicted,
            "interval": self.interval,
            "interval_per_task": self.interval_by_task,
            "undefined": self.undefined,
            "thresholds": self.thresholds,
        }

    def describe(self, name: str) -> str:
        """Describe a metric in one line: its value, its interval, and how many tasks count where not all do."""
        line = f"{name} {format_value(self[name])}"
        if name not in self.results:
            return line
        facts, (low, high) = [], self.interval[name]
        if not math.isnan(low):
            facts.append(f"{self.intervals.level * 100:g} %: {format_interval(low, high)}")
        counted, tasks = self.results[name].tasks_in_mean, len(self.task_names)
        if counted < tasks and tasks > 1:
            facts.append(f"mean of {counted} of {tasks} tasks")
        elif not counted and self.undefined:
            facts.append(next(iter(self.undefined[name].values())))
        return f"{line} ({', '.join(facts)})" if facts else line

    @property
    def unpredicted(self) -> dict[str, int]:
        """Labels without a prediction, by task, where there are any; the metrics are computed without them."""
        first = next(iter(self.results.values()), None)
        counts = () if first is None else first.unpredicted
        return {name: count for name, count in zip(self.task_names, counts, strict=False) if count}

    def describe_unpredicted(self) -> str:
        """Describe the labels without a prediction in one line; empty where there are none."""
        missing = self.unpredicted
        if not missing:
            return ""
        total = f"{sum(missing.values())} labels"
        if len(self.task_names) > 1:
            total += f" ({', '.join(f'{name}: {count}' for name, count in missing.items())})"
        return f"incomplete: {total} have no prediction, the metrics are computed without them"

    def table(self, intervals: bool = False) -> str:
        """Metrics of every task, as text: one line for each task, one column for each metric.

        Args:
            intervals: Add the interval of the first metric.
        """
        if not intervals or not self.results:
            return format_table(self.per_task)
        name = next(iter(self.results))
        ends = {task: format_interval(*found[name]) for task, found in self.interval_by_task.items()}
        return format_table(self.per_task, {f"{self.intervals.level * 100:g} %": ends})


def format_interval(low: float, high: float) -> str:
    """Write an interval; "-" where there is none.

    Example:
        >>> format_interval(0.8123, 0.9)
        '0.8123 to 0.9000'
    """
    return "-" if math.isnan(low) else f"{format_value(low)} to {format_value(high)}"


def format_table(
    per_task: Mapping[str, Mapping[str, float | None]], texts: Mapping[str, Mapping[str, str]] | None = None
) -> str:
    """Write values by metric and task as text, one line for each task; "-" where there is none.

    Args:
        per_task: `{metric: {task: value}}`.
        texts: More columns, `{name: {task: text}}`, which come after the first metric.

    Example:
        >>> print(format_table({"rmse": {"logS": 0.81234, "mp": 41.3}, "r2": {"logS": 0.5, "mp": None}}))
        task    rmse      r2
        logS  0.8123  0.5000
        mp     41.30       -
    """
    cells = {name: {task: format_value(value) for task, value in found.items()} for name, found in per_task.items()}
    first, tasks = next(iter(cells), ""), list(next(iter(cells.values()), {}))
    columns = {name: found for name, found in cells.items() if name == first} | dict(texts or {}) | cells
    rows = [["task", *columns], *([task, *(found.get(task, "-") for found in columns.values())] for task in tasks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(columns) + 1)]
    lines = []
    for name, *texts_of_row in rows:
        values = (cell.rjust(width) for cell, width in zip(texts_of_row, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *values]))
    return "\n".join(lines)


def format_value(value: float | None) -> str:
    """Write a metric or loss with four significant digits; "-" where there is none.

    Example:
        >>> [format_value(value) for value in (0.91, 0.00001234, 12345.6, float("nan"))]
        ['0.9100', '1.234e-05', '12346', '-']
    """
    if value is None or math.isnan(value):
        return "-"
    if math.isfinite(value) and 1e4 <= abs(value) < 1e7:
        return f"{value:.0f}"
    return f"{value:#.4g}"
