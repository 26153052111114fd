"""Files that would take all of the memory or time end with one line."""

from __future__ import annotations

import bz2
import gzip
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from zoo.data import DataError, load, stream
from zoo.data.reading import limits

HEAD, TAIL = b"smiles,y\nCCO,1\n", b"CCN,0\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("blank", ["\n", "\r\n", " ", "\t\n"])
def test_a_flood_of_blank_lines_is_refused_at_once(blank, encoding, write):
    content = (HEAD.decode() + blank * 2_000_000 + TAIL.decode()).encode(encoding)
    path = write("blank.csv", content)
    tracemalloc.start()
    with pytest.raises(DataError, match=r"blank bytes in a row.*remove the empty lines"):
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


def test_some_blank_lines_are_no_flood(write):
    assert load(write("few.csv", HEAD + b"\n" * 100_000 + TAIL)).lines.tolist() == [2, 100_003]


@pytest.mark.parametrize("content", [b"C" * 6_000_000, HEAD + b"C" * 6_000_000 + b",1\n" + TAIL])
@pytest.mark.parametrize("reader", [load, stream])
def test_an_endless_line_is_refused(content, reader, write):
    with pytest.raises(DataError, match=r"line of more than 5,000,000 bytes.*one molecule on each line"):
        reader(write("line.csv", content))


@pytest.mark.parametrize("block_ends", [0, 1])
def test_long_lines_are_counted_across_blocks(block_ends, monkeypatch, write):
    monkeypatch.setattr(limits, "LONGEST_LINE", (1 << 20) + 10)
    watch = limits.Limits(write("any.csv", HEAD))
    block = b"\n" + b"C" * ((1 << 20) - 1)
    watch.see(block)
    watch.see(b"C" * 11 + b"\n")
    watch.see(block)
    with pytest.raises(DataError, match="has a line"):
        watch.see(b"C" * 12 + b"\n")


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_a_small_file_that_grows_without_end_is_refused(pack, monkeypatch, write):
    monkeypatch.setattr(limits, "FREE_OF_RATIO", 1_000_000)
    with pytest.raises(DataError, match="more than 300 times its size"):
        load(write("bomb.csv.gz", pack(HEAD + TAIL * 1_000_000)))


def test_a_table_compresses_as_tables_do(monkeypatch, write):
    monkeypatch.setattr(limits, "FREE_OF_RATIO", 0)
    rows = "".join(f"{'C' * (i % 50)}O,{i * 7919 % 1000 / 10}\n" for i in range(20_000))
    assert len(load(write("table.csv.gz", gzip.compress(b"smiles,y\n" + rows.encode())))) == 20_000


@pytest.mark.parametrize("content", [HEAD + b"C" * 1_500_000 + b",0\n", b"C" * 1_500_000 + b"\nCCO\n"])
def test_a_cell_beyond_the_limit_is_named_by_its_line(content, write):
    with pytest.raises(DataError, match=r"starts on line \d is broken \(field larger"):
        load(write("cell.csv", content))


def test_an_endless_smiles_is_no_molecule(write):
    data = load(write("long.csv", HEAD + b"C" * 400_000 + b",0\n" + TAIL))
    assert data.invalid[0].reason == "400,000 letters, more than 300,000"


def test_a_very_wide_table_asks_for_its_labels():
    wide = pd.DataFrame(np.ones((2, 10_001)), columns=[f"c{i}" for i in range(10_001)])
    wide.insert(0, "smiles", ["CCO", "CCN"])
    with pytest.raises(DataError, match=r"10,002 columns: name the labels with tasks="):
        load(wide)
    assert load(wide, tasks=["c7"]).task_names == ("c7",)
