"""Distances, shortest paths and random walks of atom pairs, against scipy and matrix powers."""

from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from scipy.sparse.csgraph import shortest_path

from featurizers import CanonicalFeaturizer, FingerprintFeaturizer, GroverFeaturizer, PackedMolecules
from featurizers.atom_pairs import pair_ends
from featurizers.pair_blocks import PairBlocks
from featurizers.size_buckets import BUCKET_COST, size_buckets

SMILES = ["C", "CCO", "c1ccc2[nH]ccc2c1", "[Na+].CC(=O)[O-]", "C12C3C4C1C5C2C3C45", "C" * 40, "C1CCCCCCCCC1"]
OPTIONS = {"pairs": True, "path_length": 6, "random_walks": 5}


def pack(featurizer, molecules):
    return PackedMolecules.pack([featurizer.encode(featurizer.parse(molecule)) for molecule in molecules])


def blocks(graph, name):
    """Pair features of every molecule as (n, n, ...)."""
    sizes = graph.num_atoms.tolist()
    parts = graph.pairs.edata[name].split([n * n for n in sizes])
    return [part.view(n, n, *part.shape[1:]).numpy() for n, part in zip(sizes, parts, strict=True)]


@pytest.fixture(scope="module", params=[CanonicalFeaturizer, GroverFeaturizer, FingerprintFeaturizer])
def batch(request):
    featurizer = request.param(**OPTIONS)
    return featurizer.collate(pack(featurizer, SMILES))


def adjacency(smiles):
    return Chem.GetAdjacencyMatrix(Chem.MolFromSmiles(smiles)).astype(float)


def test_pairs_are_the_complete_graphs(batch):
    source, destination = batch.pairs.edges()
    assert batch.pairs.batch_num_nodes().tolist() == batch.num_atoms.tolist()
    start = 0
    expected = []
    for n in batch.num_atoms.tolist():
        expected += [(start + i, start + j) for i in range(n) for j in range(n)]
        start += n
    assert list(zip(source.tolist(), destination.tolist(), strict=True)) == expected


def test_distances_are_those_of_scipy(batch):
    for smiles, got in zip(SMILES, blocks(batch, "distance"), strict=True):
        expected = shortest_path(adjacency(smiles), unweighted=True)
        np.testing.assert_array_equal(got, np.where(np.isinf(expected), -1, expected))


def test_the_bond_of_a_pair_leads_from_its_first_to_its_second_atom(batch):
    first, second = batch.pairs.edges()
    source, destination = batch.graph.edges()
    bond = batch.pairs.edata["bond"]
    some = bond >= 0
    assert torch.equal(some, batch.pairs.edata["distance"] == 1)
    assert torch.equal(source[bond[some]], first[some])
    assert torch.equal(destination[bond[some]], second[some])


def test_paths_are_shortest_paths(batch):
    source, destination = batch.graph.edges()
    first, second = batch.pairs.edges()
    rows = zip(batch.pairs.edata["distance"].tolist(), batch.pairs.edata["path"].tolist(), strict=True)
    for pair, (distance, path) in enumerate(rows):
        bonds = [bond for bond in path if bond >= 0]
        assert path == bonds + [-1] * (6 - len(bonds))
        assert len(bonds) == max(0, min(distance, 6))
        at = int(first[pair])
        for bond in bonds:
            assert int(source[bond]) == at
            at = int(destination[bond])
        if 0 <= distance <= 6:
            assert at == int(second[pair])


def test_walks_are_powers_of_the_transition_matrix(batch):
    for smiles, got in zip(SMILES, blocks(batch, "walk"), strict=True):
        matrix = adjacency(smiles)
        step = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        for power in range(5):
            np.testing.assert_allclose(got[..., power], np.linalg.matrix_power(step, power), atol=1e-7)


@settings(max_examples=15, deadline=None)
@given(st.sampled_from(["c1ccc2[nH]ccc2c1", "C1CC2CCC1C2", "OC1CCC(N)CC1C", "C1CCC1.N"]), st.randoms())
def test_paths_do_not_depend_on_the_order_of_the_atoms(smiles, random):
    mol = Chem.MolFromSmiles(smiles)
    order = list(range(mol.GetNumAtoms()))
    random.shuffle(order)
    featurizer = CanonicalFeaturizer(**OPTIONS)

    def described(molecule):
        graph = featurizer(molecule)
        source, _ = graph.graph.edges()
        feats = torch.cat([graph.bond_feats, graph.atom_feats[source]], dim=1)
        feats = torch.cat([feats, torch.zeros(1, feats.shape[1])])[graph.pairs.edata["path"]]
        return feats.view(len(order), len(order), -1).sum(dim=(0, 1))

    assert torch.equal(described(mol), described(Chem.RenumberAtoms(mol, order)))


def test_what_cannot_be():
    with pytest.raises(ValueError, match="pairs=True"):
        CanonicalFeaturizer(path_length=3)
    with pytest.raises(ValueError, match="at least 0"):
        CanonicalFeaturizer(pairs=True, random_walks=-1)
    without = pack(CanonicalFeaturizer(), ["CCO"])
    with pytest.raises(ValueError, match="encoded without pairs"):
        CanonicalFeaturizer(pairs=True).collate(without)
    assert CanonicalFeaturizer().pair_size == 0
    assert CanonicalFeaturizer()("CCO").pairs is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 150), min_size=1, max_size=8))
def test_no_other_division_into_buckets_costs_less(sizes):
    def cost(buckets):
        return sum(len(bucket) * max(bucket) ** 2 + BUCKET_COST for bucket in buckets)

    ordered = sorted(sizes)
    places = range(1, len(ordered))
    divisions = [
        [ordered[a:b] for a, b in zip((0, *cuts), (*cuts, len(ordered)), strict=True)]
        for count in range(len(ordered))
        for cuts in combinations(places, count)
    ]
    got = size_buckets(np.array(sizes))
    assert sorted(np.concatenate(got).tolist()) == list(range(len(sizes)))
    assert cost([[sizes[i] for i in bucket] for bucket in got]) == min(map(cost, divisions))


def test_the_table_of_pairs_is_small_and_computes_its_ends():
    featurizer = CanonicalFeaturizer(pairs=True, path_length=2)
    batch = featurizer.collate(PackedMolecules.pack([featurizer.read(text) for text in ("CCO", "C", "CC.O")]))
    assert {name: str(feats.dtype) for name, feats in batch.pairs.edata.items()} == {
        "distance": "torch.int16",
        "bond": "torch.int32",
        "path": "torch.int32",
    }
    assert batch.pairs.edata["distance"].min() == -1
    first, second = pair_ends(np.array([3, 1, 3]))
    assert [ends.tolist() for ends in batch.pairs.edges()] == [first.tolist(), second.tolist()]
    assert batch.pairs.batch_num_edges().tolist() == [9, 1, 9]


def test_a_batch_makes_its_blocks_once_and_takes_them_along(monkeypatch):
    graph = CanonicalFeaturizer(pairs=True)("CCO")
    blocks = graph.blocks(1)
    moved = graph.to("meta")
    monkeypatch.setattr(PairBlocks, "of_sizes", None)
    assert graph.blocks(1) is blocks
    assert moved.blocks(1).real.is_meta
    assert moved.sizes.tolist() == [3]
