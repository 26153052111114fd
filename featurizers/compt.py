"""The atom, bond and pair features of CoMPT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import repeat
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import BondStereo
from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

from featurizers.codes import (
    SHIFT,
    bond_stereo,
    charges,
    flags,
    hybridizations,
    slot_table,
    unsigned,
)
from featurizers.columns import ColumnFeaturizer
from featurizers.common_bonds import marked_like
from featurizers.molecule_parts import MoleculeParts
from featurizers.one_hot import BOND_TYPE_SLOTS, HYBRIDIZATION_SLOTS, set_flags, set_one_hot, slots_of
from featurizers.packed import PackedMolecules

STEREO_SLOTS = slots_of(
    [
        BondStereo.STEREOANY,
        BondStereo.STEREOCIS,
        BondStereo.STEREOE,
        BondStereo.STEREONONE,
        BondStereo.STEREOTRANS,
        BondStereo.STEREOZ,
    ]
)
# The published lists have no slot for other values, which fall on the last one.
OTHER_TYPE, OTHER_STEREO = BOND_TYPE_SLOTS[Chem.BondType.AROMATIC], STEREO_SLOTS[BondStereo.STEREOZ]
OTHER_ELEMENT, OTHER_HYBRIDIZATION = 100, 5
ELEMENTS = slot_table({number: number - 1 for number in range(1, 101)}, OTHER_ELEMENT)
HYBRIDIZATIONS = slot_table(HYBRIDIZATION_SLOTS, OTHER_HYBRIDIZATION)
BOND_TYPES, STEREO = slot_table(BOND_TYPE_SLOTS, OTHER_TYPE), slot_table(STEREO_SLOTS, OTHER_STEREO)

COUNTS, CHARGES, FLAGS = slice(107, 111), slice(111, 113), slice(113, 115)
COUNT_SCALES = np.array([8, 4, 8, 8], dtype=np.float32)  # hydrogens, degree, charge, valence
CHARGE_SHIFT = np.array([0, 0, SHIFT, 0], dtype=np.float32)


class ComptFeaturizer(ColumnFeaturizer):
    """115 features of each atom, 13 of each bond and the distances of all atom pairs, as published with CoMPT.

    Atoms: one-hot atomic number (0-100), one-hot hybridization (101-106), hydrogens / 8 (107), degree / 4 (108), formal
    charge / 8 (109), valence / 8 (110), Gasteiger charge of the atom (111) and of its hydrogens (112), aromatic (113),
    in a ring (114). Bonds: one-hot type (0-3), one-hot stereo (4-9), conjugated (10), aromatic (11), in a ring (12). A
    bond type without a column counts as aromatic, a stereo label as Z, a Gasteiger charge that has no parameters as 0.

    Args:
        canonical_order: Number the atoms as canonical SMILES do, so that a model that reads them in their order (CoMPT
            does) predicts the same however the molecule was written. The published code keeps the given order.
        pairs: Fill `graph.pairs`, which CoMPT needs.
        options: Those of `Featurizer`.

    Example:
        >>> graph = ComptFeaturizer()("CCO")
        >>> graph.atom_feats.shape, graph.bond_feats.shape, graph.pairs.num_edges()
        (torch.Size([3, 115]), torch.Size([4, 13]), 9)

    Reference:
        Chen et al. 2021 (arXiv:2107.08773), table 1, and the authors' code.
    """

    name: ClassVar[str] = "compt"
    writes_properties = True
    atom_size = 115
    bond_size = 13

    def __init__(self, *, canonical_order: bool = False, pairs: bool = True, **options: Any) -> None:
        super().__init__(pairs=pairs, **options)
        self.canonical_order = canonical_order

    def arrange(self, mol: Chem.Mol) -> Chem.Mol:
        """Return the molecule in the order that is asked for, with its partial charges as properties."""
        mol = in_canonical_order(mol) if self.canonical_order else mol
        ComputeGasteigerCharges(mol)
        return mol

    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Slots of element and hybridization, hydrogens, degree, charge (shifted), valence, flags (aromatic, ring)."""
        read, atoms = Chem.Atom, parts.atoms
        return [
            unsigned(read.GetAtomicNum, atoms).translate(ELEMENTS),
            hybridizations(parts).translate(HYBRIDIZATIONS),
            unsigned(read.GetTotalNumHs, atoms, True),
            parts.degrees,
            charges(parts),
            unsigned(read.GetTotalValence, atoms),
            flags(unsigned(read.GetIsAromatic, atoms), parts.rings[0]),
        ]

    def bond_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Type slot, stereo slot, flags (conjugated, aromatic, in a ring) of each bond."""
        conjugated, aromatic = (
            unsigned(read, parts.bonds) for read in (Chem.Bond.GetIsConjugated, Chem.Bond.GetIsAromatic)
        )
        return [
            parts.bond_types.translate(BOND_TYPES),
            bond_stereo(parts).translate(STEREO),
            flags(conjugated, aromatic, parts.rings[1]),
        ]

    def shared_arrays(self, parts: MoleculeParts) -> Mapping[str, np.ndarray]:
        """Return the partial charges of all atoms."""
        return {"atoms.charges": partial_charges(parts.atoms)}

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 7) to features (N, 115), the partial charges 0."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([0, 101]))
        feats[:, COUNTS] = (codes[:, 2:6] - CHARGE_SHIFT) / COUNT_SCALES
        set_flags(feats, codes[:, 6], FLAGS)
        return feats

    def batch_arrays(self, packed: PackedMolecules) -> dict[str, np.ndarray]:
        """Return the arrays of a batch of encoded molecules, the partial charges in their columns."""
        arrays = super().batch_arrays(packed)
        arrays["atoms.feat"][:, CHARGES] = arrays.pop("atoms.charges")
        return arrays

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, 3) to features (M, 13)."""
        feats = np.zeros((len(codes), self.bond_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([0, 4]))
        set_flags(feats, codes[:, 2], slice(10, 13))
        return feats


def in_canonical_order(mol: Chem.Mol) -> Chem.Mol:
    """Return the molecule with its atoms numbered as its canonical SMILES lists them.

    The order is written into the given molecule, as a property.
    """
    Chem.MolToSmiles(mol)
    order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    return marked_like(mol, Chem.RenumberAtoms(mol, order))


def partial_charges(atoms: Sequence[Chem.Atom]) -> np.ndarray:
    """Gasteiger charges of atoms and of their hydrogens (N, 2), float32; 0 where there is none."""
    names = ("_GasteigerCharge", "_GasteigerHCharge")
    found = np.array([list(map(Chem.Atom.GetDoubleProp, atoms, repeat(name))) for name in names])
    return np.where(np.isfinite(found), found, 0.0).astype(np.float32).T.copy()
