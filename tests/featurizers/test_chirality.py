"""One compound, one number, in whatever order its atoms and neighbours are stored."""

import random

import numpy as np
import pytest
import torch
from rdkit import Chem

import zoo
from featurizers import CanonicalFeaturizer, ComptFeaturizer, GroverFeaturizer
from featurizers import chirality as chirality_room
from featurizers.chirality import cip_slots

COMPOUNDS = [
    "C[C@@H](O)[C@H](N)C(=O)O",
    "C[C@H](N)[C@H](O)c1cccc(O)c1",
    "C[C@H]1CC[C@@H](C)CC1",
    "O[C@H]1[C@H](O)[C@@H](O)[C@H](O)[C@H](O)[C@@H]1O",
    "C[C@@]12CCCC[C@H]1CCCC2",
    "C[S@](=O)CC/C=C/[C@@H](F)Cl",
    "C[P@](=O)(O)CC",
    "CC[N@+](C)(CC=C)c1ccccc1",
    "F[C@]12CC[C@](Cl)(CC1)CC2",
    "O[C@H](C)[C@@H](O)[C@@H](C)O",
]


def orders(smiles, count=12):
    generator, mol = random.Random(0), Chem.MolFromSmiles(smiles)
    for _ in range(count):
        order = list(range(mol.GetNumAtoms()))
        generator.shuffle(order)
        yield Chem.RenumberAtoms(mol, order)
        yield Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)


@pytest.mark.parametrize("smiles", COMPOUNDS)
@pytest.mark.parametrize(
    "featurizer",
    [GroverFeaturizer(), CanonicalFeaturizer(), ComptFeaturizer(pairs=False)],
    ids=lambda featurizer: featurizer.name,
)
def test_atoms_and_bonds_do_not_depend_on_the_order(featurizer, smiles):
    def rows(molecule):
        graph = featurizer(molecule)
        return [sorted(table.double().numpy().round(4).tolist()) for table in (graph.atom_feats, graph.bond_feats)]

    expected = rows(smiles)
    for molecule in orders(smiles):
        for got, wanted in zip(rows(molecule), expected, strict=True):
            np.testing.assert_allclose(got, wanted, atol=2e-4)


@pytest.mark.parametrize("model", ["grover", "dmpnn"])
def test_predictions_do_not_depend_on_the_order(model):
    learner = zoo.build(model)
    learner.model.eval()
    for smiles in COMPOUNDS[:3]:
        molecules = [smiles, *orders(smiles, 4)]
        np.testing.assert_allclose(learner.predict(molecules), learner.predict(smiles).repeat(9, 0), atol=1e-5)


@pytest.mark.parametrize(
    ("smiles", "slots"),
    [
        ("C[C@@H](O)[C@H](N)C(=O)O", [1, 2]),
        ("C[C@H]1CC[C@H](C)CC1", [3, 3]),
        ("C[C@H]1CC[C@@H](C)CC1", [4, 4]),
        ("N[C@](F)(Cl)Br", [2]),
        ("N[C@@](F)(Cl)Br", [1]),
        ("CC(O)N", []),
    ],
)
def test_slots_are_cip_labels(smiles, slots):
    found = cip_slots(Chem.MolFromSmiles(smiles))
    assert found[found > 0].tolist() == slots
    columns = GroverFeaturizer()(smiles).atom_feats[:, 114:119].argmax(1)
    assert columns.tolist() == found.tolist()


def test_mirror_images_differ():
    one, other = (GroverFeaturizer()(smiles).atom_feats for smiles in ("C[C@@H](O)N", "C[C@H](O)N"))
    assert not torch.equal(one, other)


def test_the_published_tag_is_an_option():
    published = GroverFeaturizer(chirality="published")
    tags = {published(molecule).atom_feats[:, 114:119].argmax(1).max().item() for molecule in orders(COMPOUNDS[0])}
    assert tags <= {1, 2}
    for smiles in COMPOUNDS:
        expected = [int(atom.GetChiralTag()) for atom in Chem.MolFromSmiles(smiles).GetAtoms()]
        assert published(smiles).atom_feats[:, 114:119].argmax(1).tolist() == expected
    assert published.options != GroverFeaturizer().options
    assert GroverFeaturizer(**GroverFeaturizer.legacy_defaults).chirality == "published"
    with pytest.raises(ValueError, match="choose 'cip' or 'published'"):
        GroverFeaturizer(chirality="RS")


def test_a_molecule_that_takes_too_long_to_name_has_no_labels(monkeypatch):
    monkeypatch.setattr(chirality_room, "MOST_STEPS", 1)
    mol = Chem.MolFromSmiles("C[C@H]1CC[C@@H](C)CC1")
    assert not cip_slots(mol).any()
    assert not mol.GetAtomWithIdx(1).HasProp("_CIPCode")


def test_only_tagged_atoms_need_a_look():
    mol = Chem.MolFromSmiles("C[C@@H](O)[C@H](N)C(=O)O")
    assert cip_slots(mol, [1, 3]).tolist() == cip_slots(mol).tolist()
