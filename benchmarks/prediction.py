"""`molzoo predict` as a person starts it: rows a second of the whole command, and the memory of all of its processes.

A model is trained for one epoch on a few molecules (its predictions do not matter here), then a file with as many
different molecules as asked for is predicted in a process of its own. Prints one JSON line for each command:

    python benchmarks/prediction.py --models dmpnn grover --rows 20000 --molecules library.csv

`--molecules` is a CSV with a column `smiles`; without it the embedded molecules are predicted. With the `chemprop`
command of another environment (2.3.1 was measured), the same rows are predicted by its message passing network of the
same size, its default one:

    python benchmarks/prediction.py --models dmpnn --molecules library.csv --chemprop ENVIRONMENT/bin/chemprop
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil

import zoo

TRAINING_MOLECULES = 320
SIZES = {"dmpnn": {"hidden_size": 300, "num_layers": 3}, "grover": {"hidden_size": 100, "num_layers": 3}}
SAMPLE_SECONDS = 1.0


def main() -> None:
    """Measure and print."""
    options = parse()
    with written_molecules(options.rows, options.molecules) as (folder, rows, training, number):
        for model in options.models:
            run = train_ours(model, training, folder)
            output = folder / f"{model}.predicted.csv"
            tell("molzoo", model, parameters_of(run), number, molzoo_command(run, rows, output), output)
        if options.chemprop:
            run = train_chemprop(options.chemprop, training, folder)
            output = folder / "chemprop.predicted.csv"
            command = [*chemprop_command(options.chemprop, run, rows, output), *options.chemprop_args]
            tell("chemprop", "mpnn", None, number, command, output)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", default=["dmpnn"], help=f"{', '.join(SIZES)} or others; default: dmpnn")
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the file; default: 20000")
    parser.add_argument("--molecules", type=Path, help="CSV with a column smiles; default: the embedded b3db")
    parser.add_argument("--chemprop", metavar="COMMAND", help="also measure this chemprop command")
    parser.add_argument(
        "--chemprop-args", nargs=argparse.REMAINDER, default=[], help="more of its arguments, e.g. --num-workers 2"
    )
    return parser.parse_args()


@contextmanager
def written_molecules(number: int, source: Path | None) -> Iterator[tuple[Path, Path, Path, int]]:
    """Folder, file of different molecules to predict, file of others to train on, and how many are to be predicted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, training = folder / "rows.csv", folder / "training.csv"
        found = write_molecules(rows, number, source)
        write_molecules(training, TRAINING_MOLECULES)
        yield folder, rows, training, found


def write_molecules(path: Path, number: int, source: Path | None = None) -> int:
    """Write different molecules in random order, the embedded ones with their label; return how many there are."""
    if source is None:
        dataset = zoo.data.load("b3db")
        cells = [(smiles, int(label)) for smiles, label in zip(dataset.smiles, dataset.targets[:, 0], strict=True)]
    else:
        with source.open(newline="", encoding="utf-8") as file:
            cells = [(smiles, 0) for smiles in dict.fromkeys(row["smiles"] for row in csv.DictReader(file))]
    order = np.random.default_rng(0).permutation(len(cells))[:number]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["smiles", "label"])
        writer.writerows(cells[place] for place in order)
    return len(order)


def molzoo(command: str) -> list[str]:
    """The command as this interpreter's package has it."""
    return [sys.executable, "-m", "zoo.commands.main", command]


def molzoo_command(run: Path, rows: Path, output: Path) -> list[str]:
    """Our command that predicts a file."""
    return [*molzoo("predict"), str(run), str(rows), "--output", str(output), "--quiet"]


def chemprop_command(chemprop: str, run: Path, rows: Path, output: Path) -> list[str]:
    """Command of chemprop that does."""
    return [chemprop, "predict", "-i", str(rows), "-s", "smiles", "--model-path", str(run), "-o", str(output)]


def train_ours(model: str, training: Path, folder: Path) -> Path:
    """One epoch of a model of the catalog."""
    run = folder / model
    sizes = [part for key, value in SIZES.get(model, {}).items() for part in (f"--model-args.{key}", str(value))]
    command = [*molzoo("train"), "--model", model, "--data", str(training), "--split", "random", "--epochs", "1"]
    subprocess.run([*command, *sizes, "--output", str(run), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return run


def train_chemprop(chemprop: str, training: Path, folder: Path) -> Path:
    """Three epochs, the fewest that it allows, of its default network."""
    run = folder / "chemprop"
    command = [chemprop, "train", "-i", str(training), "-s", "smiles", "--target-columns", "label", "-o", str(run)]
    subprocess.run([*command, "-t", "classification", "--epochs", "3"], check=True, capture_output=True)
    return next(run.rglob("best.pt"))


def parameters_of(run: Path) -> int:
    """Return how many trained numbers a run of ours has."""
    return zoo.load(run).num_parameters


def tell(package: str, model: str, parameters: int | None, rows: int, command: Sequence[str], output: Path) -> None:
    """Run a command and print its line."""
    facts = watch(command)
    with output.open(encoding="utf-8") as file:
        written = sum(1 for _ in file) - 1
    record = {"package": package, "model": model, "parameters": parameters, "rows": rows, "rows_written": written}
    print(json.dumps({**record, "rows_per_second": round(rows / facts["seconds"], 1), **facts}), flush=True)


def watch(command: Sequence[str]) -> dict[str, float]:
    """Seconds of a command, on the clock and of all processors, and the peak of its memory (MiB).

    The peak is that of all processes together, and of the largest.

    The sum counts a page that several processes share in equal parts (PSS), where the system tells it.
    """
    start, before, peaks = time.perf_counter(), processor_seconds(), {"together": 0, "largest": 0}
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    watcher = threading.Thread(target=sample_memory, args=(process, peaks), daemon=True)
    watcher.start()
    _, errors = process.communicate()
    seconds = time.perf_counter() - start
    watcher.join()
    if process.returncode:
        raise SystemExit(errors.decode())
    return {
        "seconds": round(seconds, 2),
        "cpu_seconds": round(processor_seconds() - before, 2),
        "all_processes_mb": round(peaks["together"] / 2**20),
        "largest_process_mb": round(peaks["largest"] / 2**20),
    }


def processor_seconds() -> float:
    """Processor time of all child processes that have ended, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def sample_memory(process: psutil.Process, peaks: dict[str, int]) -> None:
    """Note the peaks (bytes) until a process has ended; rarely, since to sum up the pages takes time too."""
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        sizes = [memory(one) for one in family(process)]
        peaks["together"] = max(peaks["together"], sum(shared for shared, _ in sizes))
        peaks["largest"] = max([peaks["largest"], *(resident for _, resident in sizes)])
        time.sleep(SAMPLE_SECONDS)


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def memory(process: psutil.Process) -> tuple[int, int]:
    """Proportional and resident size of a process in bytes; zero if it has ended."""
    try:
        facts = process.memory_full_info()
    except psutil.Error:
        return 0, 0
    return getattr(facts, "pss", facts.rss), facts.rss


if __name__ == "__main__":
    main()
