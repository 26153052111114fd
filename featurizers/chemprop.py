"""The atom and bond features of chemprop 2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import HybridizationType as Hybridization

from featurizers.codes import (
    added,
    charges,
    hybridizations,
    isotope_columns,
    limited_table,
    signed_slot_table,
    slot_table,
    unsigned,
)
from featurizers.columns import ColumnFeaturizer
from featurizers.grover import bond_columns, masses
from featurizers.molecule_parts import MoleculeParts
from featurizers.one_hot import set_flags, set_one_hot, slots_of

# Values of degree, charge, chiral tag and hydrogens that have a column, in all sets of features.
DEGREES, CHARGES, CHIRAL_TAGS, HYDROGENS = range(6), (-1, -2, 1, 2, 0), range(4), range(5)
UP_TO_6, UP_TO_4, UP_TO_5 = (limited_table(len(values)) for values in (DEGREES, CHIRAL_TAGS, HYDROGENS))


@dataclass(frozen=True)
class Columns:
    """One set of atom features: one-hot groups in a fixed order, each with a last column for every other value.

    Args:
        elements: Atomic numbers that have a column.
        hybridizations: Hybridizations that have a column.
    """

    elements: Sequence[int]
    hybridizations: Sequence[Hybridization]
    sizes: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        groups = (self.elements, DEGREES, CHARGES, CHIRAL_TAGS, HYDROGENS, self.hybridizations)
        object.__setattr__(self, "sizes", tuple(len(group) + 1 for group in groups))

    @property
    def first_columns(self) -> np.ndarray:
        """First column of each of the six groups (6,)."""
        return np.cumsum((0, *self.sizes[:-1]))

    @property
    def atom_size(self) -> int:
        """Number of columns, with those of aromaticity and mass at the end."""
        return sum(self.sizes) + 2


SETS = {
    "v1": Columns(
        range(1, 101),
        (Hybridization.SP, Hybridization.SP2, Hybridization.SP3, Hybridization.SP3D, Hybridization.SP3D2),
    ),
    "v2": Columns(
        (*range(1, 37), 53),
        (
            Hybridization.S,
            Hybridization.SP,
            Hybridization.SP2,
            Hybridization.SP2D,
            Hybridization.SP3,
            Hybridization.SP3D,
            Hybridization.SP3D2,
        ),
    ),
    "organic": Columns(
        (1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53),
        (Hybridization.S, Hybridization.SP, Hybridization.SP2, Hybridization.SP3),
    ),
}


class ChempropFeaturizer(ColumnFeaturizer):
    """Atom and bond features as chemprop 2 gives them: 72 of each atom, 14 of each bond.

    Atoms: one-hot atomic number (1 to 36 and iodine), total degree (0 to 5), formal charge (-1, -2, 1, 2, 0), chiral
    tag, hydrogens (0 to 4), hybridization (s, sp, sp2, sp2d, sp3, sp3d, sp3d2), each with a column for all other
    values; then aromatic, and the mass in 100 Da. Bonds: column 0 is always 0, then single, double, triple, aromatic
    (1-4), conjugated (5), in a ring (6), one-hot stereo (7-13).

    The chiral tag depends on the order in which neighbours are stored, and hydrogens are taken as RDKit reads them:
    weights of chemprop need both. Bonds are ordered by their lower, then their higher atom number.

    Args:
        columns: Set of atom features: "v2" (72, chemprop 2's default), "v1" (133, chemprop 1's) or "organic" (44).
        hydrogens: As for `Featurizer`.
        **options: Further options of `Featurizer`.

    Example:
        >>> graph = ChempropFeaturizer()("c1ccccc1O")
        >>> graph.atom_feats.shape, graph.bond_feats.shape
        (torch.Size([7, 72]), torch.Size([14, 14]))

    Reference:
        Heid et al. 2024 (doi:10.1021/acs.jcim.3c01250), `MultiHotAtomFeaturizer` and `MultiHotBondFeaturizer`.
    """

    name: ClassVar[str] = "chemprop"
    sorted_bonds = True
    bond_size = 14

    def __init__(self, *, columns: str = "v2", hydrogens: str = "as_written", **options: Any) -> None:
        super().__init__(hydrogens=hydrogens, **options)
        if columns not in SETS:
            raise ValueError(f"columns={columns!r}: choose one of {', '.join(map(repr, SETS))}")
        self.columns = SETS[columns]
        self.atom_size = self.columns.atom_size
        elements, hybridizations = self.columns.elements, self.columns.hybridizations
        self._slots = (
            slot_table(slots_of(elements), len(elements)),
            signed_slot_table(slots_of(CHARGES), len(CHARGES)),
            slot_table(slots_of(hybridizations), len(hybridizations)),
        )

    def bond_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Type slot, stereo slot, flags (conjugated, in a ring) of each bond."""
        return bond_columns(parts)

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 10) to features (N, `atom_size`)."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :6], self.columns.first_columns)
        set_flags(feats, codes[:, 6], slice(self.atom_size - 2, self.atom_size - 1))
        isotopes = codes[:, 8].astype(np.int64) | codes[:, 9].astype(np.int64) << 8
        feats[:, -1] = masses(codes[:, 7], isotopes) * 0.01
        return feats

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, 3) to features (M, 14)."""
        feats = np.zeros((len(codes), self.bond_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([1, 7]))
        set_flags(feats, codes[:, 2], slice(5, 7))
        return feats

    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Six slots, aromatic, atomic number, isotope (low and high byte) of each atom."""
        elements, charge_slots, hybridization_slots = self._slots
        read, atoms = Chem.Atom, parts.atoms
        numbers, hydrogens = unsigned(read.GetAtomicNum, atoms), unsigned(read.GetTotalNumHs, atoms)
        return [
            numbers.translate(elements),
            added(parts.degrees, hydrogens).translate(UP_TO_6),
            charges(parts).translate(charge_slots),
            unsigned(read.GetChiralTag, atoms).translate(UP_TO_4),
            hydrogens.translate(UP_TO_5),
            hybridizations(parts).translate(hybridization_slots),
            unsigned(read.GetIsAromatic, atoms),
            numbers,
            *isotope_columns(parts),
        ]
