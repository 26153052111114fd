from __future__ import annotations

import json

import pytest

from zoo.data import DataError, check

CONTENT = """id,SMILES,active,split
1,CCO,yes,train
2,OCC,no,train
3,c1ccccc1,yes,valid
4,[Na+].[Cl-],no,valid
5,C(,yes,test
6,C,,test
7,CCN,no,test
"""


def test_everything_is_counted(write):
    report = check(write("some.csv", CONTENT))
    assert (report.rows, report.molecules, report.task) == (7, 6, "classification")
    assert report.columns == {"id": "not used", "SMILES": "SMILES", "active": "task", "split": "split"}
    assert report.tasks["active"].labels == 5
    assert report.tasks["active"].positives == 2
    assert report.tasks["active"].missing == 1
    assert [entry.row for entry in report.invalid] == [4]
    assert report.duplicates == 1
    assert report.conflicts == {"CCO": [2, 3]}
    assert (report.scaffolds, report.largest_scaffold) == (2, 5)
    assert (report.mixtures, report.single_atoms, report.largest) == (1, 1, 6)
    assert report.splits["column"] == [2, 2, 2]
    assert "too few" in report.splits["random"]
    assert any("different labels" in problem for problem in report.problems)


def test_the_report_can_be_read_and_stored(write):
    report = check(write("some.csv", CONTENT))
    text = str(report)
    for part in ("some: 7 rows, 6 usable molecules", "40.0%", "line 6: 'C('", "lines 2, 3: CCO", "'yes' is class 1"):
        assert part in text
    assert json.loads(json.dumps(report.to_dict()))["molecules"] == 6


def test_regression_and_constant_tasks():
    smiles = ["C" * n + "O" for n in range(1, 25)]
    labels = {"y": [0.5 * n for n in range(24)], "same": [1.5] * 24, "none": [None] * 24}
    report = check((smiles, labels), task="regression", tasks=["y", "same", "none"])
    assert report.tasks["y"].low == 0
    assert report.tasks["y"].mean == pytest.approx(5.75)
    assert report.tasks["none"].labels == 0
    assert sum("leave it out of tasks=" in problem for problem in report.problems) == 2
    assert "no labels" in str(report)
    assert report.splits["random"] == [19, 2, 3]


def test_without_labels():
    report = check(["C" * n for n in range(1, 31)])
    assert report.task == "unlabelled"
    assert "0 unlabelled task(s)" in str(report)


def test_what_cannot_be_loaded_is_an_error(write):
    with pytest.raises(DataError, match="no rows"):
        check(write("empty.csv", "smiles,y\n"))
