"""Batches per second cut from the packed store next to `dgl.batch` on a list of graphs, and resident memory at scale.

Also which part of training GROVER the cutting takes. Prints JSON lines; times are of one thread's processor. The memory
of each size is measured in a process of its own, on real molecules that are repeated:

    python benchmarks/loading.py --sizes 10000 100000 1000000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import dgl
import numpy as np
import psutil
import torch

import zoo
from featurizers import GroverFeaturizer
from zoo.data import MoleculeLoader, featurize
from zoo.tasks import objective_for

GROVER = {"hidden_size": 100, "num_layers": 3}
MOST_SHARE = 0.1


def speed(batch_size: int, batches: int) -> dict[str, float]:
    """Batches per second of both ways, on the same molecules in the same order."""
    featurizer, smiles = GroverFeaturizer(), zoo.data.load("b3db").smiles[:2048]
    packed = featurize(smiles, featurizer)
    loader = MoleculeLoader(packed, featurizer, batch_size=batch_size, shuffle=True)
    graphs = [featurizer.collate(packed.take([i])).graph for i in range(len(packed))]
    orders = [np.random.default_rng(n).choice(len(packed), batch_size, replace=False) for n in range(batches)]
    start = time.process_time()
    for order in orders:
        loader.batch(order)
    ours = batches / (time.process_time() - start)
    start = time.process_time()
    for order in orders:
        dgl.batch([graphs[i] for i in order])
    theirs = batches / (time.process_time() - start)
    return {"store": round(ours), "dgl.batch": round(theirs), "ratio": round(ours / theirs, 2)}


def training_share(batch_size: int, steps: int) -> dict[str, object]:
    """Time of cutting batches next to that of GROVER's steps on them (forward, backward, Adam), the first one left out.

    What the loader learns about kinds of atoms on the way is part of its time.
    """
    data = zoo.data.load("b3db").subset(range(batch_size * (steps + 1)))
    learner = zoo.build("grover", dataset=data, model_args=GROVER, device="cpu")
    packed = featurize(data, learner.featurizer)
    batches = iter(MoleculeLoader(packed, learner.featurizer, data.targets, batch_size=batch_size, shuffle=True))
    model, optimizer, times = learner.model.train(), learner.optimizer, []
    for _ in range(steps + 1):
        start = time.process_time()
        batch = next(batches)
        cut = time.process_time()
        optimizer.zero_grad()
        objective_for(model, learner.task)(model, batch).total.backward()
        optimizer.step()
        times.append((cut - start, time.process_time() - cut))
    cutting, training = 1000 * np.mean(times[1:], axis=0)
    share = cutting / training
    record = {"cutting_ms": round(cutting, 3), "step_ms": round(training, 2), "share": round(share, 4)}
    return record | {"missed": [] if share < MOST_SHARE else [f"share < {MOST_SHARE}"]}


def memory(size: int, folder: str) -> dict[str, float]:
    """Store on disk, and resident memory before and after a hundred batches of a store of so many molecules."""
    featurizer, smiles = GroverFeaturizer(), zoo.data.load("b3db").smiles
    molecules = [smiles[i % len(smiles)] for i in range(size)]
    start = time.perf_counter()
    packed = featurize(molecules, featurizer, cache_dir=folder, num_workers=2)
    seconds = time.perf_counter() - start
    del molecules
    before = psutil.Process().memory_info().rss
    loader = MoleculeLoader(packed, featurizer, batch_size=256, shuffle=True)
    for number, _ in zip(range(100), loader, strict=False):
        del number
    disk = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
    return {
        "molecules": size,
        "built_per_second": round(size / seconds),
        "bytes_a_molecule": round(disk / size),
        "resident_mb_before": round(before / 2**20),
        "resident_mb_after": round(psutil.Process().memory_info().rss / 2**20),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="*", default=[10_000, 100_000], help="molecules of the stores")
    parser.add_argument("--batch-sizes", type=int, nargs="*", default=[32, 256], help="molecules of a batch")
    parser.add_argument("--batches", type=int, default=100, help="batches of each measurement")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory is not None:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(memory(options.memory, folder)))
        return
    torch.set_num_threads(1)
    for batch_size in options.batch_sizes:
        print(json.dumps({"batch_size": batch_size, **speed(batch_size, options.batches)}), flush=True)
    print(
        json.dumps({"model": "grover", **GROVER, "batch_size": 32, **training_share(32, options.batches)}), flush=True
    )
    for size in options.sizes:
        command = [sys.executable, __file__, "--memory", str(size)]
        print(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip(), flush=True)


if __name__ == "__main__":
    main()
