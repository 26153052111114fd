"""Bootstrap intervals of metrics, task by task and of the mean over tasks.

Molecules are drawn, with all their labels: the labels of one molecule are not independent. `scipy.stats.bootstrap`
would sort every resample anew for each metric and task; here a resample is a row of counts, and metrics compute all at
once (`Metric.resampled`), so that Tox21's test part takes about a second. The ends are percentiles.

Reference:
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapter 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.tasks.scores import Metric

RESAMPLES, FEWEST = 1000, 100
LEVEL, SEED = 0.95, 0
MOST_CELLS = 20_000_000
"""Resamples times labels, above which resamples are saved: intervals of large sets are narrow."""
BLOCK = 2_000_000


@dataclass(frozen=True)
class Intervals:
    """Intervals that hold the metric of the population with a probability of `level`.

    Args:
        mean: Ends of the mean over tasks, by metric.
        per_task: Ends for each task (T, 2), by metric; NaN where there are none.
        level: Such as 0.95.
        resamples: How many there were.
    """

    mean: dict[str, tuple[float, float]]
    per_task: dict[str, np.ndarray]
    level: float = LEVEL
    resamples: int = RESAMPLES


def bootstrap(
    metrics: Mapping[str, Sequence[Metric]],
    values: Mapping[str, np.ndarray],
    targets: np.ndarray,
    predictions: np.ndarray,
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> Intervals:
    """Compute intervals of metrics.

    Args:
        metrics: Metric of each task (T), by name.
        values: What they gave for each task (T); NaN for tasks that do not count.
        targets: (n, T), NaN where a label is missing.
        predictions: (n, T) or (n, T, C), NaN where there is none.
        resamples: How many; fewer, but at least 100, for large sets.
        level: Probability, above 0 and below 1.
        seed: Of the draws.

    Raises:
        ValueError: An impossible level or number of resamples.
    """
    if not 0 < level < 1:
        raise ValueError(f"level={level}: give a probability between 0 and 1, such as 0.95")
    if resamples < 2:
        raise ValueError(f"resamples={resamples}: give a whole number of at least 2")
    size, tasks = targets.shape
    number = min(resamples, max(FEWEST, MOST_CELLS // max(size * tasks, 1)))
    found = {name: np.full((number, tasks), np.nan) for name in metrics}
    generator, step = np.random.default_rng(seed), max(1, BLOCK // max(size, 1))
    columns = [known_rows(targets[:, task], predictions[:, task]) for task in range(tasks)]
    for start in range(0, number if size > 1 else 0, step):
        counts = draw(generator, min(step, number - start), size)
        for task, (rows, labels, predicted) in enumerate(columns):
            within = counts if len(rows) == size else counts[:, rows]
            for name, each in metrics.items():
                if not np.isnan(values[name][task]):
                    part = each[task].resampled(labels, predicted, within)
                    found[name][start : start + len(part), task] = part
    ends = {name: [between(column, level) for column in drawn.T] for name, drawn in found.items()}
    means = {name: between(mean_over_tasks(found[name], values[name]), level) for name in metrics}
    return Intervals(means, {name: np.array(each).reshape(-1, 2) for name, each in ends.items()}, level, number)


def known_rows(labels: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of one task that have a label and a prediction, and both."""
    rows = np.flatnonzero(~(np.isnan(labels) | missing_rows(predicted)))
    return rows, labels[rows], predicted[rows]


def missing_rows(predicted: np.ndarray) -> np.ndarray:
    """Whether predictions (n,) or (n, C) lack a number (n,)."""
    return np.isnan(predicted).any(axis=tuple(range(1, predicted.ndim)))


def draw(generator: np.random.Generator, resamples: int, size: int) -> np.ndarray:
    """Counts (R, n) of rows that are drawn with replacement."""
    drawn = generator.integers(0, size, (resamples, size)) + np.arange(resamples)[:, None] * size
    return np.bincount(drawn.ravel(), minlength=resamples * size).reshape(resamples, size).astype(np.float64)


def between(values: np.ndarray, level: float) -> tuple[float, float]:
    """Ends between which a share `level` of the values (R,) lies; NaN where too few are known."""
    known = values[~np.isnan(values)]
    if len(known) < min(FEWEST, len(values) / 2) or not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def mean_over_tasks(drawn: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Mean (R,) over the tasks that count of what resamples gave (R, T).

    A task without a value on a resample, such as one of a rare class, has its own value there: the mean of other tasks
    is another quantity. Resamples without any value are NaN.
    """
    counted = ~np.isnan(values)
    drawn = drawn[:, counted]
    unknown = np.isnan(drawn).all(axis=1) if drawn.shape[1] else np.ones(len(drawn), dtype=bool)
    filled = np.where(np.isnan(drawn), values[counted], drawn)
    return np.where(unknown, np.nan, filled.sum(axis=1) / max(drawn.shape[1], 1))
