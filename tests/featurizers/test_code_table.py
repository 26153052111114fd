"""Features copied from a table are those that the featurizers compute, whatever the codes."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.graphs import needs_dgl

from featurizers import CanonicalFeaturizer, ComptFeaturizer, GroverFeaturizer, PackedMolecules, StructuralFeaturizer
from featurizers.backend import dgl
from featurizers.batched_graph import batched_graph
from featurizers.code_table import CAPACITY, CodeTable, _KnownCodes
from featurizers.packed import MoleculeArrays

# Featurizer, columns of an atom's and of a bond's code, columns of an atom's that stay below 119 (the elements).
FEATURIZERS = [
    (GroverFeaturizer(), 11, 3),
    (CanonicalFeaturizer(), 8, 3),
    (CanonicalFeaturizer(self_loop=True), 8, 3),
    (ComptFeaturizer(pairs=False), 7, 3),
    (StructuralFeaturizer(walk_steps=2, num_vectors=1), 8, 3),
]
NO_SLOT = 255


def identical(first, second):
    assert first.dtype == second.dtype
    assert first.shape == second.shape
    assert first.tobytes() == second.tobytes()


def codes_of(width, highest):
    """Codes of a batch, many of them alike: rows are drawn from a few."""
    few = arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(width)), elements=st.sampled_from(highest))
    return few.flatmap(
        lambda kinds: st.lists(st.integers(0, len(kinds) - 1), max_size=40).map(
            lambda rows: kinds[np.array(rows, dtype=np.int64)]
        )
    )


# Featurizers live on from one example to the next: their tables know more and more.
@pytest.mark.parametrize(("featurizer", "atom_width", "bond_width"), FEATURIZERS, ids=lambda f: getattr(f, "name", ""))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_features_are_the_computed_ones(featurizer, atom_width, bond_width, data):
    atoms = data.draw(codes_of(atom_width, [0, 1, 2, 3, 4, 5, 6, 17, 92, 118, NO_SLOT]))
    atoms[:, :7] = np.where(atoms[:, :7] > 4, NO_SLOT, atoms[:, :7])
    if featurizer.name == "grover":  # its slots always name a column; elements and isotopes are any
        atoms[:, 1:7] = np.minimum(atoms[:, 1:7], 4)
        atoms[:, 0] = np.minimum(data.draw(st.integers(0, 118)) + atoms[:, 0] % 5, 118)
    bonds = data.draw(codes_of(bond_width, [0, 1, 2, 3, NO_SLOT]))
    for _ in range(2):  # the second time, all of them are known
        identical(featurizer.atom_features(atoms), featurizer.expand_atoms(atoms))
        identical(featurizer.bond_features(bonds), featurizer.expand_bonds(bonds).repeat(2, axis=0))


@settings(max_examples=60, deadline=None)
@given(
    codes=arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.int64, np.float32]),
        st.tuples(st.integers(0, 30), st.integers(0, 21)),
        elements=st.sampled_from([0, 1, 2]),
    )
)
def test_codes_of_any_width_and_type(codes):
    table = CodeTable(lambda codes: codes.astype(np.float64) ** 2 - 1)
    table(codes[::2])
    identical(table(codes), codes.astype(np.float64) ** 2 - 1)
    assert len(table) <= len(np.unique(codes, axis=0))


def test_floats_are_told_apart_by_their_bytes():
    codes = np.array([[0.0, 1], [-0.0, 1], [np.nan, 1], [np.nan, 1]])
    table = CodeTable(lambda codes: np.copysign(1.0, codes))
    for _ in range(3):
        identical(table(codes), np.copysign(1.0, codes))
    assert len(table) == 3


def test_codes_that_differ_in_their_highest_bits_get_slots_of_their_own():
    codes = (np.eye(24, dtype=np.uint8) << 7)[:, ::-1]
    table = CodeTable(lambda codes: codes * 0.5)
    table(codes)
    assert len(table) == 24
    assert len(table._known.slots) <= 24**2


def test_a_shared_slot_is_noticed():
    known = _KnownCodes.index(np.array([[1, 2]], np.uint8), np.array([[3.0]]))
    codes = np.arange(600, dtype=np.uint8).reshape(-1, 2)
    assert not known.match(known.find(codes), codes)
    assert known.match(known.find(known.codes), known.codes)


def test_a_full_table_stays_as_large_as_it_is_and_right():
    codes = np.random.default_rng(0).integers(0, 256, size=(5 * CAPACITY, 11), dtype=np.uint8)
    table = CodeTable(lambda codes: codes * np.float32(0.5))
    for start in range(0, len(codes), 500):
        identical(table(codes[start : start + 500]), codes[start : start + 500] * np.float32(0.5))
    assert len(table) == CAPACITY
    assert len(table._known.slots) <= CAPACITY**2
    identical(table(codes), codes * np.float32(0.5))


def test_known_codes_are_not_expanded_again():
    asked = []
    table = CodeTable(lambda codes: asked.append(len(codes)) or codes)
    codes = np.array([[1, 2], [3, 4], [1, 2]], dtype=np.uint8)
    table(codes)
    asked.clear()
    for _ in range(3):
        table(codes[::-1])
    assert asked == []


def test_results_are_the_callers_own():
    table = CodeTable(lambda codes: codes * 1.0)
    codes = np.array([[1, 2]], dtype=np.uint8)
    for _ in range(3):
        found = table(codes)
        assert found.tolist() == [[1, 2]]
        found[:] = 9


def test_copies_start_empty_and_belong_to_the_copy():
    featurizer = GroverFeaturizer()
    featurizer("CCO")
    assert len(featurizer._atom_table) == 3
    for other in (pickle.loads(pickle.dumps(featurizer)), copy.deepcopy(featurizer)):
        assert len(other._atom_table) == 0
        assert other._atom_table.expand.__self__ is other
        assert torch.equal(other("CCO").atom_feats, featurizer("CCO").atom_feats)


def test_threads_share_a_table():
    table = CodeTable(lambda codes: codes * np.float32(0.5))
    batches = [np.random.default_rng(n).integers(0, 4, size=(200, 5), dtype=np.uint8) for n in range(40)]
    with ThreadPoolExecutor(8) as threads:
        for codes, feats in zip(batches, threads.map(table, batches), strict=True):
            identical(feats, codes * np.float32(0.5))


@needs_dgl
def test_a_graph_is_the_one_that_dgl_makes():
    source, destination = np.array([0, 1, 2, 3]), np.array([1, 0, 3, 2])
    feats = torch.arange(6.0).view(6, 1)
    sizes, bonds = np.array([2, 3, 1], dtype=np.int32), np.array([2, 2, 0], dtype=np.int32)
    made = batched_graph((source, destination), sizes, bonds, {"feat": feats}, {"feat": feats[:4]})
    expected = dgl.graph((torch.from_numpy(source), torch.from_numpy(destination)), num_nodes=6)
    assert [ends.tolist() for ends in made.edges()] == [ends.tolist() for ends in expected.edges()]
    assert (made.idtype, made.device, made.num_nodes()) == (expected.idtype, expected.device, 6)
    assert (made.ntypes, made.canonical_etypes) == (expected.ntypes, expected.canonical_etypes)
    assert made.formats() == expected.formats()
    assert torch.equal(made.in_degrees(), expected.in_degrees())
    assert [part.num_nodes() for part in dgl.unbatch(made)] == [2, 3, 1]
    assert torch.equal(dgl.unbatch(made)[1].ndata["feat"], feats[2:5])
    assert made.batch_num_edges().dtype == torch.int64


def test_bonds_of_atoms_that_do_not_exist_are_refused_when_a_molecule_is_written():
    atoms, bonds = np.zeros((2, 1), np.uint8), np.zeros((1, 1), np.uint8)
    with pytest.raises(ValueError, match="a bond of atom 2 in a molecule of 2"):
        MoleculeArrays(atoms=atoms, bonds=bonds, bond_ends=np.array([[0, 2]], np.uint16))


def test_offsets_are_computed_when_they_are_needed():
    featurizer = GroverFeaturizer()
    packed = PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles)) for smiles in ("CCO", "C", "CC")])
    assert "pair_starts" not in vars(packed)
    packed.take([2, 0])
    assert "pair_starts" not in vars(packed)
    assert packed.atom_starts.tolist() == [0, 3, 4, 6]
    assert packed.bond_starts.tolist() == [0, 2, 2, 3]
    assert packed.pair_starts.tolist() == [0, 9, 10, 14]
    with pytest.raises(ValueError, match="atoms of 2 molecules, but bonds of 1"):
        PackedMolecules(packed.num_atoms[:2], packed.num_bonds[:1], packed.atoms, packed.bonds, packed.bond_ends)
