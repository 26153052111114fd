"""What a dataset keeps of its source: places, other columns, exact labels, and a hash of its content."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from zoo.data import DataError, MoleculeDataset, check, load

PLACES = "id,smiles,y\na,CCO,1\n\nb,bad(,0\nc,CCN,1\nd,CCC,0\n"


def test_lines_are_those_of_the_file(write):
    data = load(write("places.csv", PLACES))
    assert data.rows.tolist() == [0, 2, 3]
    assert data.lines.tolist() == [2, 5, 6]
    assert data.where(1) == "line 5"
    assert (data.invalid[0].row, data.invalid[0].line, data.invalid[0].where) == (1, 4, "line 4")
    assert "line 4: 'bad('" in str(check(write("places.csv", PLACES)))


def test_frames_have_rows_and_no_lines():
    data = load(pd.DataFrame({"smiles": ["CCO", "bad(", "CCN"], "y": [1, 0, 1]}))
    assert data.lines is None
    assert data.where(1) == "row 2"
    assert data.invalid[0].where == "row 1"
    assert "rows counted from 0" in str(check({"smiles": ["CCO", "bad(", "CCN"], "y": [1, 0, 1]}))


def test_conflicts_of_a_file_are_named_by_line(write):
    report = check(write("twice.csv", "smiles,y\nCCO,1\nCCN,0\nOCC,0\n"))
    assert (report.conflicts, report.counted) == ({"CCO": [2, 4]}, "line")


def test_a_wrong_word_in_a_split_column_is_named_by_line(write):
    data = load(write("words.csv", "smiles,y,part\nCCO,1,train\nCCN,0,tset\n"), split_column="part")
    with pytest.raises(DataError, match="'tset' \\(line 3\\)"):
        data.split("column")


def test_other_columns_follow_their_molecules(write):
    data = load(write("places.csv", PLACES))
    assert data.extras["id"].tolist() == ["a", "c", "d"]
    part = data.subset([2, 0])
    assert part.extras["id"].tolist() == ["d", "a"]
    frame = part.to_frame(extras=True)
    assert frame.columns.tolist() == ["line", "smiles", "id", "y"]
    assert frame.loc[3].tolist() == [6, "CCC", "d", 0.0]
    assert part.to_frame().columns.tolist() == ["smiles", "y"]


def test_other_columns_with_a_name_that_is_taken(write):
    data = load(
        write("two.csv", "smiles,structure,line,y\nx,CCO,9,1\ny,CCN,8,0\n"), smiles_column="structure", tasks="y"
    )
    frame = data.to_frame(extras=True)
    assert frame.columns.tolist() == ["line", "smiles", "smiles_source", "line_source", "y"]
    assert frame["line_source"].tolist() == ["9", "8"]


def test_labels_are_as_exact_as_the_file(write):
    data = load(write("exact.csv", "smiles,y\nCCO,1e-25\nCCN,10000000.25\nCCC,0.1\n"))
    assert data.targets.dtype == np.float64
    assert data.targets.ravel().tolist() == [1e-25, 10000000.25, 0.1]


def example(**changes) -> MoleculeDataset:
    values = {"name": "d", "smiles": ["CCO", "CCN"], "targets": [[0.5], [np.nan]], "task_names": ("y",)}
    return MoleculeDataset(**{**values, "task": "regression", **changes})


def test_the_fingerprint_is_the_same_everywhere():
    assert example().fingerprint == "20b75e7c0b376fee112c1548ef20881129cdad6ec7dc110b74f86a9a525ac709"


@pytest.mark.parametrize(
    "changes", [{"name": "e"}, {"notes": ["read"]}, {"lines": np.array([2, 3])}, {"targets": [[0.5], [-np.nan]]}]
)
def test_the_fingerprint_is_of_content_only(changes):
    assert example(**changes).fingerprint == example().fingerprint


@pytest.mark.parametrize(
    "changes",
    [
        {"smiles": ["CCO", "CCC"]},
        {"smiles": ["CCN", "CCO"]},
        {"targets": [[0.5], [0.0]]},
        {"targets": [[np.nextafter(0.5, 1)], [np.nan]]},
        {"task_names": ("z",)},
        {"rows": np.array([1, 2])},
    ],
)
def test_the_fingerprint_sees_every_change(changes):
    assert example(**changes).fingerprint != example().fingerprint


def test_the_fingerprint_of_a_file_does_not_depend_on_how_it_is_written(write):
    one = load(write("one.csv", "id,smiles,y\n1,CCO,0.5\n2,CCN,2\n"))
    two = load(write("two.tsv", "y\tsmiles\n0.50\tCCO\n2.0\tCCN\n"))
    assert one.fingerprint == two.fingerprint
