"""The tables and figures of docs/does_it_pay.md, from benchmarks/results/pays and benchmarks/results/graphsam.

    python benchmarks/pays/page.py --write

A table stands between `<!-- NAME -->` and `<!-- end -->`. Those of stages without results are left as they are. The
figures are written next to the results of their stage.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import pandas as pd

from zoo.experiments.report import tables as tables_module
from zoo.experiments.report.figures import WIDE
from zoo.experiments.report.panels import draw_rises
from zoo.experiments.report.report import Report
from zoo.experiments.report.tables import Table, cells, number

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "does_it_pay.md"
TARGET = 0.03
"""Relative rise of the loss whose radius `rises_table` looks for."""


def cosines_table() -> Table:
    """Cosine of the carried direction with the gradient, share of steps that climb, and rise, for each rule."""
    found = pd.read_csv(RESULTS / "pays" / "a" / "cosines.csv")
    rules = list(dict.fromkeys(found["rule"]))
    rows = []
    for dataset, block in found.groupby("dataset", sort=False):
        by_rule = block.set_index("rule")
        shown = [describe(by_rule.loc[rule]) if rule in by_rule.index else "–" for rule in rules]
        rows.append(cells(dataset, *shown))
    return Table(["data set", *rules], rows)


def describe(row: pd.Series) -> str:
    """Format a cosine, the share of steps with a positive one, and the rise of the loss."""
    return f"{number(row['cosine'], 2, True)} ({100 * row['positive']:.0f} %), {number(100 * row['rise'], 1, True)} %"


def rises_table() -> Table:
    """Median rise of the loss along the gradient by radius, and the radius for a rise of `TARGET`."""
    found = pd.read_csv(RESULTS / "pays" / "a" / "rises.csv")
    radii = sorted(found["rho"].unique())
    rows = []
    for dataset, block in found.groupby("dataset", sort=False):
        rise = block.set_index("rho")["rise"]
        values = [f"{number(100 * rise[rho], 1, True)} %" for rho in radii]
        rows.append(cells(dataset, *values, f"{radius_of(rise, TARGET):.2g}"))
    header = [f"rise at ρ = {rho:g}" for rho in radii]
    return Table(["data set", *header, f"ρ for {100 * TARGET:.0f} %"], rows)


def radius_of(rise: pd.Series, target: float) -> float:
    """Interpolate, between logarithms, the radius with a given rise; the ends are not left."""
    known = rise[rise > 0].sort_index()
    return float(np.exp(np.interp(np.log(target), np.log(known.to_numpy()), np.log(known.index.to_numpy()))))


def tables() -> dict[str, str]:
    """Tables and verdicts in Markdown by name, of those stages that have results."""
    made: dict[str, Table] = {}
    if (RESULTS / "pays" / "a" / "rises.csv").exists():
        made |= {"cosines": cosines_table(), "rises": rises_table()}
    made["first experiment"] = Report.read(RESULTS / "graphsam").verdict.table()
    sentences = {}
    for stage in "bcdef":
        if (RESULTS / "pays" / stage / "runs.csv").exists():
            report = Report.read(RESULTS / "pays" / stage)
            made[f"stage {stage}"] = report.verdict.table()
            made[f"stage {stage} averages"] = report.verdict.averages_table()
            made[f"stage {stage} results"] = tables_module.results_table(report.summary)
            if report.verdict.sentence:
                sentences[f"stage {stage} verdict"] = report.verdict.sentence
    return sentences | {name: table.markdown for name, table in made.items() if table.rows}


def filled(page: str) -> str:
    """Fill the tables into the page."""
    for name, table in tables().items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        page = pattern.sub(lambda found, table=table: f"{found[1]}{table}\n{found[2]}", page)
    return page


def draw_figures() -> None:
    """Draw the scores of stages C to E against the measured rise of the loss, where it was measured."""
    for stage in "cde":
        folder = RESULTS / "pays" / stage
        if (folder / "runs.csv").exists() and (figure := draw_rises(Report.read(folder), WIDE)):
            figure.savefig(folder / "rises.png", dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="into docs/does_it_pay.md and benchmarks/results/pays")
    options = parser.parse_args()
    if options.write:
        PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        draw_figures()
    else:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables().items()))


if __name__ == "__main__":
    main()
