"""One side of `releases.py`: takes training steps as its standard input asks, and answers in JSON lines.

    python steps.py PAIR CLONE|- MOLECULES.csv BATCH_SIZE

Questions: "warm" (one step, number of parameters), "steps FIRST COUNT" (seconds a step), "products" (share of
a step that its matrix products take alone), "peak" (MB).
"""

from __future__ import annotations

import csv
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from products import Products, record_products

Step = Callable[[Any], None]


def load(pair: str, clone: str, rows: list[dict[str, str]], batch_size: int) -> tuple[Step, list[Any], int]:
    """Return a training step, its batches and the number of parameters."""
    if clone == "-":
        from ours import load_ours

        return load_ours(pair, rows, batch_size)
    sys.path.insert(0, clone)
    import numpy as np

    np.float = float  # type: ignore[attr-defined] # the releases were written for older versions of NumPy
    if pair == "compt_bbbp":
        from released_compt import load_compt

        return load_compt(rows, batch_size)
    from released_grover import load_grover

    hidden, depth = (int(number) for number in pair.split("_")[1:3])
    return load_grover(hidden, depth, rows, batch_size)


def main() -> None:
    """Answer until the input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what the releases print must not get between the answers
    torch.set_num_threads(1)
    torch.manual_seed(0)
    pair, clone, molecules, batch_size = sys.argv[1:]
    with open(molecules, encoding="utf-8", newline="") as file:
        step, batches, parameters = load(pair, clone, list(csv.DictReader(file)), int(batch_size))
    for line in sys.stdin:
        answer = reply(line.split(), step, batches)
        print(json.dumps({**answer, "parameters": parameters}), file=answers, flush=True)


def reply(question: list[str], step: Step, batches: list[Any]) -> dict[str, float]:
    """Do what is asked."""
    if question[0] == "warm":
        step(batches[0])
        return {}
    if question[0] == "steps":
        first, count = map(int, question[1:])
        return seconds_each(step, [batches[number % len(batches)] for number in range(first, first + count)])
    if question[0] == "products":
        recorded = record_products(step, batches[:1])
        multiply = Products()
        multiply.prepare(recorded)
        alone = min(seconds_each(multiply, recorded)["cpu"] for _ in range(3))
        return {"share": alone / seconds_each(step, batches[:1])["cpu"]}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"mb": int(peak / (1024**2 if sys.platform == "darwin" else 1024))}


def seconds_each(step: Step, items: list[Any]) -> dict[str, float]:
    """Mean seconds of an item, of the processor and on the clock."""
    cpu, wall = time.process_time(), time.perf_counter()
    for item in items:
        step(item)
    return {
        "cpu": (time.process_time() - cpu) / len(items),
        "wall": (time.perf_counter() - wall) / len(items),
    }


if __name__ == "__main__":
    main()
