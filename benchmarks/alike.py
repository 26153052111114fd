"""How many atoms and bonds of a batch look alike, and what it brings to compute them once.

The shares of different rows by the steps that messages take, for batches of several sizes; then steps of training with
Adam and predictions with and without shared states, in turns in one process. Prints JSON lines:

    python benchmarks/alike.py --molecules library.csv

`--molecules` needs a column `smiles`; without it those of the embedded B3DB are taken, in a random order.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd
import torch

import zoo
from featurizers import GroverFeaturizer
from zoo.data import featurize
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.surroundings import WORTHWHILE, Surroundings, compute_every_row
from zoo.runs.machine import processor

sys.path.insert(0, str(Path(__file__).parent / "sides"))
from ours import MODELS, load_ours

# Molecules a batch in training, and in a prediction by default.
STEPS = {"grover_100_3": (32, 256), "grover_800_6": (16, 75), "dmpnn_300_3": (64, 256)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=Path, help="CSV with a column smiles")
    parser.add_argument("--sizes", type=int, nargs="+", default=[32, 128, 512], help="default: 32 128 512")
    parser.add_argument("--reach", type=int, default=5, help="steps at most; default: 5")
    parser.add_argument("--turns", type=int, default=6, help="default: 6")
    options = parser.parse_args()
    torch.set_num_threads(1)
    smiles = zoo.data.load("b3db").smiles if options.molecules is None else pd.read_csv(options.molecules)["smiles"]
    drawn = np.random.default_rng(0).permutation(np.asarray(smiles))[:2048].tolist()
    for size in options.sizes:
        print(json.dumps(count_rows(drawn, size, options.reach)), flush=True)
    for pair, sizes in STEPS.items():
        print(json.dumps(compare_training(pair, drawn, sizes[0], options.turns)), flush=True)
        print(json.dumps(compare_prediction(pair, drawn, sizes, options.turns)), flush=True)


def count_rows(smiles: list[str], size: int, reach: int) -> dict[str, Any]:
    """Share of atoms and directed bonds that differ as far as 0, 1, ... steps reach: medians over up to 16 batches."""
    featurizer, shares = GroverFeaturizer(), {"atoms": [], "bonds": []}
    packed = featurize(smiles, featurizer)
    for start in range(0, min(len(smiles), 16 * size), size):
        batch = featurizer.collate(packed.take(range(start, min(start + size, len(smiles)))))
        alike = Surroundings(Neighborhood.of(batch), batch.atom_feats, batch.bond_feats, True, WORTHWHILE)
        passages = {"atoms": alike.atom_passages([1] * reach), "bonds": alike.bond_passages([1] * reach)}
        for name, steps in passages.items():
            rows = [len(each.chosen) for each in (steps[0].first, *(step.last for step in steps))]  # type: ignore[union-attr]
            shares[name].append(np.array(rows) / len(steps[0].first.classes))  # type: ignore[union-attr]
    return {"batch_size": size} | {name: np.median(found, axis=0).round(3).tolist() for name, found in shares.items()}


def compare_training(pair: str, smiles: list[str], size: int, turns: int) -> dict[str, Any]:
    """Steps with Adam, with and without shared states, in turns."""
    rows = [{"smiles": text, "label": str(number % 2)} for number, text in enumerate(smiles[: 4 * size])]
    step, batches, _ = load_ours(pair, rows, size)
    return {"training": pair, "batch_size": size, **in_turns(step, batches, batches, turns, size)}


def compare_prediction(pair: str, smiles: list[str], sizes: tuple[int, int], turns: int) -> dict[str, Any]:
    """Predictions in the batches that suit shared states, and without these in batches of 32, in turns."""
    name, model_args = MODELS[pair]
    learner = zoo.build(name, model_args=model_args, device="cpu")
    model, count = learner.model.eval(), 2 * sizes[1]
    packed = featurize(smiles[:count], learner.featurizer)

    def batches(size: int) -> list[Any]:
        cut = [range(start, min(start + size, count)) for start in range(0, count, size)]
        return [learner.featurizer.collate(packed.take(numbers)) for numbers in cut]

    with torch.no_grad():
        found = in_turns(model, batches(sizes[1]), batches(32), turns, count / len(batches(sizes[1])))
    return {"prediction": pair, "batch_size": sizes[1], **found}


def in_turns(step: Any, shared: list[Any], alone: list[Any], turns: int, size: float) -> dict[str, Any]:
    """Molecules a second of the processor, with and without shared states, and the ratio of each turn."""
    seconds: dict[str, list[float]] = {"shared": [], "alone": []}
    for turn in range(turns + 1):  # the first one warms up
        for name, batches in (("shared", shared), ("alone", alone)):
            with nullcontext() if name == "shared" else compute_every_row():
                began = time.process_time()
                for batch in batches:
                    step(batch)
                seconds[name] += [time.process_time() - began] if turn else []
    ratios = [a / b for a, b in zip(seconds["alone"], seconds["shared"], strict=True)]
    number = size * len(shared)
    return {
        "turns": turns,
        "machine": processor(),
        "molecules_per_second": {name: round(number / median(found), 1) for name, found in seconds.items()},
        "ratio": round(median(ratios), 2),
        "range": [round(min(ratios), 2), round(max(ratios), 2)],
    }


if __name__ == "__main__":
    main()
