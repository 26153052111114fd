"""Where the time of `molzoo predict` goes: seconds of each stage of one process, from its start to its end.

    python benchmarks/stages.py --models dmpnn grover --rows 20000 --molecules library.csv

Prints one JSON line for each model. With `PYTHONPATH` another checkout is measured, to see what a change has brought;
the command runs in a process of its own, whose functions are timed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from prediction import SIZES, train_ours, written_molecules

TIMED = """
import importlib, json, sys, time
began, spent, calls = time.perf_counter(), {}, []

def time_calls(module, name, stage):
    owner = importlib.import_module(module)
    function = getattr(owner, name)
    def timed(*arguments, **options):
        calls.append(stage)
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            calls.pop()
            seconds = time.perf_counter() - start
            spent[stage] = spent.get(stage, 0.0) + seconds
            if calls:
                spent[calls[-1]] = spent.get(calls[-1], 0.0) - seconds
    setattr(owner, name, timed)

import zoo.inference, zoo.learners.loading
from zoo.commands.main import main
time_calls("zoo.inference.files", "predict_file", "files and the rest")
time_calls("zoo.inference.workers", "predict_rows", "network")
time_calls("zoo.learners.encoding", "encode_together", "other features")
time_calls("featurizers.together", "read_molecule", "reading molecules")
time_calls("featurizers.grover", "cip_slots", "labels of centres")
zoo.inference.predict_file = sys.modules["zoo.inference.files"].predict_file  # where the command takes it from
spent["start"] = time.perf_counter() - began
main(sys.argv[1:])
print(json.dumps(spent), file=sys.stderr)
"""


def main() -> None:
    """Measure and print."""
    options = parse()
    with written_molecules(options.rows, options.molecules) as (folder, rows, training, number):
        for model in options.models:
            run, output = train_ours(model, training, folder), folder / f"{model}.predicted.csv"
            command = ["predict", str(run), str(rows), "--output", str(output), "--quiet", "--num-workers", "0"]
            environment = {**os.environ, "OMP_NUM_THREADS": "1"}
            timed = [sys.executable, "-c", TIMED, *command]
            found = subprocess.run(timed, env=environment, cwd=folder, check=True, capture_output=True, text=True)
            seconds = json.loads(found.stderr.strip().splitlines()[-1])
            stages = {stage: round(value, 2) for stage, value in seconds.items()}
            print(json.dumps({"model": model, "rows": number, "checkout": options.name, "seconds": stages}), flush=True)


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="*", choices=list(SIZES), default=list(SIZES), help="default: all of these")
    parser.add_argument("--rows", type=int, default=20_000, help="molecules to predict; default: 20000")
    parser.add_argument("--molecules", type=Path, help="CSV with a column smiles; default: the embedded b3db")
    parser.add_argument("--name", default="this one", help="what to call the checkout in the result")
    return parser.parse_args()


if __name__ == "__main__":
    main()
