"""Training steps of GROVER with one thread and with several, in turns in one process, on the same batches.

Prints one JSON line for each size: molecules a second by the clock, and the ratios over one thread of all turns. It
needs an idle machine:

    python benchmarks/threads.py --threads 1 2
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch
from prediction import write_molecules

sys.path.insert(0, str(Path(__file__).parent / "sides"))
from ours import load_ours

from zoo.runs.machine import processor

# Molecules a batch, and batches a turn.
SIZES = {"grover_100_3": (32, 4), "grover_800_6": (16, 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", choices=list(SIZES), default=list(SIZES), help="default: both")
    parser.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="the first is what others are compared to"
    )
    parser.add_argument("--turns", type=int, default=8, help="default: 8")
    options = parser.parse_args()
    for size in options.sizes:
        print(json.dumps(compare(size, options.threads, options.turns)), flush=True)


def compare(size: str, threads: list[int], turns: int) -> dict[str, object]:
    """Take steps with each number of threads in turns."""
    batch_size, count = SIZES[size]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "molecules.csv"
        write_molecules(path, batch_size * count)
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    step, batches, _ = load_ours(size, rows, batch_size)
    seconds: dict[int, list[float]] = {number: [] for number in threads}
    for turn in range(turns + 1):  # the first one warms up
        for number in threads:
            torch.set_num_threads(number)
            began = time.perf_counter()
            for batch in batches:
                step(batch)
            seconds[number] += [(time.perf_counter() - began) / count] if turn else []
    ratios = {
        number: [a / b for a, b in zip(seconds[threads[0]], found, strict=True)] for number, found in seconds.items()
    }
    return {
        "size": size,
        "batch_size": batch_size,
        "turns": turns,
        "machine": processor(),
        "molecules_per_second": {number: round(batch_size / median(found), 1) for number, found in seconds.items()},
        "ratio": {number: round(median(found), 3) for number, found in ratios.items()},
        "range": {number: [round(min(found), 3), round(max(found), 3)] for number, found in ratios.items()},
    }


if __name__ == "__main__":
    main()
