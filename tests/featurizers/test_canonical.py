import numpy as np
import pytest
from rdkit import Chem

from featurizers import CanonicalFeaturizer

MOLECULES = [
    "C",
    "CC(=O)Oc1ccccc1C(=O)O",
    "F/C=C/Cl",
    "C[N+](C)(C)CC(O)CC(=O)[O-]",
    "[NH3]->[Cu+2]",
    "*c1ccncc1",
    "C[CH2].[O-2]",
    "FS(F)(F)(F)(F)F",
    "[U]",
    "CC(C)(C)[S@@](=O)N",
]


@pytest.fixture(scope="module")
def theirs():
    return pytest.importorskip("dgllife.utils", reason="compares with DGL-LifeSci, which is not installed here")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("smiles", MOLECULES)
def test_equal_to_dgllife(theirs, smiles):
    expected = theirs.smiles_to_bigraph(
        smiles,
        node_featurizer=theirs.CanonicalAtomFeaturizer("feat"),
        edge_featurizer=theirs.CanonicalBondFeaturizer("feat"),
        canonical_atom_order=False,
    )
    got = CanonicalFeaturizer(hydrogens="as_written")(smiles)
    np.testing.assert_array_equal(got.atom_feats, expected.ndata["feat"])
    for ours, theirs in zip(got.graph.edges(), expected.edges(), strict=True):
        assert ours.tolist() == theirs.tolist()
    if expected.num_edges():
        np.testing.assert_array_equal(got.bond_feats, expected.edata["feat"])


def test_the_self_loop_column_is_zero_for_bonds():
    featurizer = CanonicalFeaturizer(self_loop=True, max_atoms=9)
    graph = featurizer("CCO")
    assert graph.bond_feats.shape == (4, featurizer.bond_size) == (4, 13)
    np.testing.assert_array_equal(graph.bond_feats[:, :12], CanonicalFeaturizer()("CCO").bond_feats)
    assert graph.bond_feats[:, 12].sum() == 0


def test_elements_have_the_columns_of_dgllife(theirs):
    numbers = [atom.GetAtomicNum() for atom in map(Chem.Atom, range(1, 119))]
    for number in numbers:
        atom = Chem.Atom(number)
        atom.SetNoImplicit(True)
        mol = Chem.RWMol()
        mol.AddAtom(atom)
        got = CanonicalFeaturizer()(mol.GetMol()).atom_feats[0, :43]
        assert got.tolist() == theirs.atom_type_one_hot(mol.GetAtomWithIdx(0))
