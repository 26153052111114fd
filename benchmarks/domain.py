"""Similarity to the nearest training molecule: processor time of `molzoo predict --domain` for a library, on one core.

The embedded molecules are the training molecules; the library repeats them as often as needed, written anew from
another atom, so that each is read from its text. Prints one JSON line: seconds of processor time from SMILES to
similarities, their parts, and the ratio to RDKit's `BulkTanimotoSimilarity` on a share of the same pairs:

    OMP_NUM_THREADS=1 python benchmarks/domain.py --molecules 100000
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

import zoo
from zoo.trust.domain import Domain
from zoo.trust.domain.fingerprints import ecfp4, nearest

COMPARED = 200


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--molecules", type=int, default=100_000)
    options = parser.parse_args()
    data = zoo.data.load("b3db")
    domain = Domain.of(data)
    library = [rewrite(data.smiles[number % len(data)], number) for number in range(options.molecules)]
    start = time.process_time()
    packed, _ = ecfp4(library)
    middle = time.process_time()
    similarities = nearest(packed, domain.fingerprints)[0]
    end = time.process_time()
    reference = measure_rdkit(library[:COMPARED], data.smiles, similarities[:COMPARED, 0]) * len(library) / COMPARED
    print(
        json.dumps(
            {
                "molecules": len(library),
                "training_molecules": len(domain),
                "processor_seconds": round(end - start, 2),
                "fingerprints": round(middle - start, 2),
                "similarities": round(end - middle, 2),
                "rdkit_similarities": round(reference, 2),
                "ratio": round((end - middle) / reference, 3),
            }
        )
    )


def rewrite(smiles: str, number: int) -> str:
    """Write a molecule from another of its atoms."""
    mol = Chem.MolFromSmiles(smiles)
    return Chem.MolToSmiles(mol, rootedAtAtom=number % mol.GetNumAtoms(), canonical=False)


def measure_rdkit(library: list[str], training: list[str], expected: np.ndarray) -> float:
    """Processor time of RDKit's similarities, which must be the same."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    queries, references = (
        [generator.GetFingerprint(zoo.data.read_molecule(text)) for text in texts] for texts in (library, training)
    )
    start = time.process_time()
    found = [max(DataStructs.BulkTanimotoSimilarity(query, references)) for query in queries]
    seconds = time.process_time() - start
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    return seconds


if __name__ == "__main__":
    main()
