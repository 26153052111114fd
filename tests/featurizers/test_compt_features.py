"""CoMPT's features against what the published code computes, and their corner cases."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from rdkit import Chem
from support.places import FIXTURES

from featurizers import ComptFeaturizer, GroverFeaturizer, PackedMolecules, read_molecule
from featurizers.codes import bond_stereo
from featurizers.common_bonds import has_common_bonds
from featurizers.compt import in_canonical_order
from featurizers.molecule_parts import MoleculeParts

TESTS = Path(__file__).parents[1]
EXTRACT = TESTS / "models" / "fixtures" / "compt"
FULL = FIXTURES / "compt"


@pytest.mark.parametrize("folder", [EXTRACT, FULL], ids=["extract", "full"])
def test_features_are_the_published_ones(folder):
    if not (folder / "inputs.npz").exists():
        pytest.skip("the full set of parity fixtures is not here: set MOLZOO_FIXTURES to its folder")
    inputs = np.load(folder / "inputs.npz", allow_pickle=False)
    smiles = json.loads((folder / "smiles.json").read_text())["smiles"]
    featurizer = ComptFeaturizer()
    for row, (text, n) in enumerate(zip(smiles, inputs["n_atoms"], strict=True)):
        graph = featurizer(text)
        np.testing.assert_array_equal(graph.atom_feats, inputs["node_features"][row, :n, :115])
        distance = graph.pairs.edata["distance"].view(n, n).numpy()
        np.testing.assert_array_equal(np.where(distance < 0, 1e8, distance), inputs["distance"][row, :n, :n])
        feats = torch.cat([graph.bond_feats, torch.zeros(1, 13)])[graph.pairs.edata["bond"]]
        np.testing.assert_array_equal(feats.view(n, n, 13), inputs["edge_features"][row, :n, :n])


def test_what_has_no_column_of_its_own():
    graph = ComptFeaturizer()("[NH3]->[Pt+4]")
    assert graph.bond_feats[0].nonzero().flatten().tolist() == [3, 7]  # a dative bond counts as aromatic; no stereo
    assert torch.isfinite(graph.atom_feats).all()
    assert graph.atom_feats[1, 106] == 1 or graph.atom_feats[1, 101:106].sum() == 1
    assert ComptFeaturizer()("[Fm]").atom_feats[0, 99] == 1
    assert ComptFeaturizer()("[Md]").atom_feats[0, 100] == 1
    assert ComptFeaturizer()("*").atom_feats[0, 100] == 1
    assert ComptFeaturizer()("[O-2]").atom_feats[0, 109] == -0.25


def test_the_molecule_is_left_as_it_was():
    mol = Chem.MolFromSmiles("CCO")
    ComptFeaturizer().encode(mol)
    assert not mol.GetAtomWithIdx(0).HasProp("_GasteigerCharge")


def test_canonical_order_forgets_how_the_molecule_was_written():
    featurizer = ComptFeaturizer(canonical_order=True)
    graphs = [featurizer(smiles) for smiles in ("OCc1ccccc1Cl", "c1ccc(Cl)c(c1)CO", "ClC1=CC=CC=C1CO")]
    for graph in graphs[1:]:
        torch.testing.assert_close(graph.atom_feats, graphs[0].atom_feats)
        assert torch.equal(graph.pairs.edata["distance"], graphs[0].pairs.edata["distance"])
    given, canonical = (ComptFeaturizer(canonical_order=flag).options for flag in (False, True))
    assert given != canonical  # a cache must not mix them


def test_pairs_can_be_left_out():
    packed = PackedMolecules.pack([ComptFeaturizer(pairs=False).encode(Chem.MolFromSmiles("CCO"))])
    assert packed.pairs is None


@pytest.mark.parametrize("smiles", ["C12C3C4C1C5C4C3C25", "OCc1ccccc1Cl", "C/C=C/C1CC1"])
def test_bonds_in_canonical_order_are_read_as_in_the_given_order(smiles):
    parts = MoleculeParts([in_canonical_order(read_molecule(smiles))])
    rings = parts.mols[0].GetRingInfo().NumRings()
    found = [parts.bond_types, bond_stereo(parts), parts.rings[1]]
    assert parts.mols[0].GetRingInfo().NumRings() == rings  # `IsInRing` leaves cubane five of six
    given = read_molecule(smiles).GetBonds()
    assert [list(column) for column in found] == [
        [int(read(bond)) for bond in given] for read in (Chem.Bond.GetBondType, Chem.Bond.GetStereo, Chem.Bond.IsInRing)
    ]


def test_canonical_order_keeps_the_mark_that_spares_reading_bonds_one_by_one():
    assert has_common_bonds(in_canonical_order(read_molecule("OCc1ccccc1Cl")))
    assert not has_common_bonds(in_canonical_order(read_molecule("C/C=C/C")))


@pytest.mark.parametrize("featurizer", [ComptFeaturizer(), GroverFeaturizer()], ids=lambda each: each.name)
def test_rings_are_searched_where_nobody_has(featurizer):
    edited = Chem.MolFromSmiles("CCC1CC1", sanitize=False)
    edited.UpdatePropertyCache()
    whole = featurizer.encode(Chem.MolFromSmiles("CCC1CC1"))
    np.testing.assert_array_equal(featurizer.encode(edited).bonds[:, -1], whole.bonds[:, -1])  # flags
