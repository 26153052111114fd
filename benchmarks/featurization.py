"""Molecules per second of each featurizer next to bare `MolFromSmiles`, in one process and in several.

Prints one JSON line for each featurizer and number of processes. `of_bare_parsing` compares processor time of this
process in short turns of both on the same molecules, the shortest of each, so that it holds on a busy machine too:

    python benchmarks/featurization.py --molecules 4000 --workers 0 2

`--descriptors` compares the 200 RDKit descriptors with the package that defines them instead, in turns.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from rdkit import Chem, rdBase

import zoo
from featurizers import Featurizer, RDKit2DDescriptors
from zoo.data.packing.encoding import encode_chunk
from zoo.registry.catalog import FEATURIZERS

# Molecules of one turn, turns, and molecules compared in all.
BLOCK, TURNS, COMPARED = 40, 5, 400

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def seconds_of(work: Callable[[], object], clock: str) -> float:
    """Time of one call."""
    now = CLOCKS[clock]
    start = now()
    work()
    return now() - start


def parse_all(smiles: Sequence[str]) -> None:
    """Return what every featurizer has to do first."""
    with rdBase.BlockLogs():
        for text in smiles:
            Chem.MolFromSmiles(text)


def seconds_in_turns(items: Sequence, work: Mapping[str, Callable[[Sequence], object]]) -> dict[str, float]:
    """Processor time of each kind of work on the same items, in turns of `BLOCK` items, the shortest turn of each."""
    totals = dict.fromkeys(work, 0.0)
    for start in range(0, len(items), BLOCK):
        part = items[start : start + BLOCK]
        times: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(TURNS):
            for name, function in work.items():
                times[name].append(seconds_of(partial(function, part), "cpu"))
        for name, found in times.items():
            totals[name] += min(found)
    return totals


def share_of_parsing(smiles: Sequence[str], featurizer: Featurizer) -> float:
    """Speed of a featurizer in this process, over that of parsing alone."""
    totals = seconds_in_turns(
        smiles, {"bare": parse_all, "featurized": lambda part: encode_chunk(featurizer, (0, part))}
    )
    return totals["bare"] / totals["featurized"]


def descriptor_times(smiles: Sequence[str]) -> dict[str, float]:
    """Milliseconds of a molecule's RDKit descriptors, ours in groups and descriptastorus one by one."""
    from descriptastorus.descriptors.rdNormalizedDescriptors import RDKit2DNormalized

    ours, theirs = RDKit2DDescriptors(), RDKit2DNormalized()
    mols = [Chem.MolFromSmiles(text) for text in smiles]
    totals = seconds_in_turns(
        mols,
        {
            "ours": ours.describe_all,
            "descriptastorus": lambda part: [theirs.processMol(mol, "") for mol in part],
        },
    )
    milliseconds = {name: round(1000 * total / len(mols), 2) for name, total in totals.items()}
    return {"ratio": round(totals["descriptastorus"] / totals["ours"], 2), **milliseconds}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="b3db", help="what zoo.data.load takes; default: the embedded b3db")
    parser.add_argument("--molecules", type=int, default=4000, help="how many, evenly spread; default: 4000")
    parser.add_argument("--featurizers", nargs="+", default=FEATURIZERS.names(), help="default: all")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 2], help="processes; 0 is this one")
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu counts this process only")
    parser.add_argument("--descriptors", action="store_true", help="measure RDKit's descriptors instead")
    options = parser.parse_args()
    smiles = zoo.data.load(options.data).smiles
    smiles = smiles[:: max(1, len(smiles) // options.molecules)][: options.molecules]
    if options.descriptors:
        print(json.dumps({"featurizer": "rdkit_2d_normalized", **descriptor_times(smiles[:COMPARED])}))
        return
    bare = len(smiles) / seconds_of(lambda: parse_all(smiles), options.clock)
    print(json.dumps({"featurizer": "MolFromSmiles", "molecules_per_second": round(bare)}), flush=True)
    for name in options.featurizers:
        featurizer = FEATURIZERS[name].resolve()(**FEATURIZERS[name].defaults)
        first, share = 0.0, round(share_of_parsing(smiles[:COMPARED], featurizer), 3)
        for workers in options.workers:
            seconds = seconds_of(
                lambda f=featurizer, w=workers: zoo.data.featurize(smiles, f, num_workers=w), options.clock
            )
            speed = len(smiles) / seconds
            first = first or speed
            record = {
                "featurizer": name,
                "workers": workers,
                "molecules_per_second": round(speed),
                "of_bare_parsing": share if workers == 0 else round(speed / bare, 3),
                "over_first": round(speed / first, 2),
            }
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main()
