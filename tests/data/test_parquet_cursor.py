"""Rows of Parquet files from any place on."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from zoo.data import DataError, stream
from zoo.data.reading.parquet import ParquetCursor


@pytest.fixture
def file(tmp_path):
    """250 rows in row groups of 60."""
    path = tmp_path / "rows.parquet"
    parquet.write_table(pa.table({"smiles": ["C"] * 250, "row": np.arange(250)}), path, row_group_size=60)
    return path


@pytest.mark.parametrize("size", [3, 25, 300])
def test_any_ranges_in_any_order(size, file):
    cursor, random = ParquetCursor(file, size), np.random.default_rng(size)
    for _ in range(20):
        start, stop = sorted(random.integers(0, 251, 2))
        frames = [frame["row"].to_numpy() for frame in cursor.frames(start, stop)]
        assert [len(frame) for frame in frames] == [min(size, stop - first) for first in range(start, stop, size)]
        assert np.concatenate([*frames, np.array([], int)]).tolist() == list(range(start, stop))


def test_two_readings_at_once_do_not_mix(file):
    cursor = ParquetCursor(file, 20)
    pairs = [*zip(cursor.frames(0, 120), cursor.frames(130, 250), strict=True)]
    assert [int(row) for frame, _ in pairs for row in frame["row"]] == list(range(120))
    assert [int(row) for _, frame in pairs for row in frame["row"]] == list(range(130, 250))


def test_a_row_group_is_decoded_once_for_all_of_its_shards(file, monkeypatch):
    opened, read = [], parquet.ParquetFile.iter_batches

    def count(self, *arguments, row_groups, **options):
        opened.append(row_groups[0])
        return read(self, *arguments, row_groups=row_groups, **options)

    monkeypatch.setattr(parquet.ParquetFile, "iter_batches", count)
    rows = stream(file, chunk_size=4)
    opened.clear()
    for start in [*range(0, 120, 10), *range(190, 250, 10)]:
        assert [chunk.start for chunk in rows.between(start, start + 10)] == [start, start + 4, start + 8]
    assert opened == [0, 3]


def test_a_file_that_is_cut_off_gets_one_line(file):
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"rows\.parquet: not a Parquet file, or a damaged one"):
        ParquetCursor(file, 10)


def test_a_damaged_page_gets_one_line(file):
    content = bytearray(file.read_bytes())
    content[4:200] = b"\xff" * 196
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"rows\.parquet: not a Parquet file, or a damaged one"):
        [*ParquetCursor(file, 10).frames()]


def test_an_index_without_a_name_is_left_out(tmp_path):
    pd.DataFrame({"smiles": ["C", "CC"]}, index=[4, 5]).to_parquet(tmp_path / "rows.parquet")
    assert [list(frame.columns) for frame in ParquetCursor(tmp_path / "rows.parquet", 10).frames()] == [["smiles"]]
