"""Numbers of the user for each atom, behind the features of any featurizer."""

import numpy as np
import pytest
from rdkit import Chem

import featurizers
import zoo

KINDS = [
    featurizers.CanonicalFeaturizer,
    featurizers.ComptFeaturizer,
    featurizers.GroverFeaturizer,
    featurizers.MATFeaturizer,
    featurizers.StructuralFeaturizer,
]
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def numbered(kind, numbers, size=2):
    return type("Numbered", (kind,), {"name": "numbered", "atom_number_size": size, "atom_numbers": numbers})


def masses(self, mol):
    return np.array([[atom.GetMass() / 100, atom.GetIdx() / 100] for atom in mol.GetAtoms()])


@pytest.mark.parametrize("kind", KINDS)
def test_numbers_stand_behind_the_features(kind):
    plain, own = kind(), numbered(kind, masses)()
    assert own.sizes["atom_size"] == plain.sizes["atom_size"] + 2
    for smiles in (ASPIRIN, "C"):
        graph, expected = own(smiles), plain(smiles)
        number = graph.num_atoms.item()
        np.testing.assert_array_equal(graph.atom_feats[:, :-2], expected.atom_feats)
        np.testing.assert_allclose(graph.atom_feats[:, -1], np.arange(number, dtype=np.float32) / np.float32(100))
    assert own.fingerprint != plain.fingerprint


@pytest.mark.parametrize("name", ["gcn", "grover", "dmpnn", "graphormer", "gps", "compt", "mat"])
def test_models_read_them(name, tmp_path):
    featurizer = type(zoo.build(name, device="cpu").featurizer)
    options = zoo.build(name, device="cpu").featurizer.options
    zero = numbered(featurizer, lambda self, mol: np.zeros((mol.GetNumAtoms(), 2)))(**options)
    some = numbered(featurizer, masses)(**options)
    without, with_them = (zoo.build(name, featurizer=each, device="cpu") for each in (zero, some))
    assert not np.array_equal(with_them.predict([ASPIRIN]), without.predict([ASPIRIN]))


def test_a_table_of_numbers_is_looked_up_by_the_canonical_smiles():
    table = {"CCO": [[-0.1], [0.2], [-0.3]]}

    def look_up(self, mol):
        rows = np.array(table[Chem.MolToSmiles(mol)])
        order = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
        return rows[np.argsort(order)]

    featurizer = numbered(featurizers.CanonicalFeaturizer, look_up, 1)()
    np.testing.assert_allclose(featurizer("OCC").atom_feats[:, -1], [-0.3, 0.2, -0.1])
    found = zoo.build("gcn", featurizer=featurizer, device="cpu").predictions(["CCO", "CCN"])
    assert found.failed.tolist() == [False, True]


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        (lambda self, mol: np.zeros((mol.GetNumAtoms(), 1)), r"atom_numbers gave \(3, 1\) for 3 atoms"),
        (lambda self, mol: np.full((mol.GetNumAtoms(), 2), np.nan), "a number that is not finite"),
        (lambda self, mol: np.array(["a"]), "could not convert"),
    ],
)
def test_numbers_that_do_not_fit_are_a_reason(numbers, reason):
    with pytest.raises(featurizers.InvalidMolecule, match=reason):
        numbered(featurizers.CanonicalFeaturizer, numbers)()("CCO")
