"""Tables of a report, for Markdown and HTML alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zoo.experiments.report.statistics import records
from zoo.recipe.recipe import NO_OPTIMIZER
from zoo.registry.kinds import higher_is_better
from zoo.views.markdown import escape

MINUS = "−"
NOTHING = "–"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Args:
        text: What it says.
        best: The best of its group.
    """

    text: str
    best: bool = False

    @property
    def markdown(self) -> str:
        """The text with Markdown's marks."""
        text = escape(self.text)
        return f"**{text}**" if self.best else text


@dataclass(frozen=True)
class Table:
    """Header and rows.

    Args:
        header: Names of the columns.
        rows: One `Cell` for each column.
        text_columns: How many columns from the left hold words; the others hold numbers, aligned right.
        groups: Numbers of rows above which a new group begins.
        group_columns: How many columns from the left are the same within a group; narrow pages show them as headings.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    text_columns: int = 1
    groups: frozenset[int] = frozenset()
    group_columns: int = 0

    @property
    def markdown(self) -> str:
        """A GitHub table."""
        rules = ["---" if i < self.text_columns else "---:" for i in range(len(self.header))]
        lines = [[escape(name) for name in self.header], rules, *([cell.markdown for cell in row] for row in self.rows)]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: Any, digits: int = 3, sign: bool = False) -> str:
    """Format a number with this many decimals, or a dash where there is none."""
    if value is None or not np.isfinite(value):
        return NOTHING
    return f"{value:{'+' if sign else ''},.{digits}f}".replace("-", MINUS)


def spread(mean: float, sd: float, digits: int = 3) -> str:
    """Mean ± standard deviation; the mean alone where there is one value."""
    return number(mean, digits) + (f" ± {number(sd, digits)}" if np.isfinite(sd) else "")


def interval(low: float, high: float, digits: int = 3) -> str:
    """Format a confidence interval."""
    return f"{number(low, digits, True)} … {number(high, digits, True)}" if np.isfinite(low) else NOTHING


def p_value(value: float) -> str:
    """Format a p value with two digits."""
    if not np.isfinite(value):
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def cells(*texts: Any) -> list[Cell]:
    """Make plain cells."""
    return [text if isinstance(text, Cell) else Cell(str(text)) for text in texts]


def results_table(summary: pd.DataFrame) -> Table:
    """Mean and spread of every data set, model and optimizer; the best mean of each data set is strong."""
    rows: list[list[Cell]] = []
    groups = set()
    for _, block in summary.groupby(["dataset", "metric"], sort=False):
        groups.add(len(rows))
        best = block["score"].idxmax() if block["score"].notna().any() else None
        for row in records(block):
            rows.append([
                *cells(row.dataset, row.metric, row.model, row.optimizer),
                Cell(spread(row.mean, row.sd), best=row.Index == best),
                *cells(number(row.valid), row.n, number(row.rank, 1) if row.of > 1 else NOTHING),
                *cells(number(row.passes_per_step, 2), number(row.molecules_per_second, 0), number(row.seconds, 1)),
                Cell(spread(row.eigenvalue, row.eigenvalue_sd, 2)),
            ])  # fmt: skip
    header = ["data set", "metric", "model", "optimizer", "test (mean ± sd)", "validation", "seeds", "rank"]
    return Table(
        [*header, "passes / step", "molecules / s", "training (s)", "largest eigenvalue"], rows, 4, frozenset(groups), 2
    )


def differences_table(comparison: pd.DataFrame) -> Table:
    """Paired differences to the reference."""
    rows: list[list[Cell]] = []
    groups, before = set(), None
    for row in records(comparison):
        if before != (row.dataset, row.model):
            groups.add(len(rows))
        before = (row.dataset, row.model)
        rows.append(cells(
            row.dataset, row.model, row.optimizer, row.metric, row.n, number(row.mean, 4, True), interval(row.low,
            row.high, 4), number(row.relative, 1, True), p_value(row.t_p), p_value(row.wilcoxon_p), number(row.time, 2),
        ))  # fmt: skip
    header = [
        "data set",
        "model",
        "optimizer",
        "metric",
        "pairs",
        "difference",
        "95 % interval",
        "%",
        "t test p",
        "Wilcoxon p",
    ]
    return Table([*header, "time ×"], rows, 4, frozenset(groups), 2)


def across_table(overall: pd.DataFrame, reference: str) -> Table:
    """Every optimizer over all data sets and models."""
    rows = []
    best = overall["rank"].min()
    for row in records(overall):
        common = [Cell(str(row.optimizer)), Cell(number(row.rank, 2), best=row.rank == best)]
        if row.optimizer == reference:
            rest = cells("reference", NOTHING, NOTHING, NOTHING, number(row.passes_per_step, 2), "1.00")
        elif not row.n > 0:
            rest = cells(*[NOTHING] * 4, number(row.passes_per_step, 2), NOTHING)
        else:
            rest = cells(
                number(row.mean, 2, True), interval(row.low, row.high, 2), f"{row.better:.0f} of {row.n:.0f}",
                p_value(row.wilcoxon_p), number(row.passes_per_step, 2), number(row.time, 2),
            )  # fmt: skip
        rows.append([*common, *rest])
    header = ["optimizer", "mean rank", f"% better than {reference}", "95 % interval", "better in", "Wilcoxon p"]
    return Table([*header, "passes / step", "training time ×"], rows)


def published_table(published: Mapping[str, Any], summary: pd.DataFrame, reference: str) -> Table:
    """Scores from the literature next to ours for the same model and data set, and next to models without optimizers.

    A published mean is reached by a mean that is not worse by more than the published standard deviation, if one is
    known.
    """
    baselines = summary.loc[summary["optimizer"] == NO_OPTIMIZER, "model"].unique()
    reruns = published.get("reruns", {})
    rows = []
    for model, scores in published.get("scores", {}).items():
        for dataset, value in scores.items():
            mean, sd = mean_and_sd(value)
            here = summary[summary["dataset"] == dataset]
            ours = here[here["model"] == model]
            chosen, reached = NOTHING, NOTHING
            if len(ours):
                sign = 1 if higher_is_better(ours["metric"].iloc[0]) else -1
                best = ours.loc[(sign * ours["valid"]).idxmax()]
                chosen = f"{spread(best['mean'], best['sd'])} ({best['optimizer']})"
                reached = "yes" if sign * (best["mean"] - mean) >= -np.nan_to_num(sd) else "no"
            again = ", ".join(number(each) for each in reruns.get(model, {}).get(dataset, ())) or NOTHING
            others = [format_mean(here[here["model"] == baseline]) for baseline in baselines]
            by_reference = format_mean(ours[ours["optimizer"] == reference])
            by_others = [again] if reruns else []
            rows.append(cells(model, dataset, spread(mean, sd), *by_others, by_reference, chosen, reached, *others))
    header = ["model", "data set", "published", *(["re-run by others"] if reruns else [])]
    return Table([*header, reference, "best on validation", "reached", *baselines], rows, 2)


def mean_and_sd(value: float | Sequence[float]) -> tuple[float, float]:
    """Return a published mean and its standard deviation, NaN where it is not known."""
    mean, *sd = value if isinstance(value, Sequence) else (value,)
    return mean, sd[0] if sd else float("nan")


def format_mean(summary: pd.DataFrame) -> str:
    """Format mean and standard deviation of the first row of a summary, if there is one."""
    return spread(summary["mean"].iloc[0], summary["sd"].iloc[0]) if len(summary) else NOTHING


def tasks_table(rows: pd.DataFrame) -> Table:
    """Scores of each task, for the data sets that have several."""
    found: dict[tuple[str, ...], list[float]] = {}
    for row in records(rows):
        for task, metrics in (row.per_task or {}).items():
            if len(row.per_task) > 1 and metrics.get(row.metric) is not None:
                found.setdefault((row.dataset, task, row.model, row.optimizer, row.metric), []).append(
                    metrics[row.metric]
                )
    lines = [
        cells(*names, spread(float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else np.nan))
        for names, values in found.items()
    ]
    return Table(["data set", "task", "model", "optimizer", "metric", "test (mean ± sd)"], lines, 5)


def splits_table(rows: pd.DataFrame) -> Table:
    """Sizes of the parts, for each data set and seed; runs of earlier versions may not have noted them."""
    lines = []
    for row in records(rows[rows["split_report"].map(bool)].drop_duplicates(["dataset", "seed"])):
        report = row.split_report
        sizes = [f"{report['parts'][name]['size']:,}" for name in ("train", "valid", "test")]
        shared = (report["scaffolds_across"], report["duplicates_across"], len(report["warnings"]))
        lines.append(cells(row.dataset, row.split, row.seed, *sizes, *shared))
    header = ["data set", "split", "seed", "train", "valid", "test", "scaffolds shared", "molecules shared", "warnings"]
    return Table(header, lines, 2)


def failures_table(rows: pd.DataFrame) -> Table:
    """The runs that failed, and why."""
    order = ["dataset", "model", "optimizer", "seed", "reason"]
    lines = [cells(*line) for line in rows[order].itertuples(index=False)]
    return Table(["data set", "model", "optimizer", "seed", "reason"], lines, 5)
