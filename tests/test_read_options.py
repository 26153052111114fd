"""One set of reading options for `load`, `check`, `stream`, recipes and commands."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

import pytest

from zoo.data import check, load, stream
from zoo.recipe import DataOptions, ReadOptions
from zoo.recipe.options import ReadKeywords


def test_keywords_and_fields_are_the_same():
    assert set(get_type_hints(ReadKeywords)) == {field.name for field in dataclasses.fields(ReadOptions)}


def test_every_field_is_documented():
    for cls in (ReadOptions, DataOptions):
        own = set(cls.__annotations__)
        assert {line.split(":")[0].strip() for line in cls.__doc__.splitlines()} >= own


def test_options_and_keywords_read_the_same(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_text("structure;a;b\nCCO;1,5;x\nCCN;2,5;y\n", encoding="utf-16")
    options = ReadOptions(smiles_column="structure", tasks=["a"], separator=";", encoding="utf-16", decimal=",")
    by_options = load(path, options)
    by_keywords = load(path, smiles_column="structure", tasks="a", separator=";", encoding="utf-16", decimal=",")
    assert by_options.fingerprint == by_keywords.fingerprint
    assert by_options.targets.ravel().tolist() == [1.5, 2.5]
    assert check(path, options).tasks["a"].mean == 2
    assert next(iter(stream(path, options=options))).smiles == ["CCO", "CCN"]
    assert load(path, options, tasks="b").label_names == {"b": ("x", "y")}


def test_a_recipe_reads_what_it_says(tmp_path):
    path = tmp_path / "words.csv"
    path.write_text("smiles,kind\nCCO,red\nCCN,blue\n")
    options = DataOptions(str(path), tasks=["kind"], label_names={"kind": ["red", "blue"]})
    assert load(options.source, options).targets.ravel().tolist() == [0, 1]
    assert load(options.source, tasks="kind").targets.ravel().tolist() == [1, 0]


def test_a_misspelt_option_gets_the_closest():
    with pytest.raises(TypeError, match=r"no field 'seperator'\. Did you mean 'separator'"):
        load("b3db", seperator=";")


def test_the_source_is_the_first_argument():
    assert DataOptions("esol", tasks=("a",)).source == "esol"
    assert DataOptions("esol", data_dir=None).tasks is None


def test_options_can_be_the_key_of_a_cache():
    options = DataOptions("a.csv", label_names={"y": ["no", "yes"]}, split="kfold", split_args={"fold": 1})
    assert hash(options) == hash(dataclasses.replace(options))
    assert options != dataclasses.replace(options, split_args={"fold": 2})
