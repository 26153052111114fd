"""Do intervals and sets hold what they promise? Coverage on random splits, over many seeds, against its exact law.

With n calibration labels the number of hits among m test labels follows a beta-binomial law (Vovk 2012), whatever the
model; a model of a few epochs shows it as well as a good one. Prints one JSON line for each data set, method and seed,
then a table.

    python benchmarks/coverage.py --sets esol freesolv bbbp --seeds 10 --output FILE
"""

from __future__ import annotations

import argparse
import json
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import betabinom

import zoo
from zoo.experiments.experiment import draw
from zoo.trust import calibrate, evaluate_uncertainty
from zoo.trust.scores import true_class

COVERAGE, LEVEL, FRACTIONS = 0.9, 0.95, (0.6, 0.2, 0.2)
METHODS = {"numbers": ("absolute",), "classes": ("sets", "adaptive", "mondrian")}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["freesolv"], help="MoleculeNet names; default: freesolv")
    parser.add_argument("--seeds", type=int, default=2, help="how many; default: 2")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--max-molecules", type=int, default=1000, help="of a data set; default: 1000")
    parser.add_argument(
        "--select",
        action="store_true",
        help="choose the best epoch on the calibration part, as training does by itself",
    )
    parser.add_argument("--output", type=Path, default=None, help="JSON lines")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    lines = []
    for name in options.sets:
        data = draw(zoo.data.load(name), options.max_molecules)
        for seed in range(options.seeds):
            for line in measure(data, seed, options.epochs, options.select):
                lines.append({"set": name, "seed": seed, **line})
                print(json.dumps(lines[-1]), flush=True)
    if options.output is not None:
        options.output.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    print(format_table(lines))


def measure(data: Any, seed: int, epochs: int, select: bool) -> Iterator[dict[str, Any]]:
    """Train on a random split, and count the hits of each method."""
    parts = data.split("random", seed=seed, fractions=FRACTIONS)
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 32}, seed=seed, device="cpu")
    train = parts.train if not select else data
    learner.fit(train, split=parts if select else None, epochs=epochs, batch_size=50, progress=False)
    for method in METHODS["numbers" if data.task == "regression" else "classes"]:
        made = calibrate(learner, parts.valid, conformal_method=method)
        task = next(iter(evaluate_uncertainty(learner, parts.test, coverage=COVERAGE).tasks.values()))
        inside = hits_of(task)
        for each in [0, 1] if method == "mondrian" else [None]:
            chosen = inside if each is None else inside[task.labels == each]
            yield {
                "method": method if each is None else f"{method}, class {each}",
                "calibration": len(made.scores[0] if each is None else made.scores[0][each]),
                "test": len(chosen),
                "hits": int(chosen.sum()),
            }


def hits_of(task: Any) -> np.ndarray:
    """Whether the interval or the set of each molecule holds its label (n,)."""
    if task.sets is not None:
        return true_class(task.labels, task.sets)
    return (task.interval[:, 0] <= task.labels) & (task.labels <= task.interval[:, 1])


def law(count: int, test: int) -> Any:
    """Distribution of the hits among `test` labels with `count` calibration labels."""
    rank = math.ceil(round((count + 1) * COVERAGE, 9))
    return betabinom(test, rank, count + 1 - rank)


def format_table(lines: list[dict[str, Any]]) -> str:
    """Markdown: coverage over the seeds, and in how many seeds the hits were in the central range of the law."""
    texts = [f"| set | method | seeds | coverage | least | most | within {LEVEL:.0%} of the law |", f"|{'---|' * 7}"]
    for key in dict.fromkeys((line["set"], line["method"]) for line in lines):
        rows = [line for line in lines if (line["set"], line["method"]) == key]
        shares = [row["hits"] / row["test"] for row in rows]
        ranges = [law(row["calibration"], row["test"]).interval(LEVEL) for row in rows]
        within = sum(low <= row["hits"] <= high for row, (low, high) in zip(rows, ranges, strict=True))
        total = sum(row["hits"] for row in rows) / sum(row["test"] for row in rows)
        cells = (
            *key,
            len(rows),
            f"{total:.3f}",
            f"{min(shares):.3f}",
            f"{max(shares):.3f}",
            f"{within} of {len(rows)}",
        )
        texts.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(texts)


if __name__ == "__main__":
    main()
