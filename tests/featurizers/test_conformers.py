"""Conformers, and the features of MAT that read them."""

import logging

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.Chem import AllChem, rdDistGeom, rdMolTransforms

from featurizers import InvalidMolecule, MATFeaturizer, PackedMolecules
from featurizers.conformer import conformer_positions

CAGE = (  # C60
    "c12c3c4c5c1c1c6c7c2c2c8c3c3c9c4c4c%10c5c5c1c1c6c6c%11c7c2c2c7c8c3c3c8c"
    "9c4c4c9c%10c5c5c1c1c6c6c%11c2c2c7c3c3c8c4c4c9c5c1c1c6c2c3c41"
)
SMILES = ["CC(=O)Oc1ccccc1C(=O)O", "C", "CC[NH3+].[Cl-]", "F/C=C/Cl", "C[C@H](N)C(=O)O", "C1CC2CCC1CC2", "*c1ccncc1"]


def distances(positions):
    return np.linalg.norm(positions[:, None] - positions[None], axis=2)


@pytest.mark.parametrize("smiles", SMILES)
def test_the_same_molecule_has_the_same_conformer_in_any_order_of_its_atoms(smiles):
    mol = Chem.MolFromSmiles(smiles)
    expected, ranks = distances(conformer_positions(mol)), list(Chem.CanonicalRankAtoms(mol, breakTies=False))
    random = np.random.default_rng(0)
    for _ in range(3):
        order = random.permutation(mol.GetNumAtoms()).tolist()
        found = distances(conformer_positions(Chem.RenumberAtoms(mol, order)))
        if len(set(ranks)) == len(ranks):  # no symmetry that exchanges atoms
            np.testing.assert_array_equal(found, expected[np.ix_(order, order)])
        np.testing.assert_array_equal(np.sort(found, axis=None), np.sort(expected, axis=None))


def test_distances_are_those_of_chemistry():
    positions = conformer_positions(Chem.MolFromSmiles("C=CC#N"))
    found = distances(positions)
    for pair, length in {(0, 1): 1.34, (1, 2): 1.43, (2, 3): 1.16}.items():
        assert abs(found[pair] - length) < 0.06
    mol = Chem.MolFromSmiles(r"F/C=C\Cl")  # Z
    mol.AddConformer(Chem.Conformer(4))
    for atom, place in enumerate(conformer_positions(mol).tolist()):
        mol.GetConformer().SetAtomPosition(atom, place)
    assert abs(rdMolTransforms.GetDihedralDeg(mol.GetConformer(), 0, 1, 2, 3)) < 5


def test_as_rdkit_embeds_it():
    smiles = Chem.MolToSmiles(Chem.MolFromSmiles(SMILES[0]))
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    options = rdDistGeom.ETKDGv3()
    options.randomSeed = 5
    assert rdDistGeom.EmbedMolecule(mol, options) == 0
    AllChem.UFFOptimizeMolecule(mol)
    expected = mol.GetConformer().GetPositions()[:13]
    found = conformer_positions(Chem.MolFromSmiles(smiles), seed=5)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)
    other = conformer_positions(Chem.MolFromSmiles(smiles), seed=6)
    assert np.abs(distances(other) - distances(found)).max() > 0.01


@pytest.mark.parametrize(
    ("smiles", "reason"), [(CAGE, "no conformer"), ("NCC(=O)" * 40, "160 heavy atoms, more than the 150")]
)
def test_a_molecule_without_a_conformer_is_named_and_depicted(smiles, reason, caplog):
    mol = Chem.MolFromSmiles(smiles)
    with caplog.at_level(logging.WARNING):
        positions = conformer_positions(mol)
    assert Chem.MolToSmiles(mol) in caplog.text
    assert reason in caplog.text
    assert "two-dimensional depiction" in caplog.text
    assert np.abs(positions[:, 2]).max() == 0
    assert distances(positions)[np.triu_indices(len(positions), 1)].min() > 0.1
    with pytest.raises(InvalidMolecule, match=reason):
        MATFeaturizer(pairs=True, conformers=True, depict_failures=False)(smiles)


def test_a_batch_holds_the_distances_of_each_molecule():
    featurizer = MATFeaturizer(pairs=True, conformers=True)
    graph = featurizer.collate(PackedMolecules.pack([featurizer.encode(featurizer.parse(s)) for s in SMILES]))
    assert graph.atom_feats.shape[1] == featurizer.atom_size == 25
    expected = [distances(conformer_positions(Chem.MolFromSmiles(s))).reshape(-1) for s in SMILES]
    np.testing.assert_allclose(graph.pairs.edata["distance_3d"], np.concatenate(expected), rtol=1e-5, atol=1e-6)
    plain = MATFeaturizer(pairs=True)(SMILES[0])
    assert torch.equal(plain.atom_feats, featurizer(SMILES[0]).atom_feats)
    assert "distance_3d" not in plain.pairs.edata


@pytest.mark.parametrize(
    ("smiles", "atom", "columns"),
    [
        ("C[N+](C)(C)C", 1, [2, 15, 17, 22]),  # nitrogen, four neighbours, no hydrogen, charge 1
        ("CC([O-])=O", 2, [3, 12, 17, 22]),
        ("c1cc[nH]c1", 3, [2, 13, 18, 23, 24]),  # in a ring, aromatic
        ("C[Si](C)(C)C", 1, [10, 15, 17]),  # an element without a column of its own
        ("FS(F)(F)(F)(F)F", 1, [6, 16, 17]),  # six neighbours count as five
        ("Br", 0, [8, 11, 18]),
    ],
)
def test_columns(smiles, atom, columns):
    row = MATFeaturizer()(smiles).atom_feats[atom]
    assert row.nonzero().flatten().tolist() == columns
    if 22 in columns:
        assert row[22] == (1 if "+" in smiles else -1)


def test_charges_as_categories():
    featurizer = MATFeaturizer(one_hot_charge=True)
    assert featurizer.atom_size == 27
    for smiles, column in (("[O-]C", 22), ("OC", 23), ("[NH3+]C", 24), ("[Fe+2]", 24)):
        assert featurizer(smiles).atom_feats[0, 22:25].nonzero().flatten().tolist() == [column - 22]


def test_options_are_part_of_the_key_of_a_cache():
    keys = [
        MATFeaturizer(pairs=True).options,
        MATFeaturizer(pairs=True, conformers=True).options,
        MATFeaturizer(pairs=True, conformers=True, conformer_seed=1).options,
        MATFeaturizer(pairs=True, conformers=True, conformer_largest=20).options,
    ]
    assert all(one != other for place, one in enumerate(keys) for other in keys[:place])
    with pytest.raises(ValueError, match="pairs=True"):
        MATFeaturizer(conformers=True)


def test_hydrogens_as_atoms_have_places_too():
    graph = MATFeaturizer(pairs=True, conformers=True, hydrogens="atoms")("C")
    lengths = graph.pairs.edata["distance_3d"].view(5, 5)
    assert (lengths[0, 1:] - 1.09).abs().max() < 0.05
    assert (lengths[1, 2:] - 1.78).abs().max() < 0.05
