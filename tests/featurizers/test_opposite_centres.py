"""Labels of centres at opposite ends of a ring: those of the middle of a molecule are those of all of it."""

from itertools import product

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler

from featurizers import GroverFeaturizer, read_molecule
from featurizers.chirality import CIP_SLOTS, cip_slots
from featurizers.opposite_centres import cut_off_far_parts

RINGS = [
    "[C{1}H]%11({0})CC[C{2}H]({3})CC%11", "[C{1}H]%11({0})C[C{2}H]({3})C%11", "[C{1}H]%11({0})OC[C{2}H]({3})CO%11",
    "[C{1}H]%11({0})CCC[C{2}H]({3})CCC%11", "[C{1}]%11(C)({0})CC[C{2}]({3})(CO)CC%11",
    "[C{1}H]%11({0})CN(C)[C{2}H]({3})N(C)C%11", "[C{1}H]%11({0})CC(CCO)(CCO)[C{2}H]({3})C(CCO)(CCO)C%11",
    "[C{1}H]%11({0})C=C[C{2}H]({3})C=C%11",
]  # fmt: skip
SUBSTITUENTS = [
    "O", "N", "F", "C", "C#N", "CC", "OC", "CCO", "CO", "C(=O)O", "C(=O)NC1CCCCC1", "NC(=O)c1ccccc1", "c1ccccc1",
    "c1ccncc1", "c1ccc(Br)cc1", "CCN1CCN(c2ccccc2)CC1", "N1CCC(c2noc3ccccc23)CC1", "C1CC1", "C1CCCCC1", "C(C)(C)C",
    "OCc1ccccc1", "S(=O)(=O)N", "CCCCC", "[N+](C)(C)C", "C=C", "C#CC", "C1(C)CC1", "[13CH3]", "P(=O)(O)O", "COCC",
    "[Si](C)(C)C", "n1cccc1", "CCCc1ccccc1", "C1CCC(CCO)CC1", "C1CCC(O)CC1", "CCC(CC)CC", "c1ccc2ccccc2c1",
]  # fmt: skip


def centres_of(mol: Chem.Mol) -> list[Chem.Atom]:
    return [atom for atom in mol.GetAtoms() if atom.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]


def labels_of_all(mol: Chem.Mol) -> list[int]:
    """The labels of the complete algorithm, however long it takes."""
    mol = Chem.Mol(mol)
    rdCIPLabeler.AssignCIPLabels(mol)
    return [CIP_SLOTS[atom.GetProp("_CIPCode")] if atom.HasProp("_CIPCode") else 0 for atom in mol.GetAtoms()]


def molecules(ring: str, number: int) -> list[Chem.Mol]:
    """Molecules with this ring whose two centres have no label yet, or one of those that RDKit perceives."""
    random, pairs = np.random.default_rng(0), list(product(SUBSTITUENTS, SUBSTITUENTS))
    found = []
    for place in random.choice(len(pairs), number, replace=False):
        first, second = pairs[place]
        tags = random.choice(["@", "@@"], 2)
        found.append(read_molecule(ring.format(first, *tags, second)))
    return [mol for mol in found if len(centres_of(mol)) == 2]


@pytest.mark.parametrize("ring", RINGS)
def test_labels_are_those_of_the_complete_molecule(ring: str) -> None:
    cut, found = 0, set[int]()
    for mol in molecules(ring, 200):
        if all(centre.HasProp("_CIPCode") for centre in centres_of(mol)):
            continue
        labels = cip_slots(mol).tolist()
        assert labels == labels_of_all(mol), Chem.MolToSmiles(mol)
        cut += cut_off_far_parts(mol, centres_of(mol)) is not None
        found |= set(labels)
    assert cut > 15
    assert found >= {3, 4}


@pytest.mark.parametrize(
    "smiles",
    [
        "C[C@H]1CC[C@H](N2CCN(c3ccccc3)CC2)C[C@H]1O",  # three centres
        "O[C@H]1CC[C@@]2(CC1)CCc1ccccc12",  # a ring that shares an atom
        "O[C@H]1C[C@@H](CCN2CCN(c3ccccc3)CC2)CCC1",  # not opposite
        "C/C=C/CN[C@H]1CC[C@H](C(=O)Nc2ccccc2)CC1",  # a label of a bond
        "CCCCCC[C@H]1CC[C@H](CCCCCC(=O)Nc2ccccc2)CC1",  # chains that differ from the ring too late
        "CCCC[C@]1(CCCCO)CC[C@H](C(=O)Nc2ccccc2)CC1",  # chains that differ from each other too late
        "[2H][C@@]1(C)CC[C@H](C(=O)Nc2ccccc2)CC1",  # an isotope decides
        "C[P@]1(=O)CC[P@](=O)(CCCc2ccccc2)CC1",  # no carbon
        "O[C@H]1CC[C@H](O)CC1",  # nothing is far
        "O[C@H]1CCCCCC[C@H](C(=O)Nc2ccccc2)CCCCCC1",  # a large ring
        "O[C@H]1CC[C@H](C(=O)Nc2ccccc2)C[C@@H]1C[C@H](O)CCc1ccccc1",
    ],
)
def test_where_it_is_not_plain_all_of_the_molecule_is_taken(smiles: str) -> None:
    mol = read_molecule(smiles)
    assert cut_off_far_parts(mol, centres_of(mol)) is None


@pytest.mark.parametrize(
    "smiles",
    [
        "ClCN(CCl)[C@]1(n2cccc2)CC[C@H](O)CC1",  # aromatic nitrogen without a double bond
        "FCN(CCl)[C@]1(n2cccc2)CC[C@@H](F)CC1",
        "O[C@H]1CC[C@](N(C(F)(F)F)C(F)(F)F)(n2cccc2)CC1",
        "O[C@H]1CC[C@](P(C(F)(F)F)C(F)(F)F)(p2cccc2)CC1",
        "CC(C)=C(C)N1[C@@H](n2cccc2)N(C(C)=C(C)C)[C@@H]1[Si](C)(C)C",
        "O=c1cccccc1[C@]1(C(=CCF)C(=O)C(F)(F)F)CC[C@H](O)CC1",  # aromatic carbon with a double bond out of its ring
        "C1=CN=C1[C@]1(C(N)N)CC[C@H](O)CC1",  # double bonds of a ring that is not called aromatic
        "C1=CC=CC=CN=C1[C@]1(C(N)N)CC[C@H](O)CC1",
        "[c-]1(cccc1)[C@]1(C(=CCF)CO)CC[C@H](O)CC1",
    ],
)
def test_double_bonds_of_rings_stand_for_averages(smiles: str) -> None:
    mol = read_molecule(smiles)
    assert cip_slots(mol).tolist() == labels_of_all(mol)


def test_rings_that_nobody_has_searched() -> None:
    mol = Chem.RWMol(Chem.MolFromSmiles("O[C@H]1CC[C@H](CCCCC)CC1.CCC"))
    mol.RemoveBond(12, 13)
    assert cip_slots(mol).tolist() == labels_of_all(mol)


def test_features_of_many_molecules_have_these_labels() -> None:
    featurizer, mols = GroverFeaturizer(), molecules(RINGS[0], 40)
    packed = featurizer.encode_all(mols)
    assert packed.num_atoms.tolist() == [mol.GetNumAtoms() for mol in mols]
    labels = np.concatenate([labels_of_all(mol) for mol in mols])
    np.testing.assert_array_equal(featurizer.expand_atoms(packed.atoms)[:, 114:119].argmax(1), labels)


def test_what_takes_the_complete_algorithm_too_long_has_labels() -> None:
    smiles = "O=C(N[C@H]1CC[C@H](CCN2CCN(c3cccc(Cl)c3Cl)CC2)CC1)C12CC3CC(CC(C3)C1)C2"
    mol, mirrored = read_molecule(smiles), read_molecule(smiles.replace("@", "@@"))
    labels = cip_slots(mol)
    assert sorted(labels[labels > 0]) == [3, 3]
    assert labels.tolist() == cip_slots(mirrored).tolist()
