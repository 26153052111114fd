"""The atom and bond features that most of DGL-LifeSci's models use."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import BondStereo

from featurizers.codes import (
    SHIFT,
    bond_stereo,
    charges,
    flags,
    hybridizations,
    limited_table,
    radical_electrons,
    slot_table,
    unsigned,
)
from featurizers.columns import ColumnFeaturizer
from featurizers.molecule_parts import MoleculeParts
from featurizers.one_hot import BOND_TYPE_SLOTS, HYBRIDIZATION_SLOTS, NO_SLOT, set_flags, set_one_hot, slots_of

# fmt: off
# Atomic numbers in the order of their columns, which is DGL-LifeSci's: C N O S F Si P Cl Br ...
ELEMENT_SLOTS = slots_of([
    6, 7, 8, 16, 9, 14, 15, 17, 35, 12, 11, 20, 26, 33, 13, 53, 5, 23, 19, 81, 70, 51,
    50, 47, 46, 27, 34, 22, 30, 1, 3, 32, 29, 79, 28, 48, 49, 25, 40, 24, 78, 80, 82,
])
# fmt: on
STEREO_SLOTS = slots_of(
    [
        BondStereo.STEREONONE,
        BondStereo.STEREOANY,
        BondStereo.STEREOZ,
        BondStereo.STEREOE,
        BondStereo.STEREOCIS,
        BondStereo.STEREOTRANS,
    ]
)
ELEMENTS, HYBRIDIZATIONS = slot_table(ELEMENT_SLOTS), slot_table(HYBRIDIZATION_SLOTS)
BOND_TYPES, STEREO = slot_table(BOND_TYPE_SLOTS), slot_table(STEREO_SLOTS)
UP_TO_10, UP_TO_6, UP_TO_4 = (limited_table(highest, NO_SLOT) for highest in (10, 6, 4))

# One-hot groups of an atom: element, degree 0-10, implicit valence 0-6, hybridization, hydrogens 0-4.
FIRST_COLUMNS = np.array([0, 43, 54, 63, 69])
CHARGE, RADICALS, AROMATIC = 61, 62, 68


class CanonicalFeaturizer(ColumnFeaturizer):
    """DGL-LifeSci's canonical features: 74 of each atom, 12 (or 13) of each bond.

    Atoms: one-hot element (0-42), degree (43-53), implicit valence (54-60), formal charge (61), radical electrons
    (62), one-hot hybridization (63-67), aromatic (68), one-hot hydrogens (69-73). Bonds: one-hot type (0-3), conjugated
    (4), in a ring (5), one-hot stereo (6-11). A value that has no column leaves its group zero. Atoms and bonds keep
    RDKit's order.

    Args:
        self_loop: Add column 12 that marks self-loops. It is 0 for every bond: a model that adds loops sets it.
        options: Those of `Featurizer`.

    Example:
        >>> graph = CanonicalFeaturizer()("CCO")
        >>> graph.atom_feats.shape, graph.bond_feats.shape
        (torch.Size([3, 74]), torch.Size([4, 12]))

    Reference:
        Li et al. 2021 (arXiv:2106.14232), `CanonicalAtomFeaturizer` and `CanonicalBondFeaturizer`. Differs from the
        authors' `smiles_to_bigraph` in keeping the atom order of the SMILES (its `canonical_atom_order=False`).
    """

    name: ClassVar[str] = "canonical"
    atom_size = 74

    def __init__(self, *, self_loop: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self.self_loop = self_loop
        self.bond_size = 13 if self_loop else 12

    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Five slots, charge (shifted), radical electrons, aromatic of each atom."""
        read, atoms = Chem.Atom, parts.atoms
        return [
            unsigned(read.GetAtomicNum, atoms).translate(ELEMENTS),
            parts.degrees.translate(UP_TO_10),
            unsigned(read.GetNumImplicitHs, atoms).translate(UP_TO_6),
            hybridizations(parts).translate(HYBRIDIZATIONS),
            unsigned(read.GetTotalNumHs, atoms).translate(UP_TO_4),
            charges(parts),
            radical_electrons(parts),
            unsigned(read.GetIsAromatic, atoms),
        ]

    def bond_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Type slot, stereo slot, flags (conjugated, in a ring) of each bond."""
        return [
            parts.bond_types.translate(BOND_TYPES),
            bond_stereo(parts).translate(STEREO),
            flags(unsigned(Chem.Bond.GetIsConjugated, parts.bonds), parts.rings[1]),
        ]

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 8) to features (N, 74)."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :5], FIRST_COLUMNS)
        feats[:, CHARGE] = codes[:, 5].astype(np.float32) - SHIFT
        feats[:, RADICALS] = codes[:, 6]
        feats[:, AROMATIC] = codes[:, 7]
        return feats

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, 3) to features (M, `bond_size`)."""
        feats = np.zeros((len(codes), self.bond_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([0, 6]))
        set_flags(feats, codes[:, 2], slice(4, 6))
        return feats
