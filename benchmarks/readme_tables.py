"""Tables of the README and of docs/measured.md: the catalog, models with their speeds, and what the experiment found.

python benchmarks/models.py --clock cpu | grep '^{' > benchmarks/results/models.jsonl
molzoo benchmark benchmarks/graphsam.yaml --results benchmarks/results/graphsam --workers 2
python benchmarks/readme_tables.py --write
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from zoo.experiments.report.report import Report
from zoo.experiments.report.tables import mean_and_sd, number, spread
from zoo.learners.sizes import count_parameters
from zoo.registry.catalog import MODELS, OPTIMIZERS
from zoo.registry.kinds import higher_is_better

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def read_records() -> dict[str, dict]:
    """Records of benchmarks/models.py by model."""
    lines = (RESULTS / "models.jsonl").read_text(encoding="utf-8").splitlines()
    return {record["model"]: record for record in map(json.loads, lines) if "failed" not in record}


def names_table() -> str:
    """The names of models, a row for each architecture, and of optimizers in Markdown."""
    families: dict[str, list] = {}
    for entry in MODELS:
        family = next((name for name in families if entry.name.startswith(f"{name}_")), entry.name)
        families.setdefault(family, []).append(entry)
    rows = ["| models | the first of them | paper |", "|---|---|---|"]
    for first, *others in families.values():
        names = ", ".join(f"`{entry.name}`" for entry in (first, *others))
        rows.append(f"| {names} | {first.summary.partition(' (')[0]} | {first.reference} |")
    optimizers = ", ".join(f"`{entry.name}`" for entry in OPTIMIZERS)
    return "\n".join(rows) + f"\n\nOptimizers: {optimizers}.\n"


def models_table() -> str:
    """The zoo in Markdown."""
    records = read_records()
    rows = ["| model | what it is | parameters | molecules/s in training | paper |", "|---|---|---:|---:|---|"]
    for entry in MODELS:
        parameters, record = count_parameters(entry), records.get(entry.name)
        size = "" if parameters is None else f"{parameters:,}"
        speed = "" if record is None else f"{record['adam']:,.0f}"
        rows.append(f"| `{entry.name}` | {entry.summary} | {size} | {speed} | {entry.reference} |")
    return "\n".join(rows) + "\n"


def costs_table() -> str:
    """How much of a training step is matrix products, and what else takes most of it, in Markdown."""
    rows = ["| model | matrix products | next to them |", "|---|---:|---|"]
    for name, record in read_records().items():
        if "adam_over_floor" in record:
            others = ", ".join(f"`{operator}` {100 * share:.0f} %" for operator, share in record["costs"].items())
            rows.append(f"| `{name}` | {100 * record['adam_over_floor']:.0f} % | {others} |")
    return "\n".join(rows) + "\n"


def experiment_table() -> str:
    """Test metrics of benchmarks/graphsam.yaml in Markdown: a row for each model and optimizer, then the published."""
    report = Report.read(RESULTS / "graphsam")
    metrics = report.summary.groupby("dataset", sort=False)["metric"].first()
    names = [
        f"{data} {metric.upper().replace('_', '-')} {'↑' if higher_is_better(metric) else '↓'}"
        for data, metric in metrics.items()
    ]
    header = ["model", "optimizer", *names, "passes a step", "time ×"]
    rows = [header, ["---", "---", *["---:"] * (len(header) - 2)], *rows_of_results(report, list(metrics.index))]
    for model, scores in report.sweep.published.get("scores", {}).items():
        rows.append([model, "published", *(spread(*mean_and_sd(scores[data])) for data in metrics.index), "", ""])
    for model, scores in report.sweep.published.get("reruns", {}).items():
        again = [", ".join(number(each) for each in scores[data]) for data in metrics.index]
        rows.append([model, "re-run by others", *again, "", ""])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def rows_of_results(report: Report, datasets: list[str]) -> Iterator[list[str]]:
    """A row for each model and optimizer; time is a geometric mean of ratios to the reference's."""
    times = report.comparison.groupby(["model", "optimizer"])["time"].apply(lambda t: t.prod() ** (1 / len(t)))
    for (model, optimizer), block in report.summary.groupby(["model", "optimizer"], sort=False):
        by_data = block.set_index("dataset")
        scores = [spread(by_data["mean"][data], by_data["sd"][data]) for data in datasets]
        passes = block["passes_per_step"].mean()
        time = 1.0 if optimizer == report.sweep.reference else times.get((model, optimizer))
        cost = ["", ""] if pd.isna(passes) else [f"{passes:.2f}", "" if time is None else f"{time:.2f}"]
        yield [str(model), "" if optimizer == "none" else str(optimizer), *scores, *cost]


TABLES = {"names": names_table, "models": models_table, "costs": costs_table, "experiment": experiment_table}
PAGES = (ROOT / "README.md", ROOT / "docs" / "measured.md")


def fill_tables(text: str) -> str:
    """A page's text with the tables in their places."""
    for name, table in TABLES.items():
        begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
        if begin in text:
            before, _, rest = text.partition(begin)
            text = before + begin + table() + end + rest.partition(end)[2]
    return text


def main() -> None:
    """Print the tables, or write them into the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write them into README.md and docs/measured.md")
    if not parser.parse_args().write:
        print(*(table() for table in TABLES.values()), sep="\n")
        return
    for page in PAGES:
        page.write_text(fill_tables(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
