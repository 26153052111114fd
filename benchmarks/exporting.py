"""Exported models next to the learners that they come from: equal predictions, size, start, memory, speed.

    python benchmarks/exporting.py gcn gin --output benchmarks/results/exporting.jsonl
    python benchmarks/exporting.py --table benchmarks/results/exporting.jsonl

A line of JSON for each model. Learners have their catalog's sizes, one task of two classes and initial weights; the
molecules are those of B3DB. Times are of the processor, with one thread, because the clock also counts what else the
machine does; the start is given by both, the best of three. Memory is read from Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import zoo
from zoo.exporting import export_model, why_not

MOLECULES = 2000
ROOT = Path(__file__).resolve().parents[1]
PROGRAM = """
import json, sys, time
clock, processor = time.perf_counter(), time.process_time()
import numpy
import molzoo_runner
model = molzoo_runner.load(sys.argv[1], threads=1)
model.predict(["CCO"])
found = {"start_s": time.perf_counter() - clock, "start_processor_s": time.process_time()}
if len(sys.argv) > 2:
    smiles = open(sys.argv[2], encoding="utf-8").read().split()
    began = time.process_time()
    values = model.predict(smiles)
    found["molecules_per_s"] = len(smiles) / (time.process_time() - began)
    numpy.save(sys.argv[3], values)
peak = next(line for line in open("/proc/self/status", encoding="utf-8") if line.startswith("VmHWM"))
found["resident_mb"] = int(peak.split()[1]) / 1024
found["imported"] = [name for name in ("torch", "dgl", "pandas", "scipy", "zoo") if name in sys.modules]
print(json.dumps(found))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--molecules", type=int, default=MOLECULES)
    parser.add_argument("--output", type=Path, help="file to which lines are added")
    parser.add_argument("--table", type=Path, help="print the table of docs/export.md from a file of results")
    options = parser.parse_args()
    if options.table:
        print(format_table([json.loads(line) for line in options.table.read_text(encoding="utf-8").splitlines()]))
        return
    smiles = zoo.data.load("b3db").smiles[: options.molecules]
    for name in options.models:
        line = json.dumps(measure(name, smiles))
        print(line, flush=True)
        if options.output:
            with options.output.open("a", encoding="utf-8") as file:
                file.write(line + "\n")


def measure(name: str, smiles: list[str]) -> dict[str, object]:
    torch.set_num_threads(1)
    learner = zoo.build(name, device="cpu")
    if reason := why_not(learner):
        return {"model": name, "why_not": reason}
    with tempfile.TemporaryDirectory() as folder:
        place, file, found = (Path(folder) / each for each in ("model.zip", "smiles.txt", "values.npy"))
        began = time.process_time()
        exported = export_model(learner, place)
        export_seconds = time.process_time() - began
        file.write_text("\n".join(smiles), encoding="utf-8")
        alone = [run(str(place)) for _ in range(3)]
        used = run(str(place), str(file), str(found))
        learner.predict(smiles[:200])
        began = time.process_time()
        expected = learner.predict(smiles)
        speed = len(smiles) / (time.process_time() - began)
        difference = float(np.nanmax(np.abs(np.load(found) - expected)))
        same_gaps = bool((np.isnan(np.load(found)) == np.isnan(expected)).all())
    return {
        "model": name,
        "parameters": learner.num_parameters,
        "molecules": len(smiles),
        "largest_difference": difference,
        "same_gaps": same_gaps,
        "bytes": exported.size,
        "export_processor_s": export_seconds,
        "start_s": min(each["start_s"] for each in alone),
        "start_processor_s": min(each["start_processor_s"] for each in alone),
        "resident_mb": alone[0]["resident_mb"],
        "resident_after_mb": used["resident_mb"],
        "molecules_per_s": used["molecules_per_s"],
        "learner_molecules_per_s": speed,
        "imported": used["imported"],
        "versions": exported.manifest.versions,
    }


def format_table(lines: list[dict]) -> str:
    """The table of docs/export.md; models without results are in the table of what cannot be exported."""
    rows = [
        "| model | parameters | difference | file, MB | start, s | memory, MB | runner, mol/s | learner, mol/s |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for line in lines:
        if "why_not" in line:
            continue
        speeds = f"{line['molecules_per_s']:,.0f} | {line['learner_molecules_per_s']:,.0f}"
        memory = f"{line['resident_mb']:.0f}, {line['resident_after_mb']:.0f}"
        size = f"{line['parameters']:,} | {line['largest_difference']:.0e} | {line['bytes'] / 1e6:.1f}"
        rows.append(f"| {line['model']} | {size} | {line['start_processor_s']:.2f} | {memory} | {speeds} |")
    return "\n".join(rows)


def run(*arguments: str) -> dict:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


if __name__ == "__main__":
    main()
