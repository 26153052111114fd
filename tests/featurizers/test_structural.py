import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from threadpoolctl import threadpool_info

from featurizers import CanonicalFeaturizer, PackedMolecules, StructuralFeaturizer
from featurizers.structural import laplacian_vectors, walk_returns
from zoo.data.packing.encoding import encode_chunk

# Rings, cages and chains with symmetry, where eigenvalues repeat.
MOLECULES = [
    "CC(=O)Oc1ccccc1C(=O)O",
    "c1ccccc1",
    "C12C3C4C1C5C2C3C45",
    "C1CC2CCC1CC2",
    "CC(C)(C)C",
    "CCO.CCO",
    "C1CCCCC1.C1CCCCC1",
    "C[N+](C)(C)C.[Cl-]",
    "C1CC1",
    "C",
    "c1ccc2cc3ccccc3cc2c1",
    "C1C2CC3CC1CC(C2)C3",
]


def adjacency_of(mol):
    return Chem.GetAdjacencyMatrix(mol).astype(float)


def bonds_of(mol):
    ends = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    return np.array(ends, dtype=np.uint16).reshape(-1, 2)


def ranks_of(mol):
    return np.array(Chem.CanonicalRankAtoms(mol, breakTies=True))


@pytest.mark.parametrize("smiles", MOLECULES)
@pytest.mark.parametrize("steps", [1, 2, 7, 12])
def test_walk_returns_are_diagonals_of_powers(smiles, steps):
    mol = Chem.MolFromSmiles(smiles)
    adjacency = adjacency_of(mol)
    step = adjacency / np.maximum(adjacency.sum(1, keepdims=True), 1)
    expected = np.stack([np.diag(np.linalg.matrix_power(step, k)) for k in range(1, steps + 1)], 1)
    np.testing.assert_allclose(walk_returns(len(adjacency), bonds_of(mol), steps), expected, atol=1e-12)


@pytest.mark.parametrize("smiles", MOLECULES)
def test_laplacian_vectors_are_eigenvectors_in_order(smiles):
    mol = Chem.MolFromSmiles(smiles)
    adjacency = adjacency_of(mol)
    scale = np.maximum(adjacency.sum(1), 1) ** -0.5
    laplacian = np.eye(len(adjacency)) - scale[:, None] * adjacency * scale
    vectors = laplacian_vectors(len(adjacency), bonds_of(mol), 5, ranks_of(mol))
    exist = min(5, len(adjacency) - 1)
    assert not vectors[:, exist:].any()
    vectors = vectors[:, :exist]
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(exist), atol=1e-10)
    values = np.linalg.eigvalsh(laplacian)[1 : exist + 1]
    np.testing.assert_allclose(laplacian @ vectors, vectors * values, atol=1e-10)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(MOLECULES), st.randoms(use_true_random=False))
def test_another_order_of_atoms_gives_the_same_encodings(smiles, random):
    """As the same set of atoms, and joined to the same neighbours: moments of them are compared, not an order."""
    mol = Chem.MolFromSmiles(smiles)
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)
    featurizer = StructuralFeaturizer(walk_steps=6, num_vectors=4)
    moments = []
    for version in (mol, Chem.RenumberAtoms(mol, order)):
        graph = featurizer(version).graph
        rows = torch.cat([graph.ndata["feat"], graph.ndata["walk_returns"], graph.ndata["laplacian"]], 1).double()
        source, destination = graph.edges()
        moments.append((rows.T @ rows, (rows**3).sum(0), rows[source].T @ rows[destination] ** 2))
    for got, expected in zip(*moments, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


def test_features_are_the_canonical_ones_and_encodings_stay_with_their_atoms():
    featurizer = StructuralFeaturizer(walk_steps=5, num_vectors=3, self_loop=True)
    packed = PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles)) for smiles in MOLECULES])
    batch = featurizer.collate(packed.take([3, 0, 9]))
    parts = [featurizer(MOLECULES[row]) for row in (3, 0, 9)]
    plain = CanonicalFeaturizer(self_loop=True)
    assert torch.equal(batch.atom_feats, torch.cat([plain(MOLECULES[row]).atom_feats for row in (3, 0, 9)]))
    for name, size in (("walk_returns", featurizer.walk_size), ("laplacian", featurizer.laplacian_size)):
        assert batch.graph.ndata[name].shape[1] == size
        assert torch.equal(batch.graph.ndata[name], torch.cat([part.graph.ndata[name] for part in parts]))


def test_options():
    assert "walk_returns" not in StructuralFeaturizer(walk_steps=0)("CC").graph.ndata
    assert StructuralFeaturizer(walk_steps=3).options != StructuralFeaturizer(walk_steps=4).options
    with pytest.raises(ValueError, match="walk_steps=-1"):
        StructuralFeaturizer(walk_steps=-1)


def test_linear_algebra_of_molecules_uses_one_thread():
    seen = []

    class Watched(StructuralFeaturizer):
        def encode(self, mol):
            blas = [library for library in threadpool_info() if library["user_api"] == "blas"]
            seen.extend(library["num_threads"] for library in blas if "numpy" in library["filepath"])
            return super().encode(mol)

    encode_chunk(Watched(num_vectors=1), (0, ["CCO"]))
    assert seen
    assert set(seen) == {1}
