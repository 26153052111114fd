"""Released code and ours in turns: training steps of GROVER and CoMPT, prediction and training next to chemprop's.

Each side is a process of its own. For the steps both hold the same molecules (256 of the embedded B3DB) in batches,
one thread each, and take turns, so that a slow minute of the machine is a slow minute of both; ours in bfloat16 is
compared with theirs in float32. Prints one JSON line for
each pair: seconds of the processor for a step, molecules a second, peak memory, how much of a step its own matrix
products take, and the ratios of all turns (above 1 ours is faster), then a table. About five minutes:

    git clone https://github.com/tencent-ailab/grover; git clone https://github.com/jcchan23/CoMPT
    python -m venv ENVIRONMENT; ENVIRONMENT/bin/pip install chemprop cuik_molmaker_pin
    python benchmarks/releases.py --grover grover --compt CoMPT --chemprop ENVIRONMENT --molecules library.csv

Without one of the three its pairs are left out. `--molecules` needs a column `smiles` of different molecules; without
it the embedded ones are predicted, which are fewer. `--training Lipophilicity.csv` also trains D-MPNN of both packages
for ten epochs, batches of 64 (`--pairs train_dmpnn` does this alone). chemprop runs at its fastest setting: the C++
features of cuik-molmaker, and two workers in predictions.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from prediction import (
    SIZES,
    chemprop_command,
    molzoo,
    molzoo_command,
    train_chemprop,
    train_ours,
    watch,
    write_molecules,
)

from zoo.runs.machine import processor

STEPS = Path(__file__).parent / "sides" / "steps.py"
# Molecules a batch, so that a step of the slower side takes seconds at most, and steps a turn.
PAIRS = {
    "grover_100_3": (32, 3),
    "grover_800_6": (16, 1),
    "grover_100_3_bfloat16": (32, 3),
    "grover_800_6_bfloat16": (16, 1),
    "compt_bbbp": (8, 1),
}
EPOCHS, FASTEST = "10", "--use-cuikmolmaker-featurization"
RATES, PARTS = (
    ("theirs", "ours", "ratio", "lowest", "highest"),
    ("their_mb", "our_mb", "their_products", "our_products"),
)
COLUMNS = ("pair", *RATES, *PARTS)


def main() -> None:
    """Measure and print."""
    options = parse()
    records = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_molecules(folder / "training.csv", 256)
        for pair, (batch_size, steps) in PAIRS.items():
            clone = options.compt if pair.startswith("compt") else options.grover
            if clone is not None and pair in options.pairs:
                records.append(compare_steps(pair, clone, folder / "training.csv", batch_size, steps, options.turns))
                print(json.dumps(records[-1]), flush=True)
        if options.chemprop is not None and "predict_dmpnn" in options.pairs:
            records.append(compare_prediction(options, folder))
            print(json.dumps(records[-1]), flush=True)
        if options.chemprop is not None and options.training is not None and "train_dmpnn" in options.pairs:
            records.append(compare_training(options, folder))
            print(json.dumps(records[-1]), flush=True)
    print_table(records)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grover", type=Path, metavar="CLONE", help="clone of tencent-ailab/grover")
    parser.add_argument("--compt", type=Path, metavar="CLONE", help="clone of jcchan23/CoMPT")
    parser.add_argument("--chemprop", type=Path, metavar="ENVIRONMENT", help="environment that has chemprop")
    parser.add_argument("--molecules", type=Path, help="CSV with a column smiles, to be predicted")
    parser.add_argument("--training", type=Path, metavar="CSV", help="Lipophilicity, to be trained on for ten epochs")
    parser.add_argument("--label", default="exp", help="its column of numbers; default: exp")
    parser.add_argument("--rows", type=int, default=20_000, help="molecules to predict; default: 20000")
    parser.add_argument("--turns", type=int, default=4, help="turns of training steps; default: 4")
    parser.add_argument("--commands", type=int, default=2, help="turns of whole commands; default: 2")
    names = [*PAIRS, "predict_dmpnn", "train_dmpnn"]
    parser.add_argument("--pairs", nargs="+", choices=names, default=names, help="default: all")
    return parser.parse_args()


class Side:
    """Process that takes training steps when it is asked for them."""

    def __init__(self, pair: str, clone: Path | None, molecules: Path, batch_size: int) -> None:
        place = "-" if clone is None else str(clone.resolve())
        command = [sys.executable, str(STEPS), pair, place, str(molecules), str(batch_size)]
        self.printed = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.printed, text=True
        )

    def ask(self, question: str) -> dict[str, Any]:
        """Ask, and wait for the answer."""
        print(question, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()  # type: ignore[union-attr]
        if not answer:
            self.printed.seek(0)
            raise SystemExit(f"a side ended with status {self.process.wait()}: {self.printed.read()[-2000:]}")
        return json.loads(answer)

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        self.printed.close()


def compare_steps(pair: str, clone: Path, molecules: Path, batch_size: int, steps: int, turns: int) -> dict[str, Any]:
    """Let both sides train in turns, the order changing from turn to turn."""
    sides = {"theirs": Side(pair, clone, molecules, batch_size), "ours": Side(pair, None, molecules, batch_size)}
    try:
        facts = {name: side.ask("warm") for name, side in sides.items()}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in sides}
        for turn in range(turns):
            for name in sorted(sides, reverse=turn % 2 == 0):
                found[name].append(sides[name].ask(f"steps {turn * steps} {steps}"))
        peaks = {name: side.ask("peak")["mb"] for name, side in sides.items()}
        shares = {name: side.ask("products")["share"] for name, side in sides.items()}
    finally:
        for side in sides.values():
            side.end()
    record: dict[str, Any] = {"pair": pair, "batch_size": batch_size, "turns": turns, "machine": processor()}
    for name, their in (("theirs", "their"), ("ours", "our")):
        seconds = median(answer["cpu"] for answer in found[name])
        record |= {
            name: round(batch_size / seconds, 2),
            f"{their}_cpu_seconds": round(seconds, 4),
            f"{their}_wall_seconds": round(median(answer["wall"] for answer in found[name]), 4),
            f"{their}_mb": peaks[name],
            f"{their}_products": round(shares[name], 3),
            f"{their}_parameters": facts[name]["parameters"],
        }
    pairs = zip(found["theirs"], found["ours"], strict=True)
    return record | spread([theirs["cpu"] / ours["cpu"] for theirs, ours in pairs])


def compare_prediction(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Predict the same rows with D-MPNN of both packages in turns, each a command as a person starts it."""
    rows = folder / "rows.csv"
    number = write_molecules(rows, options.rows, options.molecules)
    chemprop = str(options.chemprop / "bin" / "chemprop")
    theirs = train_chemprop(chemprop, folder / "training.csv", folder)
    ours = train_ours("dmpnn", folder / "training.csv", folder)

    def command(name: str, output: Path) -> list[str]:
        if name == "ours":
            return molzoo_command(ours, rows, output)
        return [*chemprop_command(chemprop, theirs, rows, output), "-n", "2", FASTEST]

    return {
        "pair": "predict_dmpnn",
        "rows": number,
        **compare_commands(command, number, options.commands, folder),
    }


def compare_training(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train D-MPNN of both packages for ten epochs on a file in turns, each a command as a person starts it."""
    source, column = str(options.training), options.label
    number = count_rows(options.training)
    size = [part for key, value in SIZES["dmpnn"].items() for part in (f"--model-args.{key}", str(value))]

    def command(name: str, output: Path) -> list[str]:
        if name == "ours":
            ours = [*molzoo("train"), "--model", "dmpnn", "--data", source, "--tasks", column, "--task", "regression"]
            ours += [*size, "--split", "random", "--epochs", EPOCHS, "--batch-size", "64", "--no-card"]
            return [*ours, "--output", str(output), "--quiet"]
        theirs = [str(options.chemprop / "bin" / "chemprop"), "train", "-i", source, "-s", "smiles", "-t", "regression"]
        return [*theirs, "--target-columns", column, "--epochs", EPOCHS, "-o", str(output), FASTEST]

    rate = number * int(EPOCHS)
    return {"pair": "train_dmpnn", "rows": number, **compare_commands(command, rate, options.commands, folder)}


def compare_commands(
    command: Callable[[str, Path], list[str]], number: int, turns: int, folder: Path
) -> dict[str, Any]:
    """Run the command of each side, which writes to a path, in turns; `number` counts the molecules of a run."""
    found: dict[str, list[dict[str, float]]] = {"theirs": [], "ours": []}
    for turn in range(turns):
        for name in sorted(found, reverse=turn % 2 == 0):
            output = Path(tempfile.mkdtemp(dir=folder)) / f"{name}{turn}.csv"  # a file, or a folder of training
            found[name].append(watch(command(name, output)))
            if not output.exists() or (output.is_file() and count_rows(output) != number):
                raise SystemExit(f"{name}: {output.name} is not complete")
    record: dict[str, Any] = {"turns": turns, "machine": processor()}
    for name, their in (("theirs", "their"), ("ours", "our")):
        wall = median(facts["seconds"] for facts in found[name])
        record |= {
            name: round(number / wall, 1),
            f"{their}_wall_seconds": wall,
            f"{their}_cpu_seconds": median(facts["cpu_seconds"] for facts in found[name]),
            f"{their}_mb": max(facts["all_processes_mb"] for facts in found[name]),
        }
    pairs = list(zip(found["theirs"], found["ours"], strict=True))
    record["cpu_ratio"] = round(median(theirs["cpu_seconds"] / ours["cpu_seconds"] for theirs, ours in pairs), 2)
    return record | spread([theirs["seconds"] / ours["seconds"] for theirs, ours in pairs])


def count_rows(table: Path) -> int:
    """Return the number of rows of a CSV file."""
    with table.open(encoding="utf-8", newline="") as file:
        return sum(1 for _ in csv.reader(file)) - 1


def spread(ratios: list[float]) -> dict[str, float]:
    """Median, lowest and highest of the ratios of all turns."""
    return {"ratio": round(median(ratios), 2), "lowest": round(min(ratios), 2), "highest": round(max(ratios), 2)}


def print_table(records: list[dict[str, Any]]) -> None:
    """Print the pairs under each other."""
    rows = [COLUMNS, *[tuple(f"{record.get(column, '')}" for column in COLUMNS) for record in records]]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    print("\nmolecules (or rows) a second; ratio of ours to theirs, median and range of the turns;")
    print("MB of memory at most; share of a step that its own matrix products take alone")
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
