"""The atom, bond and pair features of CoMPT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import BondStereo
from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

from featurizers.base import Featurizer
from featurizers.one_hot import BOND_TYPE_SLOTS, HYBRIDIZATION_SLOTS, set_flags, set_one_hot, slots_of
from featurizers.packed import MoleculeArrays, PackedMolecules

if TYPE_CHECKING:
    from featurizers.molecule_graph import MoleculeGraph

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

COUNTS, CHARGES, FLAGS = slice(107, 111), slice(111, 113), slice(113, 115)
COUNT_SCALES = np.array([8, 4, 8, 8], dtype=np.float32)  # hydrogens, degree, charge, valence
CHARGE_SHIFT = np.array([0, 0, 128, 0], dtype=np.float32)  # charges are stored in one unsigned byte


class ComptFeaturizer(Featurizer):
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
    atom_size = 115
    bond_size = 13

    def __init__(self, *, canonical_order: bool = False, pairs: bool = True, **options: Any) -> None:
        super().__init__(pairs=pairs, **options)
        self.canonical_order = canonical_order

    def encode(self, mol: Chem.Mol) -> MoleculeArrays:
        """Write the slots, counts and partial charges of every atom and the slots of every bond."""
        mol = in_canonical_order(mol) if self.canonical_order else Chem.Mol(mol)  # a copy: charges are written into it
        ComputeGasteigerCharges(mol)
        charges = np.array([partial_charges(atom) for atom in mol.GetAtoms()], dtype=np.float32)
        bonds = [bond_code(bond) for bond in mol.GetBonds()]
        table = np.array(bonds, dtype=np.int64).reshape(len(bonds), 5)
        return MoleculeArrays(
            atoms=np.array([atom_code(atom) for atom in mol.GetAtoms()], dtype=np.uint8),
            bonds=table[:, 2:].astype(np.uint8),
            bond_ends=table[:, :2].astype(np.uint16),
            pairs=self.relate(mol, table[:, :2]),
            descriptors=self.describe(mol),
            extra={"atoms.charges": charges},
        )

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 7) to features (N, 115), the partial charges 0."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([0, 101]))
        feats[:, COUNTS] = (codes[:, 2:6] - CHARGE_SHIFT) / COUNT_SCALES
        set_flags(feats, codes[:, 6], FLAGS)
        return feats

    def collate(self, packed: PackedMolecules) -> MoleculeGraph:
        """Make one batched graph of encoded molecules, the partial charges in their columns."""
        molecules = super().collate(packed)
        molecules.atom_feats[:, CHARGES] = molecules.graph.ndata.pop("charges")
        return molecules

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, 3) to features (M, 13)."""
        feats = np.zeros((len(codes), self.bond_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([0, 4]))
        set_flags(feats, codes[:, 2], slice(10, 13))
        return feats


def in_canonical_order(mol: Chem.Mol) -> Chem.Mol:
    """The molecule with its atoms numbered as its canonical SMILES lists them."""
    mol = Chem.Mol(mol)
    Chem.MolToSmiles(mol)
    return Chem.RenumberAtoms(mol, list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"]))


def partial_charges(atom: Chem.Atom) -> tuple[float, float]:
    """Gasteiger charges of an atom and of its hydrogens; 0 where there is none."""
    charges = atom.GetDoubleProp("_GasteigerCharge"), atom.GetDoubleProp("_GasteigerHCharge")
    return tuple(charge if np.isfinite(charge) else 0.0 for charge in charges)  # type: ignore[return-value]


def atom_code(atom: Chem.Atom) -> tuple[int, ...]:
    """Element and hybridization slots, hydrogens, degree, charge (shifted), valence, flags (aromatic, in a ring)."""
    number = atom.GetAtomicNum()
    return (
        number - 1 if 1 <= number <= 100 else OTHER_ELEMENT,
        HYBRIDIZATION_SLOTS.get(atom.GetHybridization(), OTHER_HYBRIDIZATION),
        min(atom.GetTotalNumHs(includeNeighbors=True), 255),
        min(atom.GetDegree(), 255),
        min(max(atom.GetFormalCharge() + 128, 0), 255),
        min(atom.GetTotalValence(), 255),
        atom.GetIsAromatic() | atom.IsInRing() << 1,
    )


def bond_code(bond: Chem.Bond) -> tuple[int, int, int, int, int]:
    """Begin atom, end atom, type slot, stereo slot, flags (conjugated, aromatic, in a ring)."""
    return (
        bond.GetBeginAtomIdx(),
        bond.GetEndAtomIdx(),
        BOND_TYPE_SLOTS.get(bond.GetBondType(), OTHER_TYPE),
        STEREO_SLOTS.get(bond.GetStereo(), OTHER_STEREO),
        bond.GetIsConjugated() | bond.GetIsAromatic() << 1 | bond.IsInRing() << 2,
    )
