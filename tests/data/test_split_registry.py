"""Splits by name: the registry, their options in recipes, the split column, seeds, and advice that works."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

from zoo.data import DataError, MoleculeDataset, is_deterministic, list_splits, load, split, split_by_options
from zoo.data.splits import refuse_seeds
from zoo.recipe import DataOptions, Recipe
from zoo.registry import SPLITS, register_split

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccsc1", "c1ccoc1", "C1CC1"]


def molecules(labels) -> MoleculeDataset:
    labels = np.asarray(labels, dtype=float)
    smiles = [f"{'C' * (i // len(RINGS))}{RINGS[i % len(RINGS)]}" for i in range(len(labels))]
    names = tuple(f"t{t}" for t in range(labels.shape[1] if labels.ndim > 1 else 1))
    return MoleculeDataset("toy", smiles, labels, names, "classification")


@pytest.fixture
def by_length():
    @register_split("by_length", summary="Short SMILES train")
    def rule(dataset, *, fractions, longest=None):
        order = sorted(range(len(dataset)), key=lambda i: len(dataset.smiles[i]))[:longest]
        first, second = int(fractions[0] * len(order)), int((fractions[0] + fractions[1]) * len(order))
        return order[:first], order[first:second], order[second:]

    yield rule
    del SPLITS._entries["by_length"]


def test_a_registered_split_is_one_like_others(by_length):
    data = molecules(np.arange(40) % 2)
    parts = split(data, "by-length", longest=30)
    assert [len(part) for part in parts.indices] == [24, 3, 3]
    assert any("10 of 40 molecules are in no part" in text for text in parts.warnings)
    assert "by_length" in list_splits()
    assert is_deterministic("by_length")
    with pytest.raises(DataError, match="draws nothing, seed=3"):
        split(data, "by_length", seed=3)
    with pytest.raises(DataError, match=r"widest=2 would be ignored by split 'by_length'.*'longest'"):
        split(data, "by_length", widest=2)


@pytest.mark.parametrize("parts", [([0], [1]), ([0], [0], [1]), ([0], [1], [99]), 5, (["a"], [1], [2])])
def test_a_plugin_that_returns_nonsense_is_named(parts):
    register_split("nonsense", summary="none")(lambda dataset: parts)
    try:
        with pytest.raises(DataError, match=r"split 'nonsense' returned.*correct its function"):
            split(molecules(np.arange(20) % 2), "nonsense")
    finally:
        del SPLITS._entries["nonsense"]


def test_unreadable_molecules_are_in_no_part_of_any_rule(by_length):
    data = load({"smiles": ["C(", *molecules(np.zeros(30)).smiles], "y": [0, *np.arange(30) % 2]}, on_invalid="nan")
    for rule in ("by_length", "scaffold", "random", "kfold", "butina"):
        assert not any(0 in part for part in split(data, rule).indices)


def test_options_of_a_split_come_from_the_recipe():
    data = molecules(np.arange(40) % 2)
    options = DataOptions(split="kfold", split_args={"fold": 3, "num_folds": 4})
    wanted = split(data, "kfold", seed=7, fold=3, num_folds=4)
    asked = split_by_options(data, Recipe.from_json(Recipe("gcn", data=options).to_json()).data, seed=7)
    assert [part.tolist() for part in asked.indices] == [part.tolist() for part in wanted.indices]
    assert asked.options == {"fold": 3, "num_folds": 4}
    assert split_by_options(data, DataOptions(split="random", split_args={"fractions": [0.5, 0.25, 0.25]}), 0).report()
    assert split_by_options(data, DataOptions(split="kfold", split_seed=2), seed=7).seed == 2


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ("random", {"fold": 1}, "fold=1 would be ignored by split 'random'.*use split='kfold'"),
        ("kfold", {"fold": "3"}, "at least 3 folds and 0 <= fold"),
        ("kfold", {"fold": 5}, "at least 3 folds and 0 <= fold"),
        ("kfold", {"fractions": (0.5, 0.25, 0.25)}, "fractions=.* would be ignored by split 'kfold'"),
        ("butina", {"cutoff": 2}, "between 0 and 1"),
        ("column", {"fold": 1}, "fold=1 would be ignored by split 'column'"),
        (([0], [1], [2]), {"fold": 1}, "fold=1 would be ignored by split 'own indices'"),
    ],
)
def test_options_that_a_split_does_not_use_are_refused(rule, options, message):
    with pytest.raises(DataError, match=message):
        split(molecules(np.arange(20) % 2), rule, **options)


def test_a_split_column_is_the_split(write):
    rows = [f"{smiles},{i % 2},{('train', 'train', 'val', 'test')[i % 4]}" for i, smiles in enumerate(RINGS)]
    path = write("own.csv", "smiles,y,phase\n" + "\n".join(rows))
    options = DataOptions(str(path), split_column="phase")
    assert options.split == "column"
    data = load(path, options)
    assert [len(part) for part in split_by_options(data, options, seed=5).indices] == [4, 2, 2]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert data.split().name == "column"
    with pytest.warns(UserWarning, match="split_column='phase' is not used.*split='column'"):
        data.split("random", fractions=(0.5, 0.25, 0.25))
    with pytest.raises(DataError, match=r"split_column='phase' is used by split='column' only.*leave one"):
        split_by_options(data, DataOptions(str(path), split_column="phase", split="random"), seed=0)


def test_a_recipe_written_before_keeps_its_split():
    assert DataOptions().split == "scaffold"
    old = Recipe.from_json(
        json.dumps({"model": "gcn", "data": {"source": "a.csv", "split_column": "x", "split": "random"}})
    )
    assert old.data.split == "random"


@pytest.mark.parametrize(
    ("name", "fixed"),
    [("scaffold", False), ("random", False), ("kfold", False), ("butina", True), ("scaffold_deterministic", True)]
    + [("column", True), ("rows.json", True), (([0], [1], [2]), True)],
)
def test_which_splits_draw(name, fixed):
    assert is_deterministic(name) == fixed


def test_seeds_that_a_split_cannot_use_are_refused_at_once():
    with pytest.raises(DataError, match=r"draws nothing, seed=1 .*--split-seed 0"):
        refuse_seeds(DataOptions(split="butina"), [0, 1, 2])
    refuse_seeds(DataOptions(split="butina", split_seed=0), [0, 1, 2])
    refuse_seeds(DataOptions(split="butina"), [0])
    refuse_seeds(DataOptions(split="random"), [0, 1])
    refuse_seeds(DataOptions(split="column", split_column="x"), [0, 1])


# Advice is run: what a message recommends must work for the same data.


def advised(text: str) -> str | None:
    return text.partition("split='")[2].partition("'")[0] or None


@pytest.mark.parametrize("rule", ["scaffold", "random", "kfold", "random_stratified", "maxmin"])
@pytest.mark.parametrize("positives", [1, 2, 3, 6, 12])
def test_advice_for_a_part_of_one_class_works(rule, positives):
    data = molecules(np.arange(120) < positives)
    for seed in range(6):
        try:
            warned = split(data, rule, seed=seed).warnings
        except DataError as error:
            warned = [str(error)]
        for warning in (text for text in warned if "one class only" in text):
            if positives < 3:
                assert "too few for three parts" in warning
                continue
            assert advised(warning) not in (None, rule)
            assert not split(data, advised(warning), seed=seed).warnings


def test_several_tasks_by_chance_are_sent_to_another_seed():
    labels = np.zeros((100, 2))
    labels[:4] = 1
    warned = [text for seed in range(5) for text in split(molecules(labels), "random", seed=seed).warnings]
    assert warned
    assert all("use another seed" in text and "split='random'" not in text for text in warned)


@pytest.mark.parametrize("rule", ["random", "scaffold", "random_stratified", "butina", "maxmin"])
@pytest.mark.parametrize("n", [9, 12, 30, 60])
@pytest.mark.parametrize("fractions", [(0.8, 0.1, 0.1), (0.98, 0.01, 0.01)])
def test_advice_for_an_empty_part_works(rule, n, fractions):
    data = MoleculeDataset("chains", ["C" * (i + 1) for i in range(n)], np.arange(n) % 2, ("t",), "classification")
    try:
        split(data, rule, fractions=fractions)
    except DataError as error:
        text = str(error)
        assert ("too few" in text) == (n < 10) or advised(text)
        if "fractions=" in text:
            assert n * min(fractions) < 1
        elif advised(text):
            assert advised(text) != rule
            split(data, advised(text), fractions=fractions)


def test_rows_that_are_all_one_molecule():
    data = MoleculeDataset("same", ["CCO", "OCC"] * 20, np.arange(40) % 2, ("t",), "classification")
    with pytest.raises(DataError, match="1 different molecules are too few"):
        split(data, "random")
