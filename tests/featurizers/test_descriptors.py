import sys

import numpy as np
import pytest
from rdkit import Chem

from featurizers import FingerprintFeaturizer, GroverFeaturizer, RDKit2DDescriptors

SMILES = [
    "*",
    "[Na+]",
    "[H][H]",
    "CC(=O)Oc1ccccc1C(=O)O",
    "C[C@H](N)C(=O)O",
    "[Cl-].[Na+]",
    "CCCCCCCCCCCCCCCC",
    "F[P-](F)(F)(F)(F)F",
]


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    for module in [name for name in sys.modules if name.startswith("descriptastorus")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "descriptastorus", None)
    with pytest.raises(ImportError, match=r"pip install molzoo\[descriptors\]"):
        RDKit2DDescriptors()


@pytest.mark.parametrize("smiles", SMILES[:4])
def test_always_200_fractions(smiles):
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    mol = Chem.MolFromSmiles(smiles)
    values = RDKit2DDescriptors()(mol)
    assert values.shape == (200,)
    assert values.dtype == np.float32
    assert ((values >= 0) & (values <= 1)).all()
    np.testing.assert_array_equal(values, RDKit2DDescriptors()(mol))


def test_molecules_described_together_have_the_values_of_the_package():
    package = pytest.importorskip("descriptastorus.descriptors.rdNormalizedDescriptors", reason="an optional extra")
    mols, generator = [Chem.MolFromSmiles(smiles) for smiles in SMILES], package.RDKit2DNormalized()
    theirs = np.array([generator.processMol(Chem.Mol(mol), "")[1:] for mol in mols], dtype=np.float64)
    theirs = np.nan_to_num(theirs, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    ours = RDKit2DDescriptors()
    np.testing.assert_array_equal(ours.describe_all(mols), theirs)
    np.testing.assert_array_equal(np.stack([ours(mol) for mol in mols]), theirs)


def test_a_descriptor_that_cannot_be_computed_is_zero():
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    mol = Chem.MolFromSmiles("c1ccccc1O")
    descriptors = RDKit2DDescriptors()
    whole = descriptors(mol)
    filled = int(np.flatnonzero(whole)[0])
    descriptors._columns[filled] = (lambda _: 1 / 0, descriptors._columns[filled][1])
    broken = descriptors(mol)
    assert broken[filled] == 0
    np.testing.assert_array_equal(np.delete(broken, filled), np.delete(whole, filled))


@pytest.mark.parametrize("featurizer", [FingerprintFeaturizer, GroverFeaturizer])
def test_a_group_is_encoded_as_its_molecules_are(featurizer):
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    describing = featurizer(descriptors=True)
    mols = [Chem.MolFromSmiles(smiles) for smiles in SMILES[3:]]
    together = describing.encode_all(mols)
    for row, mol in enumerate(mols):
        np.testing.assert_array_equal(together.descriptors[row], describing.encode(mol).descriptors)
