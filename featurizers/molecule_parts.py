"""`MoleculeParts`: the atoms and bonds of several molecules, whose properties are read together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import chain, repeat
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdqueries
from rdkit.Chem.rdchem import BondType

from featurizers.common_bonds import has_common_bonds
from featurizers.packed import before

TYPE_OF_ORDER = {
    1.0: int(BondType.SINGLE),
    1.5: int(BondType.AROMATIC),
    2.0: int(BondType.DOUBLE),
    3.0: int(BondType.TRIPLE),
}


class MoleculeParts:
    """The atoms and bonds of several molecules, one molecule after another.

    Args:
        mols: B molecules with N atoms and M bonds together.
        sort: Order the bonds of each molecule by their lower, then their higher atom, and the ends of each bond too;
            otherwise both are in RDKit's order.

    Attributes:
        num_atoms: Atoms of each molecule (B,), int32.
        num_bonds: Bonds of each molecule (B,), int32.
        atoms: (N,).
        bonds: (M,).
        bond_ends: The two atoms of each bond, numbered within its molecule (M, 2), uint16.
        order: Places of the sorted bonds in RDKit's order (M,); None unless they are sorted.
    """

    def __init__(self, mols: Sequence[Chem.Mol], sort: bool = False) -> None:
        self.mols = mols
        num_atoms, num_bonds = [mol.GetNumAtoms() for mol in mols], [mol.GetNumBonds() for mol in mols]
        self.num_atoms, self.num_bonds = np.array(num_atoms, np.int32), np.array(num_bonds, np.int32)
        # `GetAtoms` and `GetBonds` take several times as long.
        self.atoms: list[Chem.Atom] = [*chain(*(map(m.GetAtomWithIdx, range(n)) for m, n in zip(mols, num_atoms)))]  # noqa: B905
        self.bonds: list[Chem.Bond] = [*chain(*(map(m.GetBondWithIdx, range(n)) for m, n in zip(mols, num_bonds)))]  # noqa: B905
        self.bond_ends = np.empty((len(self.bonds), 2), dtype=np.uint16)
        self.bond_ends[:, 0] = list(map(Chem.Bond.GetBeginAtomIdx, self.bonds))
        self.bond_ends[:, 1] = list(map(Chem.Bond.GetEndAtomIdx, self.bonds))
        self.order: np.ndarray | None = None
        if sort:
            self.bond_ends.sort(axis=1)
            molecule = np.arange(len(mols), dtype=np.int64).repeat(self.num_bonds)
            self.order = (molecule << 32 | self.bond_ends[:, 0].astype(np.int64) << 16 | self.bond_ends[:, 1]).argsort()
            self.bonds = [self.bonds[place] for place in self.order.tolist()]
            self.bond_ends = self.bond_ends[self.order]

    @cached_property
    def first_atoms(self) -> list[int]:
        """Place of the first atom of each molecule (B,)."""
        return before(self.num_atoms).tolist()

    @cached_property
    def first_bonds(self) -> list[int]:
        """Place of the first bond of each molecule (B,)."""
        return before(self.num_bonds).tolist()

    @cached_property
    def numbered_ends(self) -> np.ndarray:
        """The two atoms of each bond, numbered over all molecules (M, 2), int64."""
        return self.bond_ends + before(self.num_atoms).repeat(self.num_bonds)[:, None]

    @cached_property
    def degrees(self) -> bytes:
        """Number of bonds of each atom (N,); more than 255 count as 255."""
        return (
            np.minimum(np.bincount(self.numbered_ends.reshape(-1), minlength=len(self.atoms)), 255)
            .astype(np.uint8)
            .tobytes()
        )

    @cached_property
    def bonds_of_each(self) -> list[list[Chem.Bond]]:
        """Bonds of each molecule (B,)."""
        counts = self.num_bonds.tolist()
        return [self.bonds[start : start + count] for start, count in zip(self.first_bonds, counts, strict=True)]

    def ends_of(self, molecule: int) -> np.ndarray:
        """Return the two atoms of each bond of one molecule (its M, 2), uint16."""
        start = self.first_bonds[molecule]
        return self.bond_ends[start : start + self.num_bonds[molecule]]

    @cached_property
    def bond_types(self) -> bytes:
        """Type of each bond (M,), as RDKit numbers them."""
        return b"".join(
            bytes(map(TYPE_OF_ORDER.get, map(Chem.Bond.GetBondTypeAsDouble, bonds), repeat(int(BondType.UNSPECIFIED))))
            if has_common_bonds(mol)
            else bytes(map(Chem.Bond.GetBondType, bonds))
            for mol, bonds in zip(self.mols, self.bonds_of_each, strict=True)
        )

    @cached_property
    def rings(self) -> tuple[bytes, bytes]:
        """Whether each atom (N,) and each bond (M,) is in a ring: an atom is where one of its bonds is."""
        bonds = np.frombuffer(b"".join(map(ring_bonds, self.mols)), dtype=bool)
        bonds = bonds if self.order is None else bonds[self.order]
        atoms = np.zeros(len(self.atoms), dtype=np.uint8)
        atoms[self.numbered_ends[bonds]] = 1
        return atoms.tobytes(), bonds.tobytes()

    @cached_property
    def unusual(self) -> list[tuple[int, Chem.Atom]]:
        """Place and atom of those with a charge, unpaired electrons or an isotope, which few have."""
        return [
            (start + number, self.atoms[start + number])
            for start, mol in zip(self.first_atoms, self.mols, strict=True)
            for number in matching_atoms(mol, UNUSUAL)
        ]


def ring_bonds(mol: Chem.Mol) -> bytes:
    """Return whether each bond is in a ring, in RDKit's order.

    `Bond.IsInRing` would search anew in a molecule whose atoms were renumbered, and leave a cage with fewer rings.
    """
    rings = mol.GetRingInfo()
    try:
        rings.NumRings()
    except RuntimeError:  # nobody has searched, as in a molecule whose bonds were edited
        Chem.FastFindRings(mol)
        rings = mol.GetRingInfo()
    return bytes(map(bool, map(rings.NumBondRings, range(mol.GetNumBonds()))))


def matching_atoms(mol: Chem.Mol, pattern: Chem.Mol) -> list[int]:
    """Return the atoms that match a pattern of one atom, several times faster than `GetAtomsMatchingQuery` does."""
    return [number for (number,) in mol.GetSubstructMatches(pattern, uniquify=False, maxMatches=mol.GetNumAtoms())]


def pattern_of(*queries: Any) -> Chem.Mol:
    """Return a pattern of one atom that matches any of these queries."""
    first, *others = queries
    for query in others:
        first.ExpandQuery(query, Chem.CompositeQueryType.COMPOSITE_OR)
    pattern = Chem.RWMol()
    pattern.AddAtom(first)
    return pattern.GetMol()


UNUSUAL = pattern_of(
    rdqueries.FormalChargeEqualsQueryAtom(0, negate=True),
    rdqueries.NumRadicalElectronsEqualsQueryAtom(0, negate=True),
    rdqueries.IsotopeEqualsQueryAtom(0, negate=True),
)
