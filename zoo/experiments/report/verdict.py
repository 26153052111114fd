"""The verdict of a report: one sentence, and the table that it rests on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zoo.experiments.report import pooling
from zoo.experiments.report.statistics import records
from zoo.experiments.report.tables import Table, cells, interval, number, p_value


@dataclass(frozen=True)
class Verdict:
    """Comparison of all optimizers with the reference over all pairs.

    Args:
        reference: The optimizer that others are compared with.
        test: Differences on the test part, see `pooling.compare_pairs`.
        valid: The same on the validation part, at equal epochs.
        timed: The same on the validation part, at equal training time.
        times: Training time by optimizer, as a multiple of the reference's.
        averages: What averages of the weights gain at their best epochs, see `pooling.compare_averages`.
        last_averages: The same at the last epoch.
    """

    reference: str
    test: pd.DataFrame
    valid: pd.DataFrame
    timed: pd.DataFrame
    times: dict[str, float]
    averages: pd.DataFrame
    last_averages: pd.DataFrame

    @classmethod
    def of(cls, rows: pd.DataFrame, comparison: pd.DataFrame, reference: str) -> Verdict:
        """Compare the runs of a report.

        Args:
            rows: Finished rows, with the times that count.
            comparison: What `statistics.compare` returns.
            reference: Key of an optimizer.
        """
        ratios = comparison.groupby("optimizer", sort=False)["time"]
        times = {str(name): float(np.exp(np.log(values).mean())) for name, values in ratios}
        test, valid, timed = (
            pooling.compare_pairs(rows, reference, score)
            for score in (pooling.of_test, pooling.of_validation, pooling.at_equal_time)
        )
        averages, last = (
            pooling.compare_averages(rows, scores) for scores in (pooling.at_best_epochs, pooling.at_last_epoch)
        )
        return cls(reference, test, valid, timed, times, averages, last)

    @property
    def rule(self) -> str | None:
        """Optimizer that is best on the validation part; None where none is compared with the reference."""
        if not len(self.valid) or not len(self.test):
            return None
        return str(max(records(self.valid), key=lambda row: row.mean).optimizer)

    @property
    def answer(self) -> str:
        """One of "yes", "at equal epochs", "open" and "no" for the chosen optimizer; empty without one."""
        name = self.rule
        if name is None:
            return ""
        test, timed = (found(table, name) for table in (self.test, self.timed))
        if test.low > 0:
            return "yes" if timed is not None and timed.low > 0 else "at equal epochs"
        return "no" if test.high < 0 else "open"

    @property
    def sentence(self) -> str:
        """The verdict in one sentence; empty where nothing is compared."""
        name = self.rule
        if name is None:
            return ""
        test, timed = (found(table, name) for table in (self.test, self.timed))
        where = f"{test.sets} data set{'s' * (test.sets > 1)} and {test.n} pair{'s' * (test.n > 1)}"
        facts = (
            f"over {where}, {name}, the best on the validation parts, differs from {self.reference} by "
            f"{number(test.mean, 2, True)} % on the test parts ({describe_interval(test)}), for "
            f"{number(self.times.get(name, np.nan), 2)} times the training time"
        )
        if timed is not None:
            facts += f"; at equal time by {number(timed.mean, 2, True)} % on the validation parts"
            facts += f" ({describe_interval(timed)})"
        return f"{ANSWERS[self.answer]}: {facts}."

    def table(self) -> Table:
        """All optimizers over all pairs."""
        rows = []
        for row in records(self.test):
            valid, timed = (found(table, row.optimizer) for table in (self.valid, self.timed))
            rows.append(cells(
                row.optimizer, row.n, number(row.mean, 2, True), interval(row.low, row.high, 2),
                f"{row.better} of {row.n}", p_value(row.wilcoxon_p), *difference(valid), *difference(timed),
                number(self.times.get(row.optimizer, np.nan), 2),
            ))  # fmt: skip
        header = ["optimizer", "pairs", "test %", "95 % interval", "better in", "Wilcoxon p", "validation %"]
        return Table([*header, "95 % interval", "equal time %", "95 % interval", "time ×"], rows)

    def averages_table(self) -> Table:
        """Averages of the weights against the trained weights of the same runs, on the validation part."""
        rows = []
        for row in records(self.averages):
            last = found(self.last_averages, row.optimizer)
            better = "–" if last is None else f"{last.better} of {last.n}"
            best = (*difference(row), f"{row.better} of {row.n}")
            rows.append(cells(row.optimizer, row.n, *best, *difference(last), better))
        header = ["optimizer", "runs", "best epochs %", "95 % interval", "better in"]
        return Table([*header, "last epoch %", "95 % interval", "better in"], rows)


ANSWERS = {
    "yes": "It pays",
    "at equal epochs": "It helps at equal epochs, and nothing is shown at equal time",
    "open": "Nothing is shown either way",
    "no": "It does not pay",
}


def found(table: pd.DataFrame, optimizer: str) -> Any:
    """Return the row of an optimizer, None where there is none."""
    return next(records(table[table["optimizer"] == optimizer]), None)


def difference(row: Any) -> tuple[str, str]:
    """Format a pooled difference and its interval."""
    return ("–", "–") if row is None else (number(row.mean, 2, True), interval(row.low, row.high, 2))


def describe_interval(row: Any) -> str:
    """Format an interval in words."""
    if not np.isfinite(row.low):
        return "too few pairs for an interval"
    return f"95 % interval {number(row.low, 2, True)} to {number(row.high, 2, True)} %"
