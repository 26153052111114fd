"""One molecule, one number: every way of writing a molecule gives the same features, duplicates and predictions."""

import random

import numpy as np
import pytest
import torch
from rdkit import Chem

import zoo
from featurizers import (
    CanonicalFeaturizer,
    ComptFeaturizer,
    FingerprintFeaturizer,
    GroverFeaturizer,
    InvalidMolecule,
    StructuralFeaturizer,
    read_molecule,
)
from featurizers.normalize import is_plain, normalize

MOLECULES = [
    "CCO",
    "CC(=O)Oc1ccccc1C(=O)[O-]",
    "c1cc[nH]c1",
    "C[C@@H](O)[C@H](N)C(=O)O",
    "F/C=C/c1ccc2[nH]ccc2c1",
    "C[N+](C)(C)CC(O)CC(=O)[O-]",
    "CC[C@]12CC[C@H]1CN2",
    "N#Cc1ccncc1.[Na+].[Cl-]",
    "C[CH2]",
    "CS(C)(=O)=O",
    "C[SH](C)C",
    "OB(O)c1ccsc1",
    "O=[N+]([O-])c1ccc[n-]1",
    "C[Si](C)(C)OC",
    "*CC",
    "[2H]C([2H])O",
    "[13CH3][C@H](O)N",
    "[NH4+].[H-].[H+]",
    "[H][H]",
    "[H]/N=C/C",
    "F[P-](F)(F)(F)(F)F",
    "[NH3]->[Cu+2]",
    "[H][Na]",
]
FEATURIZERS = [
    GroverFeaturizer(),
    CanonicalFeaturizer(),
    ComptFeaturizer(canonical_order=True),
    StructuralFeaturizer(walk_steps=3),
]


def numbered(mol):
    mol = Chem.Mol(mol)
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(atom.GetIdx() + 1)
    return mol


def kekulised(mol):
    mol = Chem.Mol(mol)
    Chem.Kekulize(mol, clearAromaticFlags=True)
    return mol


def shuffled(mol):
    order = list(range(mol.GetNumAtoms()))
    random.Random(0).shuffle(order)
    return Chem.RenumberAtoms(mol, order)


def in_space(mol):
    mol = Chem.AddHs(mol)
    mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()), assignId=True)
    mol.SetProp("_Name", "made elsewhere")
    return mol


def fixed_counts(mol):
    mol = Chem.Mol(mol)
    for atom in mol.GetAtoms():
        total = atom.GetTotalNumHs()
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(total)
    return mol


WRITINGS = {
    "maps in text": lambda mol: Chem.MolToSmiles(numbered(mol)),
    "maps in an object": numbered,
    "hydrogens in text": lambda mol: Chem.MolToSmiles(Chem.AddHs(mol)),
    "hydrogens in an object": Chem.AddHs,
    "both": lambda mol: Chem.MolToSmiles(numbered(Chem.AddHs(mol))),
    "brackets": lambda mol: Chem.MolToSmiles(mol, allHsExplicit=True, allBondsExplicit=True),
    "kekulised text": lambda mol: Chem.MolToSmiles(kekulised(mol), kekuleSmiles=True),
    "kekulised object": kekulised,
    "another order": shuffled,
    "another text": lambda mol: Chem.MolToSmiles(mol, doRandom=True),
    "extended text": lambda mol: Chem.MolToCXSmiles(numbered(mol)),
    "mol block": lambda mol: Chem.MolFromMolBlock(Chem.MolToMolBlock(mol), removeHs=False),
    "conformer": in_space,
    "counts without implicit": fixed_counts,
    "never sanitized": lambda mol: Chem.MolFromSmiles(Chem.MolToSmiles(Chem.AddHs(mol)), sanitize=False),
}


def rows(graph):
    """Features of the atoms and of the bonds with their ends, in an order of their own."""
    source, destination = graph.graph.edges()
    atoms = graph.atom_feats.double()
    bonds = torch.cat([graph.bond_feats.double(), atoms[source], atoms[destination]], dim=1)
    return [np.array(sorted(table.round(decimals=4).tolist())) for table in (atoms, bonds)]


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("featurizer", FEATURIZERS, ids=lambda featurizer: featurizer.name)
def test_every_writing_gives_the_same_features(featurizer, writing):
    for smiles in MOLECULES:
        if writing == "mol block" and ("*" in smiles or "->" in smiles or "[CH2]" in smiles):
            continue  # mol blocks write these in another way: a query, a bond, a radical
        mol = Chem.MolFromSmiles(smiles)
        for got, expected in zip(rows(featurizer(WRITINGS[writing](mol))), rows(featurizer(smiles)), strict=True):
            np.testing.assert_allclose(got, expected, atol=2e-4, err_msg=f"{smiles}: {writing}")


@pytest.mark.parametrize("writing", WRITINGS)
def test_every_writing_is_a_duplicate(writing):
    for smiles in MOLECULES:
        if writing == "mol block" and ("*" in smiles or "->" in smiles or "[CH2]" in smiles):
            continue
        written = WRITINGS[writing](Chem.MolFromSmiles(smiles))
        assert Chem.MolToSmiles(read_molecule(written)) == Chem.MolToSmiles(read_molecule(smiles)), smiles


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("[H]*", "[*H]"),
        ("[CH3:3][C@H]([CH3:1])O", "CC(C)O"),
        ("C/C(=C/[CH3:2])[CH3:1]", "CC=C(C)C"),
        ("C[C@H](C)[CH3]", "CC(C)C"),
        ("[H]/C(Cl)=C(/[H])Cl", "Cl/C=C/Cl"),
        ("[H][B-]([H])([H])[H]", "[BH4-]"),
        ("[H]n1cccc1", "C1=CNC=C1"),
        ("[H]N=CC", "CC=N"),
        ("[H]O[H]", "O"),
        ("[PH3]", "P"),
        ("[H]P([H])([H])([H])[H]", "[PH5]"),
        ("[H][Fe]([H])C", "[FeH2]C"),
        ("[H][SH](F)(F)(F)F", "[SH2](F)(F)(F)F"),
        ("CN(=O)=O", "C[N+](=O)[O-]"),
    ],
)
def test_pairs_of_writings(one, other):
    for featurizer in FEATURIZERS:
        for got, expected in zip(rows(featurizer(one)), rows(featurizer(other)), strict=True):
            np.testing.assert_allclose(got, expected, atol=2e-4)


@pytest.mark.parametrize(
    ("smiles", "num_atoms"),
    [("[2H]C", 2), ("[H][H]", 2), ("[H+]", 1), ("[H-].[Na+]", 2), ("[H]", 1), ("[H]/N=C/C", 4), ("[3H]O[H]", 2)],
)
def test_hydrogens_that_are_more_than_a_count_stay_atoms(smiles, num_atoms):
    for written in (smiles, Chem.AddHs(Chem.MolFromSmiles(smiles))):
        assert read_molecule(written).GetNumAtoms() == num_atoms


def test_a_bridging_hydrogen_stays():
    mol = Chem.RWMol(Chem.MolFromSmiles("[Li]~[H]~[Li]", sanitize=False))
    for bond in mol.GetBonds():
        bond.SetBondType(Chem.BondType.ZERO)
    assert read_molecule(mol.GetMol()).GetNumAtoms() == 3


def test_the_molecule_that_was_given_is_left_as_it_was():
    mol = numbered(Chem.AddHs(Chem.MolFromSmiles("CCO")))
    before = mol.ToBinary()
    normalize(mol)
    read_molecule(mol)
    assert mol.ToBinary() == before


def test_plain_texts_need_no_second_look():
    """The cheap test of the text must not let through what `normalize` would change."""
    data = zoo.data.load("b3db").smiles[::40]
    assert sum(map(is_plain, data)) > 0.99 * len(data)
    featurizer = GroverFeaturizer()
    for smiles in filter(is_plain, data):
        mol = Chem.MolFromSmiles(smiles)
        np.testing.assert_array_equal(featurizer.encode(normalize(mol)).atoms, featurizer.encode(mol).atoms)


def test_hydrogens_as_atoms_and_as_written_are_options():
    for text in ("CCO", "[CH3:1][CH2:2][OH:3]", "[H]OCC"):
        assert CanonicalFeaturizer(hydrogens="atoms")(text).num_atoms.tolist() == [9]
    assert GroverFeaturizer(hydrogens="as_written")("[CH4]").atom_feats[0, 133] == 1  # no implicit hydrogen
    assert GroverFeaturizer()("[CH4]").atom_feats[0, 137] == 1
    with pytest.raises(ValueError, match="choose one of 'folded', 'atoms', 'as_written'"):
        GroverFeaturizer(hydrogens="explicit")
    with pytest.raises(InvalidMolecule, match="max_atoms=2"):
        CanonicalFeaturizer(max_atoms=2)("[H]OCC")
    assert len({str(CanonicalFeaturizer(hydrogens=kind).options) for kind in ("folded", "atoms", "as_written")}) == 3


def test_a_molecule_whose_neutral_form_has_no_valence_is_invalid():
    with pytest.raises(InvalidMolecule, match="cannot be standardized"):
        CanonicalFeaturizer(standardize=True).read("F[P-](F)(F)(F)(F)F")


def test_standardized_molecules_are_one_form_too():
    for featurizer in (GroverFeaturizer(standardize=True), CanonicalFeaturizer(standardize=True)):
        for got, expected in zip(rows(featurizer("[Na+].CC(=O)[O-]")), rows(featurizer("CC(=O)O")), strict=True):
            np.testing.assert_array_equal(got, expected)


def test_fingerprints_do_not_see_the_writing():
    bits = [FingerprintFeaturizer()(text).descriptors for text in ("CCO", "[CH3:1][CH2:2][OH:3]", "[H]OC([H])([H])C")]
    assert torch.equal(bits[0], bits[1])
    assert torch.equal(bits[0], bits[2])


@pytest.mark.parametrize("model", ["gcn", "grover", "dmpnn", "compt", "graphormer", "random_forest"])
def test_predictions_and_splits_do_not_see_the_writing(model):
    texts = [smiles for smiles in MOLECULES if "." not in smiles][:8]
    molecules = [Chem.MolFromSmiles(text) for text in texts]
    written = [Chem.MolToSmiles(numbered(Chem.AddHs(mol))) for mol in molecules]
    targets = np.arange(2 * len(texts), dtype=float)
    data = zoo.data.load((texts + written, targets), task="regression")
    learner = zoo.build(model, dataset=data)
    if model == "random_forest":
        learner.fit(data, split=None)
    else:
        learner.model.eval()
    np.testing.assert_allclose(learner.predict(written), learner.predict(texts), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(learner.predict(list(map(Chem.AddHs, molecules))), learner.predict(texts), atol=1e-5)
    assert zoo.data.check(data.to_frame(), smiles_column="smiles", tasks=list(data.task_names)).duplicates == len(texts)
    for rule in ("random", "scaffold"):
        parts = data.split(rule, fractions=(0.5, 0.25, 0.25)).indices
        sides = [{data.canonical_smiles[i] for i in part} for part in parts]
        assert sum(map(len, sides)) == len(set().union(*sides))
