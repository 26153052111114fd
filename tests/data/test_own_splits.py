"""Splits that users bring along: a column of words, a file of row numbers."""

from __future__ import annotations

import numpy as np
import pytest

from zoo.data import DataError, MoleculeDataset, load


def chains() -> MoleculeDataset:
    """Twenty molecules of two classes."""
    return MoleculeDataset("chains", ["C" * n for n in range(1, 21)], np.arange(20) % 2, ("t",), "classification")


def test_words_for_nothing_in_a_split_column_are_no_part():
    frame = {"smiles": ["CCO", "CN", "CC", "CCC", "C"], "y": [0, 1, 1, 0, 1]}
    data = load({**frame, "split": ["train", "train", "val", "test", "NA"]})
    split = data.split("column")
    assert [part.tolist() for part in split.indices] == [[0, 1], [2], [3]]
    assert any("1 of 5 molecules are in no part" in warning for warning in split.warnings)


INDEX_FILES = {
    "number.json": (b"5", "5 are not parts"),
    "text.json": (b'"abc"', "'abc' are not parts"),
    "nested.json": (b"[[[0], [1]], [[2]], [[3]]]", "list of row numbers"),
    "ragged.json": (b"[[0, [1]], [2], [3]]", "list of row numbers"),
    "truth.json": (b"[[true, false], [2], [3]]", "not bool"),
    "floats.json": (b"[[0.0], [1], [2]]", "whole numbers"),
    "broken.npz": (b"PK\x03\x04zz", "not a JSON or NPZ file"),
    "empty.npz": (b"", "not a JSON or NPZ file"),
}


@pytest.mark.parametrize("name", INDEX_FILES)
def test_mistakes_in_index_files(name, write):
    content, message = INDEX_FILES[name]
    with pytest.raises(DataError, match=message) as caught:
        chains().split(write(name, content))
    assert name in str(caught.value)


def test_an_index_file_may_begin_with_a_byte_order_mark(write):
    path = write("split.json", b"\xef\xbb\xbf[[0, 1], [2], [3]]")
    assert [len(part) for part in chains().split(path).indices] == [2, 1, 1]
