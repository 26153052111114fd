"""Distances in bonds between the atoms of many molecules at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from featurizers.packed import before

APART = 65535
"""The distance between atoms of different fragments."""
WORD = 64
"""Bits of a set of atoms; larger molecules are left to RDKit."""


def bond_distances(mol: Chem.Mol) -> np.ndarray:
    """Return the distances of all ordered pairs of atoms of a molecule (N, N), uint16, as RDKit finds them."""
    return np.minimum(Chem.GetDistanceMatrix(mol), APART).astype(np.uint16)


def distances_of_each(mols: Sequence[Chem.Mol], bond_ends: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the distances of all ordered pairs of atoms of several molecules.

    RDKit's algorithm takes the cube of the number of atoms. Here a set of bits for each atom says which atoms are
    reached from it, and gains in each step what its neighbours have reached, for all molecules together.

    Args:
        mols: Molecules.
        bond_ends: The two atoms of each bond (M, 2), for each molecule.

    Returns:
        (N, N), uint16, for each; `APART` between fragments.
    """
    sizes = [mol.GetNumAtoms() for mol in mols]
    small = [place for place, size in enumerate(sizes) if size <= WORD]
    found: dict[int, np.ndarray] = {}
    if len(small) > 1:
        counts = np.array([sizes[place] for place in small])
        steps = steps_between(counts, [bond_ends[place] for place in small])
        for place, start in zip(small, before(counts).tolist(), strict=True):
            found[place] = steps[start : start + sizes[place], : sizes[place]]
    return [found[place] if place in found else bond_distances(mol) for place, mol in enumerate(mols)]


def steps_between(sizes: np.ndarray, bond_ends: Sequence[np.ndarray]) -> np.ndarray:
    """Return the number of bonds from each atom of a batch to each atom of its molecule.

    Args:
        sizes: Atoms of each molecule, at most `WORD` (B,).
        bond_ends: The two atoms of each bond (M, 2), for each molecule.

    Returns:
        (N, `WORD`), uint16; `APART` where no bonds lead.
    """
    num_atoms = int(sizes.sum())
    neighbors = neighbor_table(sizes, bond_ends)
    own = np.arange(num_atoms) - before(sizes).repeat(sizes)
    reached = np.zeros(num_atoms + 1, dtype="<u8")  # the last one stands for a missing neighbour
    reached[:num_atoms] = np.uint64(1) << own.astype(np.uint64)
    # The number of the step in which an atom is reached, bit by bit: 6 bits count the at most 63 steps.
    bits = np.zeros((6, num_atoms), dtype="<u8")
    for step in range(1, WORD):
        gained = np.bitwise_or.reduce(reached[neighbors], axis=0) & ~reached[:num_atoms]
        if not gained.any():
            break
        for place in range(6):
            if step >> place & 1:
                bits[place] |= gained
        reached[:num_atoms] |= gained
    distances = sum(unpack(column) << place for place, column in enumerate(bits))
    return np.where(unpack(reached[:num_atoms]), distances, np.uint16(APART))


def unpack(sets: np.ndarray) -> np.ndarray:
    """Return the bits of each set (N,) as numbers (N, `WORD`), uint8."""
    return np.unpackbits(sets.view(np.uint8).reshape(len(sets), WORD // 8), axis=1, bitorder="little")


def neighbor_table(sizes: np.ndarray, bond_ends: Sequence[np.ndarray]) -> np.ndarray:
    """Return the neighbours of each atom of a batch (largest degree, N); N stands for none."""
    num_atoms, counts = int(sizes.sum()), [len(ends) for ends in bond_ends]
    ends = np.concatenate(bond_ends).astype(np.int64) + before(sizes).repeat(counts)[:, None]
    atoms, others = np.concatenate([ends, ends[:, ::-1]]).T
    order = atoms.argsort(kind="stable")
    atoms, others = atoms[order], others[order]
    degrees = np.bincount(atoms, minlength=num_atoms)
    table = np.full((int(degrees.max(initial=0)), num_atoms), num_atoms)
    table[np.arange(len(atoms)) - before(degrees)[atoms], atoms] = others
    return table
