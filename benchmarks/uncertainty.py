"""What each estimator of uncertainty is worth: calibrated on the validation part, measured on the test part.

For every data set, split and seed a small GCN is trained as an ensemble of five, and once for each kind of target that
predicts a distribution; one JSON line for each estimator is added to the output. A call goes on where an earlier one
was cut off.

    python benchmarks/uncertainty.py --sets esol freesolv lipophilicity bbbp bace clintox --seeds 0 1 2 --output FILE
    python benchmarks/uncertainty.py --table --output benchmarks/results/uncertainty.jsonl
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

import zoo
from zoo.experiments.experiment import draw
from zoo.trust import calibrate, evaluate_uncertainty

NUMBERS, CLASSES = ("esol", "freesolv", "lipophilicity"), ("bbbp", "bace", "clintox")
MODEL = {"hidden_size": 64, "dropout": 0.1}
MEMBERS, PASSES, BATCH = 5, 20, 50
TOLD = {"numbers": ("mean_variance", "quantile", "evidential"), "classes": ("binary_dirichlet",)}
ESTIMATOR = {"binary_dirichlet": "evidential"}
COVERAGE = 0.9


def main() -> None:
    """Measure what is not measured yet, or print the table of what is."""
    options = parse()
    if options.table:
        print(format_tables([json.loads(line) for line in options.output.read_text().splitlines()]))
        return
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    done = read_done(options.output)
    start = time.monotonic()
    for seed, split, name in itertools.product(options.seeds, options.splits, options.sets):
        if time.monotonic() - start > 60 * options.minutes:
            return
        if (name, split, seed) not in done:
            with tempfile.TemporaryDirectory() as cache:
                lines = list(measure(name, split, seed, options, cache))
            write(options.output, [{"set": name, "split": split, "seed": seed, **line} for line in lines])


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["freesolv"], help="MoleculeNet names; default: freesolv")
    parser.add_argument("--splits", nargs="+", default=["scaffold", "random"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--max-molecules", type=int, default=1000, help="of a data set, drawn once; default: 1000")
    parser.add_argument("--minutes", type=float, default=60.0, help="begin nothing after these; default: 60")
    parser.add_argument("--output", type=Path, default=None, help="JSON lines; standard output unless it is named")
    parser.add_argument("--table", action="store_true", help="print the table of what is in --output")
    return parser.parse_args()


def read_done(path: Path | None) -> set[tuple[str, str, int]]:
    """What the output holds already."""
    if path is None or not path.exists():
        return set()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {(line["set"], line["split"], line["seed"]) for line in lines}


def write(path: Path | None, lines: list[dict[str, Any]]) -> None:
    """Add lines to the output."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def measure(name: str, split: str, seed: int, options: argparse.Namespace, cache: str) -> Iterator[dict[str, Any]]:
    """Train on one split and measure every estimator."""
    data = draw(zoo.data.load(name), options.max_molecules)
    parts = data.split(split, seed=seed)
    kind = "classes" if name in CLASSES else "numbers"
    members = [
        train(data, parts, data.task, MEMBERS * seed + number, options.epochs, cache) for number in range(MEMBERS)
    ]
    ensemble = zoo.ensemble(members)
    asked: list[tuple[str, Any, str, dict[str, Any], int]] = [
        ("calibrated", members[0], "calibrated", {}, 1),
        ("mc_dropout", members[0], "mc_dropout", {"passes": PASSES}, PASSES),
        ("ball, random", members[0], "ball", {"passes": PASSES}, PASSES + 1),
        ("ball, ascent", members[0], "ball", {"passes": PASSES, "direction": "ascent"}, 3 * PASSES + 1),
        ("ensemble", ensemble, "ensemble", {}, MEMBERS),
    ]
    for task in TOLD[kind]:
        learner = train(data, parts, task, MEMBERS * seed, options.epochs, cache)
        asked.append((task, learner, ESTIMATOR.get(task, task), {}, 1))
    metric = data.metric
    for shown, learner, estimator, how, passes in asked:
        yield {
            "estimator": shown,
            "passes": passes,
            metric: learner.evaluate(parts.test)[metric],
            **judge(learner, parts, estimator, how),
        }


def train(data: Any, parts: Any, task: str, seed: int, epochs: int, cache: str) -> Any:
    """A learner of one kind of target."""
    learner = zoo.build("gcn", dataset=data, task=task, model_args=MODEL, seed=seed, device="cpu")
    learner.fit(data, split=parts, epochs=epochs, batch_size=BATCH, progress=False, cache_dir=cache)
    return learner


def judge(learner: Any, parts: Any, estimator: str, how: dict[str, Any]) -> dict[str, Any]:
    """Measures before and after the calibration."""
    raw = {} if estimator == "calibrated" else evaluate_uncertainty(learner, parts.test, estimator, **how).mean
    try:
        calibrate(learner, parts.valid, estimator, **how)
    except ValueError as error:
        return {"uncalibrated": plain(raw), "refused": str(error)}
    found = evaluate_uncertainty(learner, parts.test, estimator, coverage=COVERAGE, **how).mean
    learner.fitted = replace(learner.fitted, calibration={})
    return {"uncalibrated": plain(raw), **plain(found)}


def plain(values: dict[str, float]) -> dict[str, float | None]:
    """Numbers as JSON can hold them."""
    return {name: round(value, 5) if math.isfinite(value) else None for name, value in values.items()}


def format_tables(lines: list[dict[str, Any]]) -> str:
    """A Markdown table for each kind of target and split, with the mean over the seeds in each cell."""
    texts = []
    for split in dict.fromkeys(line["split"] for line in lines):
        for names, columns in ((NUMBERS, ("spearman", "nll", "miscalibration_area", "coverage")),
                               (CLASSES, ("spearman", "nll", "ece", "coverage"))):  # fmt: skip
            rows = [line for line in lines if line["split"] == split and line["set"] in names]
            sets = [name for name in names if any(row["set"] == name for row in rows)]
            if sets:
                texts += [f"**{split} split**: {', '.join(columns)}", "", *format_table(rows, sets, columns), ""]
    return "\n".join(texts)


def format_table(rows: list[dict[str, Any]], sets: list[str], columns: tuple[str, ...]) -> list[str]:
    """Lines of one table: an estimator in each row, a data set in each column."""
    seeds = {name: len({row["seed"] for row in rows if row["set"] == name}) for name in sets}
    head = [f"{name} ({seeds[name]} seed{'s' * (seeds[name] > 1)})" for name in sets]
    lines = [f"| estimator | passes | {' | '.join(head)} |", f"|---|---|{'---|' * len(sets)}"]
    for estimator in dict.fromkeys(row["estimator"] for row in rows):
        mine = [row for row in rows if row["estimator"] == estimator]
        cells = []
        for name in sets:
            found = [[row[column] for row in mine if row["set"] == name and row.get(column) is not None]
                     for column in columns]  # fmt: skip
            cells.append(", ".join(f"{np.mean(values):.2f}" if values else "-" for values in found))
        lines.append(f"| {estimator} | {mine[0]['passes']} | {' | '.join(cells)} |")
    return lines


if __name__ == "__main__":
    main()
