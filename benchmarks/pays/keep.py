"""Keep the results of a stage without its run folders, in a table small enough for a repository.

    python benchmarks/pays/keep.py pays/c benchmarks/results/pays/c

It writes `sweep.json` and `runs.csv`, which `molzoo report` reads; planned runs that the table has already stay in it.
Numbers are rounded to six digits. Left out are metrics of single tasks, metrics of an epoch that did not choose it,
options of a recipe that nobody set, and epochs that neither bettered the validation metric nor measured an ascent: the
time of such an epoch is counted with that of the next one.
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.experiments.sweep.results import ResultsFolder
from zoo.experiments.sweep.rows import ResultRow, read_table, write_table
from zoo.tasks.metrics import is_better

TIMES = ("seconds", "cpu_seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="folder that `molzoo benchmark` wrote")
    parser.add_argument("target", type=Path, help="folder to keep them in")
    options = parser.parse_args()
    options.target.mkdir(parents=True, exist_ok=True)
    shutil.copy(options.results / "sweep.json", options.target / "sweep.json")
    table = options.target / "runs.csv"
    kept = {row.run: slim(row) for row in read_table(table)} if table.exists() else {}
    kept |= {row.run: slim(row) for row in ResultsFolder(options.results).rows()}
    planned = [run["run"] for run in json.loads((options.target / "sweep.json").read_text(encoding="utf-8"))["plan"]]
    rows = [kept[run] for run in planned if run in kept]
    write_table(table, rows)
    print(f"{len(rows)} runs, {table.stat().st_size:,} bytes")


def slim(row: ResultRow) -> ResultRow:
    """Leave out what no table of these stages shows."""
    report = {**row.split_report, "parts": {name: {"size": part["size"]} for name, part in
              row.split_report.get("parts", {}).items()}}  # fmt: skip
    history = condense([slim_epoch(epoch, row.metric) for epoch in row.history], row.metric)
    slimmed = replace(row, per_task={}, history=history, split_report=report, sharpness={}, recipe=given(row.recipe))
    return replace(slimmed, **{name: rounded(getattr(slimmed, name)) for name in ("history", "metrics", "seconds")})


def slim_epoch(epoch: dict[str, Any], metric: str) -> dict[str, Any]:
    """Keep loss, time and measurements of an epoch, and of its validation the metric that chooses the epoch."""
    names = ("epoch", "loss", "seconds", "cpu_seconds", f"unaveraged_{metric}")
    kept = {name: value for name, value in epoch.items() if name in names or name.startswith("ascent_")}
    return kept | {"valid": {name: value for name, value in epoch["valid"].items() if name == metric}}


def condense(history: list[dict[str, Any]], metric: str) -> list[dict[str, Any]]:
    """Keep the last epoch and those that better a score or measured an ascent, with the time since the one before."""
    kept: list[dict[str, Any]] = []
    best: dict[str, float] = {}
    waiting = dict.fromkeys(TIMES, 0.0)
    for epoch in history:
        scores = {**epoch["valid"], "unaveraged": epoch.get(f"unaveraged_{metric}")}
        better = {name: score for name, score in scores.items() if score is not None
                  and is_better(metric, score, best.get(name))}  # fmt: skip
        best |= better
        waiting = {name: waiting[name] + epoch.get(name, 0.0) for name in TIMES}
        if better or epoch is history[-1] or any(name.startswith("ascent_") for name in epoch):
            kept.append(epoch | {name: waiting[name] for name in TIMES if name in epoch})
            waiting = dict.fromkeys(TIMES, 0.0)
    return kept


def given(options: dict[str, Any]) -> dict[str, Any]:
    """Leave out of nested options those that nobody set; what a model or an optimizer was given stays, None too."""
    nested = {name for name, value in options.items() if isinstance(value, dict) and not name.endswith("_args")}
    kept = {name: given(value) if name in nested else value for name, value in options.items()}
    return {name: value for name, value in kept.items() if value not in (None, {})}


def rounded(value: Any) -> Any:
    """Round every number in nested lists and mappings to six digits."""
    if isinstance(value, dict):
        return {name: rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
