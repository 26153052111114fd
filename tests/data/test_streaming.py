from __future__ import annotations

import bz2
import csv
import gzip
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import DataError, RowWriter, stream

NAMES = st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
MOLECULES = st.sampled_from(["CCO", "c1ccccc1", "", "bad(", "[Na+].[Cl-]", "C,C", 'C"C', "CCO"])


def annotate(source, target, chunk_size=3):
    """What prediction does: the length of every SMILES as its value, none for short ones, and a reason."""
    rows = stream(source, chunk_size=chunk_size)
    with RowWriter(target, rows.columns, ["length", "reason"]) as writer:
        for chunk in rows:
            lengths = np.array([len(text) if len(text) > 2 else np.nan for text in chunk.smiles], dtype=np.float32)
            writer.write(chunk.rows, [lengths, ["" if len(text) > 2 else "short" for text in chunk.smiles]])
    return rows


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(NAMES, MOLECULES, NAMES), min_size=1, max_size=12), chunk_size=st.integers(1, 5))
def test_rows_columns_and_order_are_those_of_the_input(rows, chunk_size, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    header = ["note", "smiles", "length"]
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    annotate(folder / "in.csv", folder / "out.csv", chunk_size)
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.reader(file))
    assert written[0] == [*header, "length_predicted", "reason"]
    assert [tuple(row[:3]) for row in written[1:]] == [tuple(row) for row in rows]
    assert [row[3] for row in written[1:]] == [
        str(len(row[1].strip())) if len(row[1].strip()) > 2 else "" for row in rows
    ]


def test_chunks_are_bounded_and_numbered(write):
    path = write("many.csv", "id,smiles\n" + "".join(f"{i},{'C' * (i % 7 + 1)}\n" for i in range(250)))
    rows = stream(path, chunk_size=100)
    assert [(chunk.start, len(chunk.smiles)) for chunk in rows] == [(0, 100), (100, 100), (200, 50)]
    assert [(chunk.start, len(chunk.rows)) for chunk in rows] == [(0, 100), (100, 100), (200, 50)]


def test_memory_does_not_grow_with_the_file(tmp_path):
    import tracemalloc

    def peak(count):
        path = tmp_path / f"{count}.csv.gz"
        with gzip.open(path, "wt") as file:
            file.write("smiles,id\n")
            file.writelines(f"CCCCCCCCCC,{i}\n" for i in range(count))
        tracemalloc.start()
        annotate(path, tmp_path / "out.csv", chunk_size=500)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(16_000) < 1.5 * peak(4_000)


def test_parquet_frames_and_smi(tmp_path, write):
    frame = pd.DataFrame({"n": [1, 2, 3], "smiles": ["CCO", None, "c1ccccc1"], "x": [0.1, np.nan, 3.0]})
    frame.to_parquet(tmp_path / "in.parquet")
    for source in (tmp_path / "in.parquet", frame):
        annotate(source, tmp_path / "out.tsv", chunk_size=2)
        written = pd.read_csv(tmp_path / "out.tsv", sep="\t")
        pd.testing.assert_frame_equal(written[["n", "smiles", "x"]], frame, check_dtype=False)
        assert written["reason"].tolist()[1] == "short"
    annotate(write("in.smi", "CCO ethanol\n\nCCCC butane\n"), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == (
        "smiles,name,length,reason\nCCO,ethanol,3,\n,,,short\nCCCC,butane,4,\n"
    )


def test_packed_output_and_open_streams(tmp_path, write):
    path = write("in.csv", "smiles\nCCO\n\nCCCC\n")
    annotate(path, tmp_path / "out.csv.gz")
    expected = "smiles,length,reason\nCCO,3,\n,,short\nCCCC,4,\n"
    assert gzip.decompress((tmp_path / "out.csv.gz").read_bytes()).decode() == expected
    target = io.StringIO()
    annotate(path, target)
    assert target.getvalue() == expected


def test_an_error_on_the_way_leaves_no_file_and_the_old_one_alone(tmp_path, write):
    path = write("in.csv", "smiles,y\n" + "CCO,1\n" * 150 + "CCO\n")
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(DataError, match="line 152 has 1 cell"):
        annotate(path, tmp_path / "out.csv", chunk_size=10)
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_mistakes(tmp_path, write):
    path = write("in.csv", "smiles,y\nCCO,1\n")
    for arguments, message in [
        ({"source": path, "smiles_column": "SMILE"}, "Did you mean 'smiles'"),
        ({"source": path, "chunk_size": 0}, "chunk_size=0"),
        ({"source": tmp_path / "none.csv"}, "no such file"),
        ({"source": write("empty.csv", "smiles,y\n")}, "no rows"),
        ({"source": write("bad.parquet", b"PAR1xxxx")}, "not a Parquet file"),
    ]:
        with pytest.raises(DataError, match=message):
            stream(**arguments)
    with pytest.raises(DataError, match=r"written as .csv, .tsv"):
        RowWriter(tmp_path / "out.xlsx", ["a"], ["b"])
    with pytest.raises(DataError, match="cannot be written"):
        RowWriter(tmp_path / "none" / "out.csv", ["a"], ["b"])
    with RowWriter(tmp_path / "out.csv", ["a"], ["b"]) as writer, pytest.raises(DataError, match="equal size"):
        writer.write(pd.DataFrame({"a": [1, 2]}), [[1.0]])


def test_parquet_is_written_and_read_back(tmp_path):
    rows = pd.DataFrame({"id": [3, 4, 5], "smiles": ["CCO", "x", "C"]})
    with RowWriter(tmp_path / "out.parquet", list(rows.columns), ["score", "reason"]) as writer:
        writer.write(rows[:2], [np.array([0.5, np.nan], dtype=np.float32), ["", "unreadable"]])
        writer.write(rows[2:], [np.array([0.25], dtype=np.float32), [""]])
    written = pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(written[["id", "smiles"]], rows, check_dtype=False)
    np.testing.assert_array_equal(written["score"], np.array([0.5, np.nan, 0.25], dtype=np.float32))
    assert stream(tmp_path / "out.parquet").estimate() == 3


@pytest.mark.parametrize("name", ["out.xlsx", "nowhere/out.csv", "folder.csv"])
def test_bad_output_is_refused_before_any_work(name, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(DataError, match="choose"):
        RowWriter.check(tmp_path / name)


def test_parquet_takes_no_two_columns_of_one_name(tmp_path):
    with pytest.raises(DataError, match="no two columns of one name \\('y'\\): write CSV"):
        RowWriter.check(tmp_path / "out.parquet", ["smiles", "y", "y"])
    RowWriter.check(tmp_path / "out.csv", ["smiles", "y", "y"])


def test_a_carriage_return_in_a_cell_stays_there(tmp_path, write):
    path = write("in.csv", b'smiles,note\nCCO,"a\rb"\nCCN,"c\r\nd"\nC,\n')
    annotate(path, tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["note", "a\rb", "c\r\nd", ""]


@pytest.mark.parametrize("name", ["plain.csv.gz", "bzip2.csv.bz2", "packed.csv"])
def test_rows_are_estimated_whatever_the_name_says(name, write):
    text = b"smiles,y\nCCO,0\nCCN,1\n"
    content = {"plain.csv.gz": text, "bzip2.csv.bz2": bz2.compress(text), "packed.csv": gzip.compress(text)}[name]
    assert stream(write(name, content)).estimate() == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_cells_of_parquet_are_written_as_they_are(suffix, tmp_path):
    frame = pd.DataFrame(
        {
            "smiles": ["CCO"] * 8,
            "count": pd.array([1, 2, 3, 4, 5, 6, None, 2**60 + 1], dtype="Int64"),
            "late": [None] * 6 + ["x", "y"],
            "kind": pd.Categorical(["a", "b"] * 4),
        },
        index=pd.Index([f"m{i}" for i in range(8)], name="id"),
    )
    frame.to_parquet(tmp_path / "in.parquet")
    annotate(tmp_path / "in.parquet", tmp_path / f"out.{suffix}", chunk_size=3)
    if suffix == "csv":
        written = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
        assert written["count"].tolist() == ["1", "2", "3", "4", "5", "6", "", str(2**60 + 1)]
    else:
        written = pd.read_parquet(tmp_path / "out.parquet")
        assert written["late"].fillna("").tolist() == [""] * 6 + ["x", "y"]
        assert written["length"].tolist() == [3] * 8
    assert written["id"].tolist() == [f"m{i}" for i in range(8)]
    assert written["kind"].tolist() == ["a", "b"] * 4
