"""Differences to the reference pooled over pairs of runs, within data sets, and at equal training time."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zoo.experiments.report.statistics import BLOCK, CONFIDENCE, FEWEST_FOR_WILCOXON, records
from zoo.registry.kinds import higher_is_better

Score = Callable[[Any, Any], tuple[float, float]]
"""Function of a run and its reference's that gives a score of each, such as both validation scores at equal time."""


@dataclass(frozen=True)
class PooledDifference:
    """Mean of paired differences over the pairs of several data sets, each set counting once.

    The interval says how sure the mean over *these* sets is: it comes from the spread of the pairs within each set
    (Welch), not from that between sets, so it says nothing about other sets. Pairs count as independent, though the
    splits of different seeds share molecules: the true interval is somewhat wider.

    Args:
        n: Pairs.
        sets: Data sets, each with each model.
        mean: Mean over the sets of their mean differences.
        low: Lower end of the 95 % interval; NaN where a set has fewer than two pairs.
        high: Upper end.
        wilcoxon_p: Two-sided p of Wilcoxon's signed-rank test over all pairs; NaN below six.
        better: Pairs above 0.
    """

    n: int
    sets: int
    mean: float
    low: float
    high: float
    wilcoxon_p: float
    better: int


def pool(groups: Sequence[np.ndarray]) -> PooledDifference:
    """Pool the differences of each set.

    Args:
        groups: Differences of the pairs of a set (n,), for each set; none is empty.

    Example:
        >>> found = pool([np.array([1.0, 3.0]), np.array([4.0, 6.0])])
        >>> found.mean, round(found.low, 2), round(found.high, 2)
        (3.5, 0.46, 6.54)
    """
    pairs = np.concatenate(groups)
    mean = float(np.mean([group.mean() for group in groups]))
    low = high = wilcoxon_p = float("nan")
    if all(len(group) > 1 for group in groups):
        parts = np.array([group.var(ddof=1) / len(group) for group in groups])
        if parts.sum() > 0:
            freedom = parts.sum() ** 2 / sum(v**2 / (len(g) - 1) for v, g in zip(parts, groups, strict=True))
            margin = stats.t.ppf(0.5 + CONFIDENCE / 2, freedom) * np.sqrt(parts.sum()) / len(groups)
            low, high = mean - float(margin), mean + float(margin)
    if len(pairs) >= FEWEST_FOR_WILCOXON and np.any(pairs != 0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ties make it fall back on the normal approximation
            wilcoxon_p = float(stats.wilcoxon(pairs).pvalue)
    return PooledDifference(len(pairs), len(groups), mean, low, high, wilcoxon_p, int((pairs > 0).sum()))


def of_test(run: Any, reference: Any) -> tuple[float, float]:
    """Return both test scores."""
    return run.test, reference.test


def of_validation(run: Any, reference: Any) -> tuple[float, float]:
    """Return both validation scores."""
    return run.valid, reference.valid


def at_equal_time(run: Any, reference: Any) -> tuple[float, float]:
    """Return the best validation score that each had reached when the quicker of the two ended.

    A learning-rate schedule that is not over yet is a handicap of the slower one.
    """
    seconds = min(sum(epoch["seconds"] for epoch in each.history) for each in (run, reference))
    return best_until(run.history, run.metric, seconds), best_until(reference.history, run.metric, seconds)


def best_until(history: Sequence[Mapping[str, Any]], metric: str, seconds: float) -> float:
    """Return the best validation score of the epochs that ended within a time; NaN where none did."""
    ends = np.cumsum([epoch["seconds"] for epoch in history])
    reached = [e["valid"].get(metric) for e, end in zip(history, ends, strict=True) if end <= seconds * (1 + 1e-9)]
    return best_of(reached, metric)


def best_of(values: Sequence[float | None], metric: str) -> float:
    """Return the best of some scores, NaN where there is none."""
    known = [value for value in values if value is not None and np.isfinite(value)]
    return (max if higher_is_better(metric) else min)(known) if known else float("nan")


def compare_pairs(rows: pd.DataFrame, reference: str, score: Score) -> pd.DataFrame:
    """Pool the differences between each optimizer and the reference, in percent of the reference's score in a set.

    Args:
        rows: Finished rows, with the times that count.
        reference: Key of an optimizer.
        score: The scores of a pair.

    Returns:
        `optimizer` and the fields of `PooledDifference`, positive is better; an optimizer without pairs is left out.
    """
    found = []
    for optimizer in rows["optimizer"].unique():
        groups = [
            group
            for _, block in rows.groupby(BLOCK, sort=False)
            if optimizer != reference and len(group := differences_in_percent(block, optimizer, reference, score))
        ]
        if groups:
            found.append({"optimizer": optimizer, **asdict(pool(groups))})
    return pd.DataFrame(found, columns=["optimizer", *PooledDifference.__dataclass_fields__])


def differences_in_percent(block: pd.DataFrame, optimizer: str, reference: str, score: Score) -> np.ndarray:
    """Differences of the runs of one data set and model to the reference's of the same seed (n,), in percent."""
    runs = {row.seed: row for row in records(block[block["optimizer"] == optimizer])}
    references = {row.seed: row for row in records(block[block["optimizer"] == reference])}
    pairs = [score(runs[seed], references[seed]) for seed in runs if seed in references]
    return in_percent(pairs, block["metric"].iloc[0])


def in_percent(pairs: Sequence[tuple[float, float]], metric: str) -> np.ndarray:
    """Differences of the finite pairs of scores (n,), in percent of the mean second score; positive is better."""
    scores = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    scores = scores[np.isfinite(scores).all(axis=1)]
    if not len(scores) or not scores[:, 1].mean():
        return np.empty(0)
    sign = 1.0 if higher_is_better(metric) else -1.0
    return 100 * sign * (scores[:, 0] - scores[:, 1]) / abs(scores[:, 1].mean())


def at_best_epochs(run: Any) -> tuple[float, float]:
    """Return the best validation scores of averaged and of trained weights, each at an epoch of its own.

    The best of many scores is partly luck, and trained weights, which go up and down, have more of it than an average.
    """
    return run.valid, best_of([epoch.get(f"unaveraged_{run.metric}") for epoch in run.history], run.metric)


def at_last_epoch(run: Any) -> tuple[float, float]:
    """Return the validation scores of averaged and of trained weights at the last epoch, which nobody chose."""
    last = run.history[-1:]
    averaged = best_of([epoch["valid"].get(run.metric) for epoch in last], run.metric)
    return averaged, best_of([epoch.get(f"unaveraged_{run.metric}") for epoch in last], run.metric)


def compare_averages(rows: pd.DataFrame, scores: Callable[[Any], tuple[float, float]]) -> pd.DataFrame:
    """Pool what an average of the weights gains on the validation part over the trained weights of the same run.

    Args:
        rows: Finished rows.
        scores: `at_best_epochs` or `at_last_epoch`.

    Returns:
        As `compare_pairs`, for the optimizers whose runs kept an average.
    """
    found = []
    for optimizer, runs in rows.groupby("optimizer", sort=False):
        groups = [
            group
            for _, block in runs.groupby(BLOCK, sort=False)
            if len(group := in_percent([scores(row) for row in records(block)], block["metric"].iloc[0]))
        ]
        if groups:
            found.append({"optimizer": optimizer, **asdict(pool(groups))})
    return pd.DataFrame(found, columns=["optimizer", *PooledDifference.__dataclass_fields__])
