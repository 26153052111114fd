"""Means, spreads, ranks, and differences between optimizers on equal seeds.

Runs of one data set and one model that differ in the optimizer only share split, initial weights and order of the
batches where they share the seed, so optimizers are compared by the differences within seeds. All differences are
oriented: positive is better.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from zoo.registry.kinds import higher_is_better

BLOCK = ["dataset", "model"]
FEWEST_FOR_WILCOXON = 6
CONFIDENCE = 0.95
RELATIVE = {"relative": "mean", "relative_low": "low", "relative_high": "high"}


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of pairs of numbers, with its interval and tests.

    Args:
        n: Pairs.
        mean: Mean difference.
        low: Lower end of the confidence interval of the mean by Student's t (NaN with fewer than two pairs).
        high: Upper end.
        t_p: Two-sided p of the paired t test. It assumes that differences are independent and roughly normal, which a
            few seeds cannot show.
        wilcoxon_p: Two-sided p of Wilcoxon's signed-rank test, which assumes symmetric differences only; NaN below six
            pairs, where it cannot fall below 0.05.
    """

    n: int
    mean: float
    low: float
    high: float
    t_p: float
    wilcoxon_p: float


def records(frame: pd.DataFrame) -> Iterator[Any]:
    """The rows of a table, their columns as attributes."""
    return iter(frame.itertuples())


def paired_difference(differences: np.ndarray) -> PairedDifference:
    """Describe the mean of some differences.

    Example:
        >>> found = paired_difference(np.array([0.01, 0.03, 0.02]))
        >>> found.n, round(found.mean, 3), round(found.low, 3), round(found.high, 3)
        (3, 0.02, -0.005, 0.045)
    """
    differences = np.asarray(differences, dtype=np.float64)
    n, mean = len(differences), float(differences.mean())
    low = high = t_p = wilcoxon_p = float("nan")
    spread = float(differences.std(ddof=1)) if n > 1 else 0.0
    if spread > 0:
        tested = stats.ttest_1samp(differences, 0.0)
        interval = tested.confidence_interval(CONFIDENCE)
        low, high, t_p = float(interval.low), float(interval.high), float(tested.pvalue)
    if n >= FEWEST_FOR_WILCOXON and np.any(differences != 0):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ties make it fall back on the normal approximation, which is what we want
            wilcoxon_p = float(stats.wilcoxon(differences).pvalue)
    return PairedDifference(n, mean, low, high, t_p, wilcoxon_p)


def by_processor_time(rows: pd.DataFrame) -> pd.DataFrame | None:
    """Rows with processor time in place of wall-clock time, which other work on the machine cannot stretch.

    Args:
        rows: Finished rows of a results store.

    Returns:
        The rows with other `seconds`, `molecules_per_second` and `history`; `None` where a run on steps has no such
        time, or used an accelerator, whose work it does not count.
    """
    timed = rows["steps"].notna()
    histories = [
        [{**epoch, "seconds": epoch.get("cpu_seconds", 0.0)} for epoch in history] if stepped else history
        for history, stepped in zip(rows["history"], timed, strict=True)
    ]
    seconds = pd.Series([sum(epoch["seconds"] for epoch in history) for history in histories], rows.index)
    on_cpu = rows["machine"].map(lambda machine: machine.get("device") == "cpu")
    if not (on_cpu & (seconds > 0))[timed].all():
        return None
    speed = rows["molecules_per_second"] * rows["seconds"] / seconds
    return rows.assign(
        seconds=rows["seconds"].where(~timed, seconds),
        molecules_per_second=rows["molecules_per_second"].where(~timed, speed),
        history=pd.Series(histories, rows.index),
    )


def summarize(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the seeds for each data set, model and optimizer.

    Args:
        rows: Finished rows of a results store.

    Returns:
        One row for each combination, in the order of `rows`: `n`, `split`, `metric`, `mean`, `sd` (n - 1; NaN for one
        seed), `score` (the mean, larger is better), `rank` (1 is the best mean of its data set and model) `of` so
        many, `passes_per_step`, `molecules_per_second`, `seconds`, `eigenvalue`, `eigenvalue_sd`.
    """
    rows = rows.assign(passes_per_step=rows["passes"].astype(float) / rows["steps"].astype(float))
    grouped = rows.groupby([*BLOCK, "optimizer"], sort=False)
    summary = grouped.agg(
        n=("test", "size"),
        split=("split", "first"),
        metric=("metric", "first"),
        mean=("test", "mean"),
        sd=("test", "std"),
        valid=("valid", "mean"),
        passes_per_step=("passes_per_step", "mean"),
        molecules_per_second=("molecules_per_second", "mean"),
        seconds=("seconds", "mean"),
        parameters=("parameters", "first"),
        eigenvalue=("hessian_eigenvalue", "mean"),
        eigenvalue_sd=("hessian_eigenvalue", "std"),
    ).reset_index()
    summary["score"] = np.where(summary["metric"].map(higher_is_better), summary["mean"], -summary["mean"])
    summary["rank"] = summary.groupby(BLOCK)["score"].rank(ascending=False)
    summary["of"] = summary.groupby(BLOCK)["optimizer"].transform("size")
    return summary


def compare(rows: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Paired differences between each optimizer and the reference, for each data set and model.

    Args:
        rows: Finished rows.
        reference: Key of an optimizer.

    Returns:
        The fields of `PairedDifference`; `relative`, `relative_low`, `relative_high`: mean and interval in percent of
        the reference's mean; `time`: training time divided by the reference's.
    """
    found = []
    for (dataset, model), block in rows.groupby(BLOCK, sort=False):
        sign = 1.0 if higher_is_better(block["metric"].iloc[0]) else -1.0
        scores = block.pivot(index="seed", columns="optimizer", values="test")
        seconds = block.pivot(index="seed", columns="optimizer", values="seconds")
        if reference not in scores:
            continue
        for optimizer in block["optimizer"].unique():
            both = scores[[reference, optimizer]].dropna() if optimizer != reference else scores.iloc[:0]
            if both.empty:
                continue
            difference = paired_difference(sign * (both[optimizer] - both[reference]).to_numpy())
            percent = 100 / abs(both[reference].mean())
            found.append({
                "dataset": dataset,
                "model": model,
                "optimizer": optimizer,
                "metric": block["metric"].iloc[0],
                **asdict(difference),
                **{new: percent * getattr(difference, old) for new, old in RELATIVE.items()},
                "time": (seconds[optimizer] / seconds[reference]).mean(),
            })  # fmt: skip
    columns = [*BLOCK, "optimizer", "metric", *PairedDifference.__dataclass_fields__, *RELATIVE, "time"]
    return pd.DataFrame(found, columns=columns)


def across(comparison: pd.DataFrame, summary: pd.DataFrame) -> pd.DataFrame:
    """Each optimizer over all data sets and models, which are the units here (Demšar 2006, JMLR 7).

    Args:
        comparison: What `compare` returns.
        summary: What `summarize` returns.

    Returns:
        For each optimizer: the fields of `PairedDifference` of the relative differences in percent, `better` (how many
        of the n are above 0), `time`, `rank` (mean), `passes_per_step`.
    """
    ranked = summary[summary["of"] > 1]
    rows = []
    for optimizer, block in ranked.groupby("optimizer", sort=False):
        against = comparison[comparison["optimizer"] == optimizer]
        row = {"optimizer": optimizer, "rank": block["rank"].mean(), "passes_per_step": block["passes_per_step"].mean()}
        if len(against):
            row |= asdict(paired_difference(against["relative"].to_numpy()))
            row |= {
                "better": int((against["relative"] > 0).sum()),
                "time": float(np.exp(np.log(against["time"]).mean())),
            }
        rows.append(row)
    columns = ["optimizer", "rank", "passes_per_step", *PairedDifference.__dataclass_fields__, "better", "time"]
    return pd.DataFrame(rows, columns=columns)
