from __future__ import annotations

import json
import os
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featurizers import Featurizer, FingerprintFeaturizer, GroverFeaturizer, PackedMolecules
from zoo.data import DataError, MoleculeLoader, featurize, load
from zoo.data.packing import cache as store
from zoo.data.packing import encoding, mapped_pages, vocabulary
from zoo.data.packing.encoding import encode_chunk

SMILES = ["CCO", "[Na+].[Cl-]", "c1ccccc1", "C", "CC(=O)Oc1ccccc1C(=O)O", "CCO", "[13CH3]C", "*CC", "N#N"] * 3


def assert_same(first: PackedMolecules, second: PackedMolecules) -> None:
    for name in ("num_atoms", "num_bonds", "atoms", "bonds", "bond_ends"):
        one, other = getattr(first, name), getattr(second, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch):
    monkeypatch.setattr(encoding, "CHUNK_SIZE", 4)


@pytest.mark.parametrize("workers", [0, 2])
def test_molecules_keep_their_order_however_they_are_encoded(workers, tmp_path):
    featurizer = GroverFeaturizer()
    expected = PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles)) for smiles in SMILES])
    assert_same(featurize(SMILES, featurizer, num_workers=workers), expected)
    assert_same(featurize(SMILES, featurizer, num_workers=workers, cache_dir=tmp_path), expected)


def test_the_cache_is_used_for_the_same_content_only(tmp_path, featurizer, monkeypatch):
    first = featurize(SMILES, featurizer, cache_dir=tmp_path)
    encode = type(featurizer).encode
    calls = []
    monkeypatch.setattr(type(featurizer), "encode", lambda self, mol: calls.append(mol) or encode(self, mol))
    assert_same(featurize(SMILES, featurizer, cache_dir=tmp_path), first)
    assert not calls
    assert not first.atoms.flags.writeable
    featurize(SMILES[::-1], featurizer, cache_dir=tmp_path)
    assert len(calls) == len(SMILES)
    featurize(SMILES, type(featurizer)(max_atoms=100), cache_dir=tmp_path)
    assert len(calls) == 2 * len(SMILES)
    monkeypatch.setattr(type(featurizer), "version", featurizer.version + 1)
    featurize(SMILES, featurizer, cache_dir=tmp_path)
    assert len(calls) == 3 * len(SMILES)


def test_keys_do_not_confuse_neighbours(featurizer):
    assert store.store_key(["CC", "O"], featurizer) != store.store_key(["C", "CO"], featurizer)


def only_folder(path):
    (folder,) = path.iterdir()
    return folder


def flip_a_byte(folder):
    content = bytearray((folder / "atoms.bin").read_bytes())
    content[3] ^= 1
    (folder / "atoms.bin").write_bytes(content)


def claim_another_key(folder):
    description = json.loads((folder / "store.json").read_text())
    (folder / "store.json").write_text(json.dumps({**description, "key": "0" * 64}))


DAMAGE = {
    "byte": flip_a_byte,
    "short": lambda folder: (folder / "bonds.bin").write_bytes(b"\0"),
    "gone": lambda folder: (folder / "num_atoms.bin").unlink(),
    "no description": lambda folder: (folder / "store.json").unlink(),
    "half a description": lambda folder: (folder / "store.json").write_text('{"format": 1, "ke'),
    "foreign description": lambda folder: (folder / "store.json").write_text("[1, 2]"),
    "foreign key": claim_another_key,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_cache_is_built_anew(damage, tmp_path, featurizer):
    expected = featurize(SMILES, featurizer)
    featurize(SMILES, featurizer, cache_dir=tmp_path)
    DAMAGE[damage](only_folder(tmp_path))
    assert_same(featurize(SMILES, featurizer, cache_dir=tmp_path), expected)
    assert_same(featurize(SMILES, featurizer, cache_dir=tmp_path), expected)
    assert only_folder(tmp_path).name.startswith("element-")


def test_an_interrupted_build_leaves_nothing_behind(tmp_path, featurizer, monkeypatch):
    encode = type(featurizer).encode

    def interrupted(self, mol):
        if mol.GetNumAtoms() == 13:
            raise KeyboardInterrupt
        return encode(self, mol)

    monkeypatch.setattr(type(featurizer), "encode", interrupted)
    with pytest.raises(KeyboardInterrupt):
        featurize(SMILES, featurizer, cache_dir=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_not_read_and_swept_when_old(tmp_path, featurizer):
    featurize(SMILES, featurizer, cache_dir=tmp_path)
    whole = only_folder(tmp_path)
    left = tmp_path / f"{whole.name}.building-killed"
    os.rename(whole, left)
    (left / "atoms.bin").write_bytes(b"half")
    assert_same(featurize(SMILES, featurizer, cache_dir=tmp_path), featurize(SMILES, featurizer))
    assert left.exists()
    an_old_time = time.time() - 3 * store.ONE_DAY
    os.utime(left, (an_old_time, an_old_time))
    flip_a_byte(whole)
    featurize(SMILES, featurizer, cache_dir=tmp_path)
    assert not left.exists()


def test_of_two_builders_the_first_to_finish_wins(tmp_path, featurizer):
    chunks = [encode_chunk(featurizer, (0, SMILES[:5])), encode_chunk(featurizer, (5, SMILES[5:]))]
    folder = tmp_path / "raced"

    def slower():
        yield chunks[0]
        store.build_store(folder, "key", chunks)
        (folder / "mark").touch()
        yield chunks[1]

    store.build_store(folder, "key", slower())
    assert (folder / "mark").exists()
    arrays, invalid = store.open_store(folder, "key")
    assert_same(PackedMolecules(**arrays), featurize(SMILES, featurizer))
    assert invalid == ()
    assert only_folder(tmp_path) == folder


def test_a_cache_that_cannot_be_written(tmp_path, featurizer):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        featurize(SMILES, featurizer, cache_dir=tmp_path / "file")


@pytest.mark.parametrize("cached", [False, True])
def test_unreadable_molecules_keep_their_place(cached, tmp_path, featurizer):
    smiles = ["C(", "", "bad", "x", "CCO", "C(", "CN"]
    packed = featurize(smiles, featurizer, on_invalid="empty", cache_dir=tmp_path if cached else None)
    assert packed.num_atoms.tolist() == [0, 0, 0, 0, 3, 0, 2]
    assert packed.readable.tolist() == [4, 6]
    assert [(entry.row, entry.smiles) for entry in packed.invalid] == [
        (0, "C("),
        (1, ""),
        (2, "bad"),
        (3, "x"),
        (5, "C("),
    ]
    loader = MoleculeLoader(packed, featurizer, indices=packed.readable)
    assert next(iter(loader)).graph.num_atoms.tolist() == [3, 2]
    with pytest.raises(DataError, match="molecule 0 has no atoms"):
        MoleculeLoader(packed, featurizer)
    with pytest.raises(DataError, match=r"molecule 0: 'C\('.*on_invalid='empty'"):
        featurize(smiles, featurizer, cache_dir=tmp_path if cached else None)
    with pytest.raises(DataError, match="none of 2 molecules"):
        featurize(["C(", "x"], featurizer, on_invalid="empty")


@pytest.mark.parametrize("cached", [False, True])
def test_chunks_without_a_readable_molecule_keep_rows_aligned(cached, tmp_path):
    """Features of whole molecules moved up by a chunk of unreadable ones."""
    featurizer = FingerprintFeaturizer(num_bits=16)
    smiles = ["bad"] * 4 + ["CCO", "CN"] + ["bad"] * 8 + ["c1ccccc1"]
    packed = featurize(smiles, featurizer, on_invalid="empty", cache_dir=tmp_path if cached else None)
    assert len(packed.descriptors) == len(packed) == len(smiles)
    for row in (4, 5, 14):
        np.testing.assert_array_equal(packed.descriptors[row], featurizer(smiles[row]).descriptors[0])
    assert np.isnan(packed.descriptors[[0, 8]]).all()


def test_the_row_of_a_dataset_is_named(featurizer):
    data = load(["C(", "CC", "CCCCC"])
    with pytest.raises(DataError, match="list: row 2: 'CCCCC': 5 atoms, more than max_atoms=4"):
        featurize(data, type(featurizer)(max_atoms=4))


def test_wrong_arguments(featurizer):
    with pytest.raises(DataError, match="num_workers=-1"):
        featurize(SMILES, featurizer, num_workers=-1)
    with pytest.raises(DataError, match="no molecules"):
        featurize([], featurizer)
    with pytest.raises(DataError, match="choose 'raise' or 'empty'"):
        featurize(SMILES, featurizer, on_invalid="skip")


class Killed(Featurizer):
    """Ends its process, as the system does when memory is short."""

    name = "killed"
    atom_size = bond_size = 1

    def encode(self, mol):
        os._exit(1)

    def expand_atoms(self, codes):
        return codes

    def expand_bonds(self, codes):
        return codes


def test_a_killed_worker_is_an_error_not_a_hang():
    with pytest.raises(DataError, match="worker process was killed"):
        featurize(SMILES, Killed(), num_workers=1)


def test_progress_is_shown_on_request(featurizer, capsys):
    featurize(SMILES, featurizer, progress=True)
    assert f"{len(SMILES)}/{len(SMILES)}" in capsys.readouterr().err


@settings(max_examples=40, deadline=None)
@given(order=st.lists(st.integers(0, len(SMILES) - 1), min_size=1, max_size=40))
def test_taking_molecules_equals_packing_them(order):
    featurizer = GroverFeaturizer()
    whole = featurize(SMILES, featurizer)
    assert_same(whole.take(order), featurize([SMILES[i] for i in order], featurizer))


def test_pages_of_large_stores_are_let_go_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped_pages, "SMALL_BYTES", 0)
    monkeypatch.setattr(mapped_pages, "MOLECULES_HELD", 10)
    given_back = []
    let_go = mapped_pages.MappedPages.let_go
    monkeypatch.setattr(mapped_pages.MappedPages, "let_go", lambda self: given_back.append(self.used) or let_go(self))
    featurizer = GroverFeaturizer()
    in_memory, stored = featurize(SMILES, featurizer), featurize(SMILES, featurizer, cache_dir=tmp_path)
    for _ in range(3):
        assert_same(stored.take([3, 1, 2, 0]), in_memory.take([3, 1, 2, 0]))
    assert given_back == [12]
    featurize(SMILES, featurizer).take(range(20))
    assert given_back == [12]


def test_small_stores_stay_in_memory(tmp_path):
    assert not featurize(SMILES, GroverFeaturizer(), cache_dir=tmp_path)._pages.maps


def test_a_store_takes_few_bytes_and_gives_the_rows_as_they_were(tmp_path):
    smiles, featurizer = load("b3db").smiles[::60], GroverFeaturizer()
    packed = featurize(smiles, featurizer, cache_dir=tmp_path)
    assert_same(packed, featurize(smiles, featurizer))
    table = packed.atoms.table
    assert len(table) == len(np.unique(table, axis=0)) < 200
    assert sum(file.stat().st_size for file in tmp_path.rglob("*.bin")) - table.nbytes < 250 * len(smiles)
    assert packed.atoms[3, 0] == np.asarray(packed.atoms)[3, 0]


def test_numbers_of_many_different_rows_take_32_bits(tmp_path, monkeypatch):
    featurizer = GroverFeaturizer()
    monkeypatch.setattr(vocabulary, "MOST_IN_16_BITS", 2)
    packed = featurize(SMILES, featurizer, cache_dir=tmp_path)
    assert packed.atoms.numbers.dtype == np.uint32
    assert_same(packed, featurize(SMILES, featurizer))


def test_rows_of_another_width_are_refused():
    words = vocabulary.Vocabulary()
    words.number(np.zeros((2, 3), np.uint8))
    with pytest.raises(TypeError, match="one type and width"):
        words.number(np.zeros((2, 4), np.uint8))
