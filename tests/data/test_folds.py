"""Folds for cross-validation, splits by given fractions, and training on everything."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoo.data import DataError, MoleculeDataset
from zoo.data.splits import folded, split_by_options
from zoo.data.splits.rules import deal
from zoo.recipe.options import DataOptions

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1", "c1ccsc1", "C1CC1"]


def dataset(smiles, labels, task="classification", **options):
    return MoleculeDataset(
        "few", list(smiles), np.array(labels, float).reshape(len(labels), -1), ("y",), task, **options
    )


@pytest.fixture
def rings():
    smiles = [f"{'C' * n}{ring}" for ring in RINGS for n in range(1, 8)]
    return dataset(smiles, np.arange(len(smiles)) % 3 == 0)


@pytest.mark.parametrize("rule", ["kfold", "scaffold_kfold", "stratified_kfold"])
@pytest.mark.parametrize("num_folds", [3, 5])
def test_each_molecule_is_tested_once_and_validates_once(rule, num_folds, rings):
    parts = [rings.split(rule, fold=fold, num_folds=num_folds, seed=1).indices for fold in range(num_folds)]
    for part in (1, 2):
        assert np.array_equal(np.sort(np.concatenate([each[part] for each in parts])), np.arange(len(rings)))
    assert all(np.array_equal(parts[fold][1], parts[(fold + 1) % num_folds][2]) for fold in range(num_folds))


def test_scaffolds_are_never_torn_and_folds_are_equal_where_they_can_be(rings):
    folds = [rings.split("scaffold_kfold", fold=fold, num_folds=3, seed=4).test for fold in range(3)]
    scaffolds = [set(fold.scaffolds) for fold in folds]
    assert sum(map(len, scaffolds)) == len(set(rings.scaffolds)) == 6
    assert [len(fold) for fold in folds] == [14, 14, 14]
    other = [set(rings.split("scaffold_kfold", fold=fold, num_folds=3, seed=5).test.scaffolds) for fold in range(3)]
    assert scaffolds != other


def test_classes_have_equal_shares_in_stratified_folds():
    labels = [1] * 7 + [0] * 33
    data = dataset([f"C{'C' * n}O" for n in range(40)], labels)
    folds = [data.split("stratified_kfold", fold=fold, seed=2).test for fold in range(5)]
    assert sorted(int(fold.targets.sum()) for fold in folds) == [1, 1, 1, 2, 2]
    assert sorted(len(fold) for fold in folds) == [8] * 5


def test_numbers_have_equal_shares_in_stratified_folds():
    data = dataset([f"C{'C' * n}O" for n in range(100)], np.arange(100.0), "regression")
    means = [data.split("stratified_kfold", fold=fold, seed=0).test.targets.mean() for fold in range(5)]
    assert np.std(means) < 3


@settings(max_examples=50, deadline=None)
@given(sizes=st.lists(st.integers(1, 9), min_size=4, max_size=40), num_folds=st.integers(3, 4))
def test_every_fold_gets_something(sizes, num_folds):
    groups = [[number] * size for number, size in enumerate(sizes)]
    folds = deal(groups, num_folds)
    assert Counter(np.concatenate(folds).tolist()) == dict(enumerate(sizes))
    assert min(map(len, folds)) > 0
    assert max(map(len, folds)) - min(map(len, folds)) <= max(sizes)


@pytest.mark.parametrize(
    ("rule", "num_folds", "message"),
    [
        ("scaffold_kfold", 7, "7 folds of 6 scaffolds: give at most 6 folds, or split='kfold'"),
        ("kfold", 43, "43 folds of 42 different molecules: give at most 42 folds"),
        ("stratified_kfold", 15, "15 folds of 14 molecules of class 1: give at most 14 folds, or split='kfold'"),
        ("kfold", 2, "give at least 3 folds"),
    ],
)
def test_more_folds_than_groups(rings, rule, num_folds, message):
    with pytest.raises(DataError, match=message) as caught:
        rings.split(rule, num_folds=num_folds)
    assert "\n" not in str(caught.value)


def test_a_tiny_class_is_named_by_its_word():
    data = dataset([f"C{'C' * n}O" for n in range(20)], [1, 1] + [0] * 18, label_names={"y": ("no", "yes")})
    with pytest.raises(DataError, match="5 folds of 2 molecules of class 'yes': get more of them, or split='kfold'"):
        data.split("stratified_kfold")


def test_one_scaffold_cannot_be_folded():
    data = dataset(["C" * n for n in range(1, 21)], np.arange(20.0), "regression")
    with pytest.raises(DataError, match="3 folds of 1 scaffolds: get more of them, or split='kfold'"):
        data.split("scaffold_kfold", num_folds=3)


def test_splits_name_their_folds():
    assert [folded(name) for name in ("scaffold", "random", "random_stratified", "kfold", "scaffold_kfold")] == [
        "scaffold_kfold", "kfold", "stratified_kfold", "kfold", "scaffold_kfold",
    ]  # fmt: skip
    with pytest.raises(DataError, match="'butina' cuts no folds: choose one of scaffold_kfold, kfold, stratified"):
        folded("butina")


def test_fractions_of_a_recipe(rings):
    parts = split_by_options(rings, DataOptions(split="random", fractions=[0.5, 0.25, 0.25]), seed=0)
    assert [len(part) for part in parts.indices] == [21, 10, 11]
    with pytest.raises(DataError, match="three numbers for train, valid, test that sum to 1"):
        split_by_options(rings, DataOptions(split="random", fractions=(0.5, 0.5)), seed=0)
    with pytest.raises(DataError, match="would be ignored by split 'kfold'"):
        split_by_options(rings, DataOptions(split="kfold", fractions=(0.6, 0.2, 0.2)), seed=0)


def test_everything_trains(rings):
    parts = split_by_options(rings, DataOptions(split="none"), seed=3)
    assert [len(part) for part in parts.indices] == [42, 0, 0]


@pytest.mark.parametrize("rule", ["random", "scaffold", "random_stratified", "none"])
def test_a_test_file_leaves_no_test_part(rings, rule):
    parts = split_by_options(rings, DataOptions(split=rule, test_file="other.csv"), seed=0)
    assert len(parts.indices[2]) == 0
    assert sum(map(len, parts.indices)) == 42
