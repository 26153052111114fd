"""Test scores of a model from the committed results."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from generators.links import ROOT
from generators.markdown import make_table
from zoo.experiments.report.report import Report
from zoo.experiments.report.tables import spread
from zoo.registry.kinds import higher_is_better

RESULTS = ROOT / "benchmarks" / "results"


@functools.cache
def read_reports() -> dict[str, Report]:
    """Return the reports of sweeps by the name of their folder in `benchmarks/results`."""
    folders = sorted(path.parent for path in RESULTS.rglob("sweep.json"))
    return {folder.relative_to(RESULTS).as_posix(): Report.read(folder) for folder in folders}


def list_scores(model: str) -> Iterator[str]:
    """Yield a section with a table for each sweep that trained a model."""
    sections = [section for name, report in read_reports().items() for section in show_sweep(name, report, model)]
    if sections:
        yield "## Scores\n"
        yield from sections


def show_sweep(name: str, report: Report, model: str) -> Iterator[str]:
    """Yield what a sweep measured for a model: test metric by data set and optimizer."""
    runs = report.finished[report.finished["model"] == model]
    summary = report.summary[report.summary["model"] == model]
    if summary.empty:
        return
    metrics = summary.groupby("dataset", sort=False)["metric"].first()
    header = [f"{data}, {metric} {'↑' if higher_is_better(metric) else '↓'}" for data, metric in metrics.items()]
    rows = []
    for optimizer, block in summary.groupby("optimizer", sort=False):
        scores = {row.dataset: spread(row.mean, row.sd) for row in block.itertuples()}
        rows.append((str(optimizer), *(scores.get(data, "") for data in metrics.index)))
    size = runs["parameters"].dropna()
    about = f"{size.iloc[0]:,.0f} weights, " if len(size) else ""
    seeds = runs["seed"].nunique()
    place = f"benchmarks/results/{name}"
    splits = ", ".join(map(str, runs["split"].unique()))
    yield f"`{place}` ({about}{seeds} seeds, split {splits}; mean ± sd of the test part):\n"
    yield make_table(("optimizer", *header), rows, " " + "r" * len(header))
    page = Path(RESULTS / name / "report.md")
    if page.exists():
        yield f"The sweep as a whole: [report](../repository/{place}/report.md).\n"
