"""The arrays that a batch of molecules is made of, without torch: training, prediction and the runner share them."""

from __future__ import annotations

import numpy as np

from featurizers.atom_pairs import AtomPairs
from featurizers.extra_arrays import ATOM_NUMBERS, at_level
from featurizers.packed import PackedMolecules


def batch_arrays(
    packed: PackedMolecules, atom_feats: np.ndarray, bond_feats: np.ndarray, atom_pairs: AtomPairs | None
) -> dict[str, np.ndarray]:
    """Return every array of a batch by name.

    Args:
        packed: B molecules.
        atom_feats: Features of their atoms (N, A), float32.
        bond_feats: Features of both directions of their bonds (E, F), float32.
        atom_pairs: What expands the codes of atom pairs; `None` leaves pairs out.

    Returns:
        "source" and "destination" of each directed bond (E,), "num_atoms" and "num_bonds" (directed) of each molecule
        (B,), all int64; "atoms.x" (N, ...), "bonds.x" (E, ...), "pairs.x" (P, ...) and "molecule.x" (B, ...) of
        features, those of atoms and bonds with x = "feat" among them; "descriptors" (B, F) where there are any.
    """
    source, destination = packed.directed_edges()
    arrays = {
        "source": source,
        "destination": destination,
        "num_atoms": packed.num_atoms.astype(np.int64),
        "num_bonds": 2 * packed.num_bonds.astype(np.int64),
        "atoms.feat": _with_numbers(atom_feats, packed),
        "bonds.feat": bond_feats,
    }
    if packed.descriptors is not None:
        arrays["descriptors"] = np.array(packed.descriptors)
    if atom_pairs is not None:
        arrays |= {f"pairs.{name}": array for name, array in atom_pairs.arrays(packed).items()}
    for level, repeats in {"atoms": 1, "bonds": 2, "pairs": 1, "molecule": 1}.items():
        if level == "pairs" and atom_pairs is None:
            continue
        for name, array in at_level(packed.extra, level).items():
            if f"{level}.{name}" != ATOM_NUMBERS:
                arrays[f"{level}.{name}"] = array.repeat(repeats, axis=0)
    return arrays


def of_level(arrays: dict[str, np.ndarray], level: str) -> dict[str, np.ndarray]:
    """Return the features of one level, "atoms" for example, named without it."""
    return {name.partition(".")[2]: array for name, array in arrays.items() if name.startswith(f"{level}.")}


def _with_numbers(atom_feats: np.ndarray, packed: PackedMolecules) -> np.ndarray:
    """Features of atoms with the numbers behind them that the featurizer computes for each atom, if it does."""
    numbers = packed.extra.get(ATOM_NUMBERS)
    return atom_feats if numbers is None else np.concatenate([atom_feats, numbers], axis=1)
