"""The tables and figures of docs/does_it_pay.md, from benchmarks/results/pays and benchmarks/results/graphsam.

    python benchmarks/pays/page.py --write

A table stands between `<!-- NAME -->` and `<!-- end -->`. Those of stages without results are left as they are. The
figures are written next to the results of their stage.
"""

from __future__ import annotations

import argparse
import re
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zoo.experiments.report import pooling
from zoo.experiments.report import tables as tables_module
from zoo.experiments.report.figures import WIDE, Chart
from zoo.experiments.report.panels import draw_rises
from zoo.experiments.report.report import Report
from zoo.experiments.report.statistics import records
from zoo.experiments.report.tables import Cell, Table, cells, interval, number, p_value, spread
from zoo.registry.kinds import higher_is_better
from zoo.views.themed import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "does_it_pay.md"
TARGET = 0.03
"""Relative rise of the loss whose radius `rises_table` looks for."""
CLAIM = (1.5, 2.2)
"""Gain over Adam in percent that the paper reports."""
LABELS = {
    "sam_1": "SAM, rise of 1 %",
    "sam_3": "SAM, rise of 3 %",
    "sam_10": "SAM, rise of 10 %",
    "sam_late": "SAM in the last fifth of the run",
    "sam": "SAM, 1 %, climbing on a quarter of the batch",
    "graphsam": "GraphSAM, β = 0, 3 %",
    "graphsam_1": "GraphSAM, β = 0, 1 %",
    "graphsam_3": "GraphSAM, β = 0, 3 %",
    "graphsam_paper": "GraphSAM as published",
    "graphsam_released": "GraphSAM as released",
    "adam_ema": "Adam, averaged weights",
    "adam_constant": "Adam, constant learning rate",
    "adam_squared": "Adam, half the squared loss of each label",
}
"""Optimizers of the stages in words, in the order of `rules.png` within a stage."""
STAGES = {
    "c": "C: development seeds, scaffold",
    "d": "D: development seeds, scaffold",
    "e": "E: fresh seeds, scaffold",
    "f": "F: random split",
}
SIZES = ("small", "small, twice the epochs", "published size")
"""How CoMPT was trained for `sizes_table`."""
RECIPES = ("dmpnn", "grover")
"""Models whose recipe has an experiment of its own."""

# What is drawn of each rule, from top to bottom.
PARTS: tuple[dict[str, Any], ...] = (
    {"color": "#1b6ca8", "marker": "o", "markersize": 5, "elinewidth": 1.6, "linestyle": "", "label": "test parts"},
    {"color": "#c2571a", "marker": "D", "markersize": 4, "elinewidth": 1.2, "linestyle": "", "markerfacecolor": "white",
     "label": "validation parts"},
)  # fmt: skip


@cache
def report_of(stage: str) -> Report:
    """Read the results of a stage, once: tables and figures share them."""
    return Report.read(RESULTS / "pays" / stage)


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


def baselines_table() -> Table:
    """Test scores of trees, of CoMPT with descriptors and of stage E's Adam, over the seeds that all of them have."""
    found = report_of("baselines").finished
    networks = report_of("e").finished.query("optimizer == 'adam'")
    runs = pd.concat([networks, found])
    models, rows = list(dict.fromkeys(runs["model"])), []
    for dataset, block in runs[runs["dataset"].isin(found["dataset"])].groupby("dataset", sort=False):
        scores = block.pivot(index="seed", columns="model", values="test")[models].dropna()
        mean, sd, metric = scores.mean(), scores.std(), block["metric"].iloc[0]
        best = mean.idxmax() if higher_is_better(metric) else mean.idxmin()
        shown = [Cell(spread(mean[name], sd[name]), best=name == best) for name in models]
        rows.append([*cells(dataset, metric, len(scores)), *shown])
    return Table(["data set", "metric", "seeds", *models], rows, 2)


def sizes_table() -> Table:
    """Test scores of CoMPT as small as in stage E, for twice the epochs, and at its published size, on equal seeds."""
    found, stage = report_of("compt_size").finished, report_of("e")
    small = stage.finished.query("model == 'compt' and optimizer == 'adam'")
    runs = pd.concat([small[small["seed"].isin(found["seed"])], found])
    names = {"compt": "small", "compt_longer": "small, twice the epochs"}
    runs = runs.assign(model=[names.get(model, "published size") for model in runs["model"]])
    again, rows = stage.sweep.published["reruns"]["compt"], []
    for dataset, block in runs[runs["dataset"].isin(found["dataset"])].groupby("dataset", sort=False):
        scores = block.groupby("model")["test"].agg(["mean", "std"])
        shown = [spread(*scores.loc[name]) if name in scores.index else "–" for name in SIZES]
        counted = block.groupby("model")["seed"].nunique().min()
        rows.append(cells(dataset, block["metric"].iloc[0], counted, *shown, ", ".join(map(number, again[dataset]))))
    return Table(["data set", "metric", "seeds", *SIZES, "re-run by others"], rows, 2)


def recipe_differences(model: str) -> pd.DataFrame:
    """Differences of each setting of a model to Adam's on the validation parts, as `pooling.compare_pairs` has them.

    A setting is an optimizer, "adam" with what its model has besides, all with averaged weights; or "average": the
    averaged weights of Adam's runs against their trained weights, at the last epoch.
    """
    runs = report_of(f"recipes_{model}").finished
    extras = runs["model"].str.removeprefix(model).str.removeprefix("_")
    settings = runs["optimizer"].where(extras == "", "adam, " + extras)
    found = pooling.compare_pairs(runs.assign(model=model, optimizer=settings), "adam", pooling.of_validation)
    averages = pooling.compare_averages(runs[settings == "adam"], pooling.at_last_epoch).assign(optimizer="average")
    return pd.concat([found, averages], ignore_index=True)


def recipes_table() -> Table:
    """What each setting of a recipe gains over Adam on the validation parts, for each model that was tried."""
    rows = [
        cells(
            model, row.optimizer, row.n, number(row.mean, 2, True), interval(row.low, row.high, 2),
            f"{row.better} of {row.n}", p_value(row.wilcoxon_p),
        )
        for model in RECIPES if (RESULTS / "pays" / f"recipes_{model}" / "runs.csv").exists()
        for row in records(recipe_differences(model))
    ]  # fmt: skip
    return Table(["model", "setting", "pairs", "validation %", "95 % interval", "better in", "Wilcoxon p"], rows, 2)


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
            report = report_of(stage)
            made[f"stage {stage}"] = report.verdict.table()
            made[f"stage {stage} averages"] = report.verdict.averages_table()
            made[f"stage {stage} results"] = tables_module.results_table(report.summary)
            made[f"stage {stage} published"] = tables_module.published_table(
                report.sweep.published, report.summary, report.reference
            )
            if report.verdict.sentence:
                sentences[f"stage {stage} verdict"] = report.verdict.sentence
    if (RESULTS / "pays" / "baselines" / "runs.csv").exists():
        made["baselines"] = baselines_table()
    if (RESULTS / "pays" / "compt_size" / "runs.csv").exists():
        made["sizes"] = sizes_table()
    made["recipes"] = recipes_table()
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
        if (folder / "runs.csv").exists() and (figure := draw_rises(report_of(stage), WIDE)):
            figure.savefig(folder / "rises.png", dpi=120)
    draw_rules().savefig(RESULTS / "pays" / "rules.png", dpi=120)


def draw_rules() -> Figure:
    """Draw what each rule of stages C to F gains over Adam, on the test and on the validation parts."""
    found = {stage: report_of(stage).verdict for stage in STAGES}
    count = sum(len(verdict.test) + 1 for verdict in found.values())
    with matplotlib.rc_context(SETTINGS):
        figure = Chart(figsize=(9.0, 0.27 * count + 0.9), layout="constrained")
        axis = figure.add_subplot()
        axis.axvspan(*CLAIM, color="#8a8a8a", alpha=0.18, linewidth=0, label="what the paper reports")
        axis.axvline(0, color="#8a8a8a", linewidth=1)
        place, names = 0, {}
        for stage, verdict in found.items():
            names[place], place = STAGES[stage], place + 1
            tables = [table.set_index("optimizer") for table in (verdict.test, verdict.valid)]
            for optimizer in sorted(tables[0].index, key=list(LABELS).index):
                for row, style, shift in zip((t.loc[optimizer] for t in tables), PARTS, (-0.14, 0.14), strict=True):
                    span = None if np.isnan(row["low"]) else [[row["mean"] - row["low"]], [row["high"] - row["mean"]]]
                    axis.errorbar(row["mean"], place + shift, xerr=span, **style)
                names[place], place = LABELS[optimizer], place + 1
        axis.set_yticks(list(names), list(names.values()))
        for text in axis.get_yticklabels():
            text.set_fontweight("bold" if text.get_text() in STAGES.values() else "normal")
        axis.set(xlabel="difference to Adam, % of its score (95 % interval over pairs)", ylim=(place - 0.4, -0.8))
        axis.tick_params(axis="y", length=0)
        axis.grid(visible=False, axis="y")
        handles, texts = axis.get_legend_handles_labels()
        shown = dict(zip(texts, handles, strict=True))
        figure.legend(shown.values(), shown.keys(), loc="outside upper center", ncols=3)
        return figure


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
