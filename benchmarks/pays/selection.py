"""How much of the best validation score is luck, for trained weights and for an average of them.

    python benchmarks/pays/selection.py pays/e benchmarks/results/pays/e

The epoch with the best validation score is chosen among many, so that this score is better than the weights are. The
epochs next to it were not chosen: their mean is free of that luck, but for the slope of the curve. Reads the folders of
runs that kept an average of the weights, and writes `selection.csv`: for both kinds of weights the best score, and the
mean of the `NEIGHBOURS` epochs before it and after it. Runs that the table has already stay in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.experiments.report import pooling
from zoo.experiments.report.tables import Cell, cells, interval, number
from zoo.experiments.sweep.results import ResultsFolder
from zoo.experiments.sweep.rows import ResultRow
from zoo.registry.kinds import higher_is_better

NEIGHBOURS = 2
HEADER = ("runs", "trained: best over neighbours %", "averaged: best over neighbours %", "average at the best epochs %",
          "95 % interval", "average among neighbours %", "95 % interval")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder that `molzoo benchmark` wrote")
    parser.add_argument("target", type=Path, help="folder to keep the table in")
    options = parser.parse_args()
    table = options.target / "selection.csv"
    found = pd.DataFrame([scores_of(row) for row in ResultsFolder(options.results).rows() if kept_average(row)])
    if table.exists():
        found = pd.concat([pd.read_csv(table), found]).drop_duplicates("run", keep="last")
    found.sort_values(["dataset", "optimizer", "model", "seed"]).round(6).to_csv(table, index=False)
    print(f"{len(found)} runs")


def kept_average(row: ResultRow) -> bool:
    """Whether trained weights and their average were both validated."""
    return bool(row.history) and f"unaveraged_{row.metric}" in row.history[0]


def scores_of(row: ResultRow) -> dict[str, Any]:
    """Both scores of both kinds of weights, with what tells the run from others."""
    curves = {
        "trained": [epoch[f"unaveraged_{row.metric}"] for epoch in row.history],
        "averaged": [epoch["valid"][row.metric] for epoch in row.history],
    }
    scores = {}
    for name, values in curves.items():
        scores[name], scores[f"{name}_around"] = best_and_around(values, higher_is_better(row.metric))
    names = ("run", "dataset", "model", "optimizer", "seed", "metric")
    return {name: getattr(row, name) for name in names} | scores


def best_and_around(values: Sequence[float], higher: bool) -> tuple[float, float]:
    """The best of the scores of all epochs, and the mean of its neighbours.

    Example:
        >>> best_and_around([0.0, 0.5, 0.9, 0.7, 0.3, 0.1], higher=True)
        (0.9, 0.375)
    """
    best = int(np.nanargmax(values) if higher else np.nanargmin(values))
    first = max(best - NEIGHBOURS, 0)
    around = np.delete(values[first : best + NEIGHBOURS + 1], best - first)
    return float(values[best]), float(np.nanmean(around))


def gains(found: pd.DataFrame, scores: str, references: str) -> list[np.ndarray]:
    """How much better some scores are than others, in percent of the others' mean, for each data set (n,)."""
    groups = []
    for _, block in found.groupby(["dataset", "model"]):
        sign = 1 if higher_is_better(block["metric"].iloc[0]) else -1
        groups.append((100 * sign * (block[scores] - block[references]) / abs(block[references].mean())).to_numpy())
    return groups


def row_of(found: pd.DataFrame) -> list[Cell]:
    """The cells below `HEADER`."""
    luck = [pooling.pool(gains(found, name, f"{name}_around")).mean for name in ("trained", "averaged")]
    at_best, among = (pooling.pool(gains(found, f"averaged{end}", f"trained{end}")) for end in ("", "_around"))
    parts = [(number(each.mean, 2, True), interval(each.low, each.high, 2)) for each in (at_best, among)]
    return cells(len(found), *(number(each, 2, True) for each in luck), *parts[0], *parts[1])


if __name__ == "__main__":
    main()
