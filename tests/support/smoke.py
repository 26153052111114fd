"""What a new user does first, in an empty folder: `python tests/support/smoke.py`, with any Python that has molzoo.

It needs the standard library and the installed package only. It prints each command with its seconds and, except on
Windows, the seconds of processors in it; it ends with status 1 where one of them fails.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

TINY_GROVER = ("--model-args.hidden_size", "16", "--model-args.num_layers", "2", "--model-args.num_heads", "2")
WRITE_DATA = "import zoo; data = zoo.data.load('b3db'); data.subset(range(0, 7800, 60)).to_frame().to_csv('few.csv')"
QUICK = ("--data", "few.csv", "--no-card")
COMMANDS = (
    ("--version",),
    ("list",),
    ("describe", "graphsam"),
    ("data", "check", "few.csv"),
    ("train", *QUICK, "--model", "gcn", "--optimizer", "graphsam", "--epochs", "2", "--output", "runs/gcn"),
    ("train", *QUICK, "--model", "grover", *TINY_GROVER, "--epochs", "1", "--output", "runs/grover"),
    ("predict", "runs/gcn", "few.csv", "--output", "predicted.csv", "--num-workers", "2"),
    ("evaluate", "runs/grover", "--part", "test"),
    ("card", "runs/gcn"),
    ("report", "runs", "--output", "report"),
)


class Failed(Exception):
    """A command that did not end with status 0, and what it printed."""


def run_commands(
    folder: Path, environment: dict[str, str], commands: Sequence[Sequence[str]] = COMMANDS
) -> Iterator[tuple[str, float, float]]:
    """Run commands in a folder; yield each of them with its seconds and those of processors.

    Raises:
        Failed: a command ended with another status than 0, or the predictions are not complete.
    """
    run([sys.executable, "-c", WRITE_DATA], folder, environment)
    for command in commands:
        begin, before = time.perf_counter(), os.times()
        run([sys.executable, "-m", "zoo", *command], folder, environment)
        after = os.times()
        used = after.children_user - before.children_user + after.children_system - before.children_system
        yield " ".join(["molzoo", *command]), time.perf_counter() - begin, used
    check_predictions(folder / "few.csv", folder / "predicted.csv")


def run(command: list[str], folder: Path, environment: dict[str, str]) -> str:
    """Run one command and return what it printed."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    if done.returncode:
        raise Failed(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
    return done.stdout


def check_predictions(given: Path, predicted: Path) -> None:
    """Compare the rows of two files: the same SMILES in the same order, each with a probability."""
    with given.open(encoding="utf-8", newline="") as first, predicted.open(encoding="utf-8", newline="") as second:
        rows, found = list(csv.DictReader(first)), list(csv.DictReader(second))
    if [row["smiles"] for row in rows] != [row["smiles"] for row in found]:
        raise Failed(f"{predicted} has other rows than {given}")
    column = next(name for name in found[0] if name not in rows[0])
    if not all(0 <= float(row[column]) <= 1 for row in found):
        raise Failed(f"{predicted}: column {column} has values that are not probabilities")


def main() -> None:
    """Run the commands with the Python that runs this file."""
    with tempfile.TemporaryDirectory() as folder:
        where = run([sys.executable, "-c", "import zoo; print(zoo.__file__, zoo.backend())"], Path(folder), os.environ)
        print(sys.version.split()[0], where.strip())
        for command, seconds, used in run_commands(Path(folder), dict(os.environ)):
            print(f"{seconds:6.1f} s {used:6.1f} s  {command}", flush=True)


if __name__ == "__main__":
    main()
