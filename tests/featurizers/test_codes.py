"""Codes read property by property equal those read atom by atom and bond by bond, on molecules of every kind."""

from collections.abc import Callable

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem.rdchem import BondStereo

import zoo
from featurizers import (
    CanonicalFeaturizer,
    ChempropFeaturizer,
    ComptFeaturizer,
    Featurizer,
    GroverFeaturizer,
    MATFeaturizer,
    PackedMolecules,
    StructuralFeaturizer,
    read_molecule,
)
from featurizers.canonical import ELEMENT_SLOTS, STEREO_SLOTS
from featurizers.codes import bond_stereo, charges, hybridizations, isotope_columns, radical_electrons
from featurizers.common_bonds import has_common_bonds
from featurizers.molecule_parts import MoleculeParts
from featurizers.one_hot import BOND_TYPE_SLOTS, HYBRIDIZATION_SLOTS, NO_SLOT
from featurizers.together import encode_together

# fmt: off
ODD = [
    "[Na+].[Cl-]", "C", "[13CH4]", "[238U]", "N->B", "CN->[Pt](Cl)(Cl)<-NC", "[O-][N+](=O)c1ccccc1", "[Fe+2]", "[CH3]",
    "*C", "C[S@](=O)c1ccccc1", "F/C=C/F", "F/C=C\\F", "O=[U](=O)", "[2H]C([3H])Cl", "P(F)(F)(F)(F)F", "[Rn]", "C$C",
    "S(F)(F)(F)(F)(F)F", "[CH3:1][OH:2]", "[Pt@SP1](F)(Cl)(Br)I", "C[C@@H]1CC[C@H](C)CC1", "[Po-4]", "[C-]#[O+]",
    "[B-](F)(F)(F)F", "C[Hg]C", "C12C3C4C1C5C2C3C45", "CN(=O)=O", "C[Mg]Cl", "[Zn](C)C", "c1cc[se]c1", "C:C", "CC~CC",
]
# fmt: on
SMILES = [*zoo.data.load("b3db").smiles[::25], *ODD]
TOGETHER = [
    GroverFeaturizer(pairs=True, path_length=2),
    CanonicalFeaturizer(hydrogens="atoms"),
    ComptFeaturizer(canonical_order=True),
    MATFeaturizer(pairs=True),
    ChempropFeaturizer(),
    StructuralFeaturizer(num_vectors=2),
]


def at_most(value: int, highest: int) -> int:
    return value if value <= highest else NO_SLOT


def canonical_atom(atom: Chem.Atom) -> tuple[int, ...]:
    return (
        ELEMENT_SLOTS.get(atom.GetAtomicNum(), NO_SLOT),
        at_most(atom.GetDegree(), 10),
        at_most(atom.GetNumImplicitHs(), 6),
        HYBRIDIZATION_SLOTS.get(atom.GetHybridization(), NO_SLOT),
        at_most(atom.GetTotalNumHs(), 4),
        min(max(atom.GetFormalCharge() + 128, 0), 255),
        atom.GetNumRadicalElectrons(),
        atom.GetIsAromatic(),
    )


def canonical_bond(bond: Chem.Bond) -> tuple[int, ...]:
    return (
        BOND_TYPE_SLOTS.get(bond.GetBondType(), NO_SLOT),
        STEREO_SLOTS.get(bond.GetStereo(), NO_SLOT),
        bond.GetIsConjugated() | bond.IsInRing() << 1,
    )


def grover_bond(bond: Chem.Bond) -> tuple[int, ...]:
    return (
        *sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())),
        BOND_TYPE_SLOTS.get(bond.GetBondType(), NO_SLOT),
        min(int(bond.GetStereo()), 6),
        bond.GetIsConjugated() | bond.IsInRing() << 1,
    )


def grover_charge(charge: int) -> int:
    return {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, -1: 5, -2: 4, -3: 3}.get(charge, 5)


def grover_atom(atom: Chem.Atom) -> tuple[int, ...]:
    sizes = [len(ring) for ring in atom.GetOwningMol().GetRingInfo().AtomRings() if atom.GetIdx() in ring]
    return (
        atom.GetAtomicNum(),
        min(atom.GetDegree() + atom.GetTotalNumHs(), 6),
        grover_charge(atom.GetFormalCharge()),
        min(atom.GetTotalNumHs(), 5),
        HYBRIDIZATION_SLOTS.get(atom.GetHybridization(), 5),
        min(atom.GetNumImplicitHs(), 7),
        sum({1 << (size - 3) for size in sizes if size <= 8}),
        atom.GetIsotope() & 255,
        atom.GetIsotope() >> 8,
    )


def mat_atom(atom: Chem.Atom) -> tuple[int, ...]:
    elements = [5, 6, 7, 8, 9, 15, 16, 17, 35, 53]
    number = atom.GetAtomicNum()
    return (
        elements.index(number) if number in elements else 10,
        min(atom.GetDegree(), 5),
        min(atom.GetTotalNumHs(), 4),
        atom.GetFormalCharge() + 128,
        atom.IsInRing(),
        atom.GetIsAromatic(),
    )


def compt_atom(atom: Chem.Atom) -> tuple[int, ...]:
    return (
        atom.GetAtomicNum() - 1 if 1 <= atom.GetAtomicNum() <= 100 else 100,
        HYBRIDIZATION_SLOTS.get(atom.GetHybridization(), 5),
        atom.GetTotalNumHs(includeNeighbors=True),
        atom.GetDegree(),
        atom.GetFormalCharge() + 128,
        atom.GetTotalValence(),
        atom.GetIsAromatic() | atom.IsInRing() << 1,
    )


def compt_bond(bond: Chem.Bond) -> tuple[int, ...]:
    names = ["STEREOANY", "STEREOCIS", "STEREOE", "STEREONONE", "STEREOTRANS", "STEREOZ"]
    return (
        BOND_TYPE_SLOTS.get(bond.GetBondType(), 3),
        names.index(bond.GetStereo().name) if bond.GetStereo().name in names else 5,
        bond.GetIsConjugated() | bond.GetIsAromatic() << 1 | bond.IsInRing() << 2,
    )


def rows(parts: list, code: Callable, width: int) -> np.ndarray:
    return np.array([code(part) for part in parts], dtype=np.int64).reshape(len(parts), width)


def readable(featurizer: Featurizer) -> list[tuple[Chem.Mol, object]]:
    with_codes = []
    for smiles in SMILES:
        mol = featurizer.parse(smiles)
        with_codes.append((mol, featurizer.encode(mol)))
    return with_codes


@pytest.mark.parametrize(
    ("featurizer", "atom", "bond"),
    [
        (CanonicalFeaturizer(), canonical_atom, canonical_bond),
        (CanonicalFeaturizer(hydrogens="as_written"), canonical_atom, canonical_bond),
        (CanonicalFeaturizer(hydrogens="atoms"), canonical_atom, canonical_bond),
        (MATFeaturizer(), mat_atom, canonical_bond),
        (ComptFeaturizer(), compt_atom, compt_bond),
    ],
    ids=["canonical", "as_written", "hydrogens", "mat", "compt"],
)
def test_codes_are_those_of_single_atoms_and_bonds(featurizer: Featurizer, atom: Callable, bond: Callable) -> None:
    for mol, found in readable(featurizer):
        np.testing.assert_array_equal(found.atoms, rows(list(mol.GetAtoms()), atom, found.atoms.shape[1]))
        np.testing.assert_array_equal(found.bonds, rows(list(mol.GetBonds()), bond, found.bonds.shape[1]))
        ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
        np.testing.assert_array_equal(found.bond_ends, np.array(ends, dtype=np.uint16).reshape(-1, 2))


def test_codes_of_grover_are_those_of_single_atoms_and_bonds_in_order() -> None:
    for mol, found in readable(GroverFeaturizer()):
        own = found.atoms[:, [0, 1, 2, 4, 5, 6, 8, 9, 10]]
        np.testing.assert_array_equal(own, rows(list(mol.GetAtoms()), grover_atom, 9))
        bonds = sorted(grover_bond(bond) for bond in mol.GetBonds())
        joined = np.concatenate([found.bond_ends, found.bonds], axis=1)
        np.testing.assert_array_equal(joined, np.array(bonds, dtype=np.int64).reshape(-1, 5))


@pytest.mark.parametrize("smiles", SMILES)
def test_what_is_read_at_once_equals_what_is_read_one_by_one(smiles: str) -> None:
    parts = MoleculeParts([read_molecule("CC=O"), read_molecule(smiles), read_molecule("c1ccccc1[O-]")])
    atoms, bonds = (
        [part for mol in parts.mols for part in read(mol)] for read in (Chem.Mol.GetAtoms, Chem.Mol.GetBonds)
    )
    assert list(parts.bond_types) == [int(bond.GetBondType()) for bond in bonds]
    assert list(bond_stereo(parts)) == [int(bond.GetStereo()) for bond in bonds]
    assert list(hybridizations(parts)) == [int(atom.GetHybridization()) for atom in atoms]
    assert list(parts.degrees) == [atom.GetDegree() for atom in atoms]
    assert list(parts.rings[0]) == [atom.IsInRing() for atom in atoms]
    assert list(charges(parts)) == [atom.GetFormalCharge() + 128 for atom in atoms]
    assert list(radical_electrons(parts)) == [atom.GetNumRadicalElectrons() for atom in atoms]
    low, high = isotope_columns(parts)
    assert [a + 256 * b for a, b in zip(low, high, strict=True)] == [atom.GetIsotope() for atom in atoms]


@pytest.mark.parametrize("featurizer", TOGETHER, ids=lambda featurizer: featurizer.name)
def test_molecules_that_are_encoded_together_are_those_that_are_encoded_alone(featurizer: Featurizer) -> None:
    mols = [featurizer.parse(smiles) for smiles in [*SMILES, "C" * 70]]
    alone = PackedMolecules.pack([featurizer.encode(mol) for mol in mols]).arrays()
    together = featurizer.encode_all(mols).arrays()
    assert together.keys() == alone.keys()
    for name, found in together.items():
        assert found.dtype == alone[name].dtype, name
        np.testing.assert_array_equal(found, alone[name], err_msg=name)


def test_a_molecule_that_cannot_be_encoded_does_not_hinder_those_next_to_it() -> None:
    class Refusing(CanonicalFeaturizer):
        def own_arrays(self, mol: Chem.Mol, bond_ends: np.ndarray) -> dict[str, np.ndarray]:
            if mol.GetNumAtoms() == 2:
                raise ValueError("two atoms")
            return {"molecule.size": np.array([mol.GetNumAtoms()])}

    (encoded,) = encode_together([Refusing()], enumerate(["C", "CC", "C(", "CCC"]))
    assert encoded.places == [0, 3]
    assert encoded.packed.extra["molecule.size"].tolist() == [[1], [3]]
    assert encoded.failed[1].reason == "its features cannot be computed: two atoms"
    assert "not a SMILES" in encoded.failed[2].reason


def test_a_changed_copy_is_read_bond_by_bond() -> None:
    mol = read_molecule("CC=CC")
    assert has_common_bonds(mol)
    changed = Chem.Mol(mol)
    changed.GetBondWithIdx(1).SetStereo(BondStereo.STEREOANY)
    assert not has_common_bonds(changed)
    assert list(CanonicalFeaturizer().encode(changed).bonds[:, 1]) == [0, 1, 0]
