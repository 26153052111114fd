"""`molzoo predict --shards` by several processes, one of which is killed in the middle and started again.

Makes a Parquet file with as many rows as asked for (the given molecules again and again, one row of a thousand
unreadable), predicts its first rows by one process, then all of it by several, and checks that every row is there once,
in order, with the prediction of the one process. Prints one JSON line:

    python benchmarks/shards.py --molecules library.csv --rows 1000000 --shards 1000 --kill --figure docs/shards.png

`cpu_ms_per_row` is processor time, start of the processes included, which other work on the machine changes little;
`rows_per_second` is on the clock. `memory` holds pairs of minutes and resident MiB for each process.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pyarrow
from pyarrow import compute, parquet

SAMPLE_SECONDS = 2.0
UNREADABLE = "C1CC("
MOST_POINTS = 80


def main() -> None:
    """Measure, check and print."""
    options = parse()
    with tempfile.TemporaryDirectory(dir=options.scratch) as name:
        folder = Path(name)
        source, few = folder / "rows.parquet", folder / "few.parquet"
        write_rows(source, options.rows, options.molecules)
        parquet.write_table(parquet.read_table(source).slice(0, options.alone), few)
        run = options.run or train(folder / "gcn")
        alone = watch([command(run, few, folder / "alone", max(1, options.shards * options.alone // options.rows))])
        together = watch([command(run, source, folder / "shards", options.shards)] * options.processes, options.kill)
        facts = check(folder / "shards", source, folder / "alone", options.shards)
        record = {
            "rows": options.rows,
            "shards": options.shards,
            "processes": options.processes,
            **facts,
            **rates(together, options.rows),
            "killed_after_s": together.killed,
            "alone": {"rows": options.alone, **rates(alone, options.alone)},
            "memory": [thin(process.memory) for process in together.processes],
        }
    print(json.dumps(record), flush=True)
    if options.figure:
        draw(record, options.figure)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=Path, required=True, help="CSV with a column smiles")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the file; default: 1000000")
    parser.add_argument("--shards", type=int, default=1000, help="default: 1000")
    parser.add_argument("--processes", type=int, default=2, help="default: 2")
    parser.add_argument("--kill", action="store_true", help="kill one when half of the shards are done, start it again")
    parser.add_argument("--alone", type=int, default=50_000, help="rows that one process predicts; default: 50000")
    parser.add_argument("--run", type=Path, help="a trained model; default: a gcn, trained for one epoch")
    parser.add_argument("--figure", type=Path, help="PNG of the memory over time")
    parser.add_argument("--scratch", type=Path, help="where the files lie meanwhile")
    return parser.parse_args()


def write_rows(path: Path, rows: int, molecules: Path) -> None:
    """Write the molecules again and again; all of them are in one row group, the worst case for shards."""
    smiles = pd.read_csv(molecules)["smiles"].to_numpy(dtype=object)
    smiles = smiles[np.arange(rows) % len(smiles)]
    smiles[500::1000] = UNREADABLE
    parquet.write_table(pyarrow.table({"row": np.arange(rows), "smiles": smiles}), path, row_group_size=max(rows, 1))


def molzoo(*words: object) -> list[str]:
    """The command as this interpreter's package has it."""
    return [sys.executable, "-m", "zoo.commands.main", *map(str, words)]


def train(run: Path) -> Path:
    """One epoch of a gcn; what it predicts does not matter here."""
    words = ("train", "--model", "gcn", "--split", "random", "--epochs", 1, "--output", run, "--quiet", "--no-card")
    subprocess.run(molzoo(*words), check=True, stdout=subprocess.DEVNULL)
    return run


def command(run: Path, source: Path, output: Path, shards: int) -> list[str]:
    """The command that predicts, in one process of one thread."""
    return molzoo("predict", run, source, "--output", output, "--shards", shards, "--num-workers", 0, "--quiet")


@dataclass
class Process:
    """One process that predicts.

    Args:
        command: What it runs.
        began: Seconds at its start.
    """

    command: list[str]
    began: float
    memory: list[tuple[float, float]] = field(default_factory=list)
    cpu_seconds: float = 0.0
    ended: bool = False

    def __post_init__(self) -> None:
        self.popen = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"}
        )

    def look(self, now: float) -> None:
        """Note its memory, or its end."""
        pid, status, usage = os.wait4(self.popen.pid, os.WNOHANG)
        if pid:
            self.ended, self.cpu_seconds = True, usage.ru_utime + usage.ru_stime
            self.popen.returncode = os.waitstatus_to_exitcode(status)
        else:
            self.memory.append((now, psutil.Process(self.popen.pid).memory_info().rss / 2**20))


@dataclass
class Watched:
    """What became of processes.

    Args:
        processes: All of them, those that were killed too.
        seconds: From the first start to the last end.
        killed: Second of the kill.
    """

    processes: list[Process]
    seconds: float
    killed: float | None


def watch(commands: list[list[str]], kill: bool = False) -> Watched:
    """Run commands side by side; with `kill` the last one is killed when half of the shards are there, and repeated."""
    start = time.perf_counter()
    processes, killed = [Process(words, 0.0) for words in commands], None
    output, shards = (commands[0][commands[0].index(name) + 1] for name in ("--output", "--shards"))
    while not all(process.ended for process in processes):
        time.sleep(SAMPLE_SECONDS)
        now = time.perf_counter() - start
        for process in processes:
            if not process.ended:
                process.look(now)
        if kill and killed is None and len([*Path(output).glob("*.parquet")]) >= int(shards) // 2:
            killed = round(now, 1)
            processes[len(commands) - 1].popen.send_signal(signal.SIGKILL)
            processes.append(Process(commands[-1], now))
    statuses = [process.popen.returncode for process in processes]
    if statuses.count(0) != len(commands) or statuses.count(-signal.SIGKILL) != len(processes) - len(commands):
        raise SystemExit(f"processes ended with {statuses}")
    return Watched(processes, time.perf_counter() - start, killed)


def check(folder: Path, source: Path, alone: Path, shards: int) -> dict[str, Any]:
    """Compare the shards with the source, and their first rows with those of one process.

    Raises:
        SystemExit: A row is missing, twice, in another place or without prediction and reason; or other files are left.
    """
    files = sorted(folder.glob("shard-*.parquet"))
    others = {path.name for path in folder.iterdir()} - {path.name for path in files}
    found, rows = parquet.read_table(files), parquet.read_table(source)
    expected = parquet.read_table(sorted(alone.glob("shard-*.parquet"))).to_pandas()
    name = next(name for name in found.column_names if name.startswith("predicted_"))
    missing, reasons = compute.is_null(found[name], nan_is_null=True), compute.not_equal(found["reason"], "")
    difference = (found.slice(0, len(expected)).to_pandas()[name] - expected[name]).abs().max()
    facts = {
        "every_row_once_in_order": found.select(["row", "smiles"]).equals(rows.select(["row", "smiles"])),
        "without_prediction": compute.sum(missing).as_py(),
        "reasons_fit": missing.equals(reasons),
        "largest_difference": float(f"{difference:.1e}"),
        "files": len(files),
        "other_files": sorted(others),
    }
    good = facts["every_row_once_in_order"] and facts["reasons_fit"] and difference < 1e-5
    if not good or len(files) != shards or others != {"_request.json"}:
        raise SystemExit(f"the shards are wrong: {facts}")
    return facts


def rates(watched: Watched, rows: int) -> dict[str, Any]:
    """Speed and memory of processes."""
    cpu_seconds = sum(process.cpu_seconds for process in watched.processes)
    return {
        "seconds": round(watched.seconds, 1),
        "rows_per_second": round(rows / watched.seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "cpu_ms_per_row": round(1000 * cpu_seconds / rows, 3),
        "peak_mb": [round(max(size for _, size in process.memory)) for process in watched.processes],
    }


def thin(memory: list[tuple[float, float]]) -> list[tuple[float, int]]:
    """The largest memory (MiB) in each of at most `MOST_POINTS` stretches of time, whose ends are in minutes."""
    stretches = np.array_split(np.array(memory), min(len(memory), MOST_POINTS))
    return [(round(float(part[-1, 0]) / 60, 2), round(float(part[:, 1].max()))) for part in stretches]


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw the memory of each process over time."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3), layout="constrained")
    axes = figure.add_subplot()
    names = [f"process {number + 1}" for number in range(record["processes"])]
    for memory, name in zip(record["memory"], [*names, f"{names[-1]}, started again"], strict=False):
        axes.plot(*np.array(memory).T, label=name, linewidth=1)
    if record["killed_after_s"]:
        axes.axvline(record["killed_after_s"] / 60, color="0.5", linestyle=":", label="SIGKILL")
    axes.set(xlabel="minutes", ylabel="resident memory (MiB)", ylim=(0, None))
    axes.set_title(f"{record['rows']:,} rows to {record['shards']:,} shards by gcn", fontsize=10)
    axes.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
