"""What a message recommends is done here, with the same data: it must work."""

from __future__ import annotations

import re
from typing import Any

import pytest

from featurizers import GroverFeaturizer
from zoo.data import DataError, check, featurize, load

SMILES = [f"{'C' * (1 + i % 6)}{tail}" for tail in ("O", "N", "Cl") for i in range(6)]


def table(header: str, *cells: Any) -> str:
    rows = [",".join([text, *(str(column[i % len(column)]) for column in cells)]) for i, text in enumerate(SMILES)]
    return f"{header}\n" + "\n".join(rows) + "\n"


BLANKS = table("smiles,y", [0, 1, ""])
ADVICE = {
    # name: content, options that fail, words of the advice, the options that it recommends
    "decimal comma": (table("smiles,y", ['"1,5"', '"2,25"']), {}, "decimal=','", {"decimal": ","}),
    "numbers for classes": (
        table("smiles,y", [0.5, 1.5, 2.5]),
        {"task": "classification"},
        "task='regression'",
        {"task": "regression"},
    ),
    "words to regress": (
        table("smiles,y", ["no", "yes"]),
        {"task": "regression"},
        "task='classification'",
        {"task": "classification"},
    ),
    "one word": (
        table("smiles,y", ["odd"]),
        {"tasks": "y"},
        "label_names={'y': ",
        {"label_names": {"y": ["even", "odd"]}},
    ),
    "unreadable": (
        table("smiles,y", [0, 1]) + "C(,1\n",
        {"on_invalid": "raise"},
        "on_invalid='skip'",
        {"on_invalid": "skip"},
    ),
    "two kinds": (table("smiles,y,z", [0, 1], [0.5, 3.25, 1.75]), {}, "choose tasks= of one kind", {"tasks": "z"}),
    "two kinds as numbers": (
        table("smiles,y,z", [0, 1], [0.5, 3.25, 1.75]),
        {},
        "task='regression'",
        {"task": "regression"},
    ),
    "wrong encoding": (
        table("smiles,y", [0, 1]) + "CCé,1\n",
        {"encoding": "ascii"},
        "leave it out",
        {"encoding": None},
    ),
    "unknown encoding": (BLANKS, {"encoding": "utf9"}, "try 'utf-8'", {"encoding": "utf-8"}),
    "long separator": (BLANKS, {"separator": "::"}, "one character, such as ','", {"separator": ","}),
    "no limit": (BLANKS, {"max_atoms": 0}, "a positive number, or None", {"max_atoms": None}),
    "policy": (BLANKS, {"on_invalid": "empty"}, "choose one of skip, raise, nan", {"on_invalid": "nan"}),
    "words of nobody": (BLANKS, {"label_names": {"z": ["a", "b"]}}, "Tasks: 'y'", {"label_names": None}),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice_of_reading_works(name, write):
    content, options, words, remedy = ADVICE[name]
    path = write("data.csv", content.encode("latin-1"))
    with pytest.raises(DataError, match=re.escape(words)):
        load(path, **options)
    assert len(load(path, **{**options, **remedy})) >= len(SMILES)


def test_a_column_of_broken_molecules_can_be_named():
    source = {"odd": ["CCO", "CCN", "C(", "c1cc", "N="], "y": [0, 1, 0, 1, 0]}
    with pytest.raises(DataError, match="name it with smiles_column="):
        load(source)
    assert load(source, smiles_column="odd").smiles == ["CCO", "CCN"]


def test_columns_that_were_not_taken_can_be_named(write):
    path = write("data.csv", table("smiles,Batch,note", [1, 2, 3], ["a", "b", "c"]))
    assert any("name tasks=" in problem for problem in check(path).problems)
    assert load(path, tasks="Batch", task="regression").task_names == ("Batch",)


@pytest.mark.parametrize("column", [["1.5"], [""]])
def test_columns_that_teach_nothing_can_be_left_out(column, write):
    path = write("data.csv", table("smiles,y,z", [0.5, 2.25, 1.75], column))
    problems = check(path, tasks=["y", "z"], task="regression").problems
    assert any("'z'" in problem and "leave it out of tasks=" in problem for problem in problems)
    assert not any("'z'" in problem for problem in check(path, tasks="y").problems)


def test_a_missing_split_column_can_be_named(write):
    path = write("data.csv", table("smiles,y,phase", [0, 1], ["train", "train", "train", "valid", "test", "test"]))
    with pytest.raises(DataError, match="name it with split_column= when loading"):
        load(path).split("column")
    assert load(path, split_column="phase").split("column").test.smiles


def test_an_unreadable_molecule_can_be_left_out_or_empty():
    data = load({"smiles": ["CCO", "C(", "CCN"], "y": [0, 1, 0]}, on_invalid="nan")
    with pytest.raises(DataError, match=r"row 1: .*leave it out, or call featurize with on_invalid='empty'"):
        featurize(data, GroverFeaturizer())
    assert featurize(data, GroverFeaturizer(), on_invalid="empty").num_atoms.tolist() == [3, 0, 3]
    assert len(featurize(data.subset(data.readable), GroverFeaturizer())) == 2
