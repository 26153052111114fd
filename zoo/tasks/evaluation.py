"""`Evaluation`: the metrics of a model on a data set, in all and task by task."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from zoo.tasks.metrics import MetricResult


class Evaluation(dict[str, float]):
    """Metrics by name, the deciding one first: mean over the tasks where it is defined, NaN where there is none.

    Args:
        results: What each metric gave.
        task_names: Names of the tasks (T).
        std: Standard deviation of the training targets of each task (T), where they were scaled.
        loss: Mean loss over the labels, if it was computed; it is an entry of its own.

    Attributes:
        results: What each metric gave.
        task_names: Names of the tasks (T).

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
    ) -> None:
        super().__init__({name: result.value for name, result in results.items()})
        self.results, self.task_names = dict(results), tuple(task_names)
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

    def table(self) -> str:
        """Metrics of every task, as text: one line for each task, one column for each metric."""
        return format_table(self.per_task)


def format_table(per_task: Mapping[str, Mapping[str, float | None]]) -> str:
    """Write values by metric and task as text, one line for each task; "-" where there is none.

    Example:
        >>> print(format_table({"rmse": {"logS": 0.81234, "mp": 41.3}, "r2": {"logS": 0.5, "mp": None}}))
        task    rmse      r2
        logS  0.8123  0.5000
        mp     41.30       -
    """
    metrics = list(per_task)
    tasks = list(next(iter(per_task.values()), {}))
    rows = [["task", *metrics], *([task, *(format_value(per_task[m].get(task)) for m in metrics)] for task in tasks)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(metrics) + 1)]
    lines = []
    for name, *cells in rows:
        values = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
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
