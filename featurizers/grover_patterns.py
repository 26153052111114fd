"""The four patterns of single atoms that GROVER reads: hydrogen acceptor, donor, acidic, basic.

They are a fifth of the work of reading a molecule where RDKit matches them, molecule by molecule. Ordinary molecules
are matched together instead, by what has been read of their atoms and bonds anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import BondType

from featurizers.codes import SHIFT
from featurizers.molecule_parts import MoleculeParts, matching_atoms

# As published with GROVER (tencent-ailab/grover, grover/data/molgraph.py), in the order of their columns. They are part
# of the definition of the features: released weights depend on them. They match the same atoms in half the time, since
# they recurse only where they have to, and from fewer atoms.
ACCEPTOR = (
    "[O&H0&v2,S&H0&v2,O&-,S&-,n&H0&+0,O&H1&v2&!$([O,S;H1]-*=[O,N,P,S]),S&H1&v2&!$([O,S;H1]-*=[O,N,P,S]),"
    "N&v3&!$([N&v3]-*=[O,N,P,S]),o&+0&!$([o,s]:n)&!$([o,s]:c:n),s&+0&!$([o,s]:n)&!$([o,s]:c:n)]"
)
DONOR = "[N&!H0&v3,N&!H0&v4&+1,O&H1&+0,S&H1&+0,n&H1&+0]"
ACIDIC = "[$([C,S](=[O,S,P])-[O;H1,-1])]"
BASIC = (
    "[#7;+,$([N;H2&+0][C,a;!$([C,a]=O)]),$([N;H1&+0]([C,a;!$([C,a]=O)])[C,a;!$([C,a]=O)]),"
    "$([N;H0&+0]([C;!$(C=O)])([C;!$(C=O)])[C;!$(C=O)])]"
)
PATTERNS = tuple(Chem.MolFromSmarts(smarts) for smarts in (ACCEPTOR, DONOR, ACIDIC, BASIC))

CARBON, NITROGEN, OXYGEN, PHOSPHORUS, SULFUR = 6, 7, 8, 15, 16
SINGLE, DOUBLE, AROMATIC = int(BondType.SINGLE), int(BondType.DOUBLE), int(BondType.AROMATIC)
ORDERS = np.full(256, np.nan)
"""Share of a bond in the valence of its atoms, by its type; NaN for bonds that count otherwise, or for one of them."""
ORDERS[[SINGLE, DOUBLE, int(BondType.TRIPLE), AROMATIC]] = 1.0, 2.0, 3.0, 1.5


def find_patterns(
    parts: MoleculeParts, numbers: bytes, hydrogens: bytes, charges: bytes, aromatic: bytes
) -> list[bytes]:
    """Return, for each of `PATTERNS`, whether each atom (N,) matches it.

    Args:
        parts: The molecules.
        numbers: Atomic number of each atom, as the next ones.
        hydrogens: Number of hydrogens, without those that are atoms of the molecule themselves.
        charges: Formal charge, shifted by `SHIFT`.
        aromatic: Whether it is.
    """
    columns = (parts.bond_types, numbers, hydrogens, charges, aromatic)
    atoms = Atoms(parts.numbered_ends, *(np.frombuffer(column, np.uint8) for column in columns))
    found = np.stack([atoms.acceptors, atoms.donors, atoms.acids, atoms.bases])
    for molecule in np.unique(np.arange(len(parts.mols)).repeat(parts.num_atoms)[atoms.unusual]).tolist():
        start = parts.first_atoms[molecule]
        for row, pattern in zip(found, PATTERNS, strict=True):
            row[start : start + parts.num_atoms[molecule]] = matches(parts.mols[molecule], pattern)
    return [row.tobytes() for row in found]


def matches(mol: Chem.Mol, pattern: Chem.Mol) -> np.ndarray:
    """Return, for each atom (N,), whether RDKit finds that it matches a pattern of one atom."""
    found = np.zeros(mol.GetNumAtoms(), dtype=bool)
    found[matching_atoms(mol, pattern)] = True
    return found


@dataclass(frozen=True)
class Atoms:
    """Atoms of ordinary molecules, and which of them match.

    Args:
        ends: The two atoms of each bond (M, 2), int64.
        types: Type of each bond (M,), as RDKit numbers it.
        numbers: Atomic number of each atom (N,).
        hydrogens: Hydrogens of each (N,).
        charges: Formal charge of each (N,), shifted by `SHIFT`.
        aromatic: Whether each is, 0 or 1 (N,).
    """

    ends: np.ndarray
    types: np.ndarray
    numbers: np.ndarray
    hydrogens: np.ndarray
    charges: np.ndarray
    aromatic: np.ndarray

    @cached_property
    def unusual(self) -> np.ndarray:
        """Atoms (N,) that are not what is counted here: hydrogens, dummies, or with bonds of other orders.

        Nor is an aromatic bond of an atom that is not aromatic (`C:O`), half of which RDKit rounds.
        """
        found = self.numbers <= 1
        found[self.ends[np.isnan(ORDERS[self.types])]] = True
        aromatic = np.unique(self.ends[self.types == AROMATIC])
        found[aromatic[self.aromatic[aromatic] == 0]] = True
        return found

    @property
    def acceptors(self) -> np.ndarray:
        """Atoms (N,) that match `ACCEPTOR`."""
        oxygen, sulfur, nitrogen = self._aliphatic(OXYGEN), self._aliphatic(SULFUR), self._aliphatic(NITROGEN)
        polar = oxygen | sulfur | nitrogen | self._aliphatic(PHOSPHORUS)
        conjugated = self._bonded(SINGLE, self._bonded(DOUBLE, polar))
        divalent = (self._valences == 2) & ((self.hydrogens == 0) | (self.hydrogens == 1) & ~conjugated)
        ring = self._ring(OXYGEN) | self._ring(SULFUR)
        next_but_one = self._bonded(AROMATIC, self._ring(CARBON) & self._bonded(AROMATIC, self._ring(NITROGEN)))
        return (
            (oxygen | sulfur) & (divalent | self._has_charge(-1))
            | nitrogen & (self._valences == 3) & ~conjugated
            | self._ring(NITROGEN) & (self.hydrogens == 0) & self._has_charge(0)
            | ring & self._has_charge(0) & ~self._bonded(AROMATIC, self._ring(NITROGEN)) & ~next_but_one
        )

    @property
    def donors(self) -> np.ndarray:
        """Atoms (N,) that match `DONOR`."""
        valences = (self._valences == 3) | (self._valences == 4) & self._has_charge(1)
        others = self._aliphatic(OXYGEN) | self._aliphatic(SULFUR) | self._ring(NITROGEN)
        one = (self.hydrogens == 1) & self._has_charge(0)
        return self._aliphatic(NITROGEN) & (self.hydrogens > 0) & valences | others & one

    @property
    def acids(self) -> np.ndarray:
        """Atoms (N,) that match `ACIDIC`."""
        oxygen, sulfur = self._aliphatic(OXYGEN), self._aliphatic(SULFUR)
        doubly = self._bonded(DOUBLE, oxygen | sulfur | self._aliphatic(PHOSPHORUS))
        singly = self._bonded(SINGLE, oxygen & ((self.hydrogens == 1) | self._has_charge(-1)))
        return (self._aliphatic(CARBON) | sulfur) & doubly & singly

    @property
    def bases(self) -> np.ndarray:
        """Atoms (N,) that match `BASIC`."""
        amide = self._bonded(DOUBLE, self._aliphatic(OXYGEN))
        carbon = self._aliphatic(CARBON) & ~amide
        beside = self._count((SINGLE, AROMATIC), carbon | (self.aromatic == 1) & ~amide)
        amine = (
            (self.hydrogens == 2) & (beside >= 1)
            | (self.hydrogens == 1) & (beside >= 2)
            | (self.hydrogens == 0) & (self._count((SINGLE, AROMATIC), carbon) >= 3)
        )
        nitrogen = self._aliphatic(NITROGEN) & self._has_charge(0)
        return (self.numbers == NITROGEN) & self._has_charge(1) | nitrogen & amine

    def _aliphatic(self, number: int) -> np.ndarray:
        return (self.numbers == number) & (self.aromatic == 0)

    def _ring(self, number: int) -> np.ndarray:
        return (self.numbers == number) & (self.aromatic == 1)

    def _has_charge(self, charge: int) -> np.ndarray:
        return self.charges == charge + SHIFT

    @cached_property
    def _valences(self) -> np.ndarray:
        """Total valence of each atom (N,), where it is not aromatic; NaN for some that are `unusual`."""
        orders = np.repeat(ORDERS[self.types], 2)
        return np.bincount(self.ends.reshape(-1), orders, minlength=len(self.numbers)) + self.hydrogens

    def _count(self, kinds: tuple[int, ...], chosen: np.ndarray) -> np.ndarray:
        """Return how many of the chosen atoms (N,) each atom (N,) is bonded to by one of these types of bonds."""
        bonds = self.ends[np.isin(self.types, kinds)]
        near = np.concatenate([bonds[chosen[bonds[:, 1]], 0], bonds[chosen[bonds[:, 0]], 1]])
        return np.bincount(near, minlength=len(self.numbers))

    def _bonded(self, kind: int, chosen: np.ndarray) -> np.ndarray:
        """Return whether each atom (N,) is bonded to one of the chosen (N,) by a bond of this type."""
        return self._count((kind,), chosen) > 0
