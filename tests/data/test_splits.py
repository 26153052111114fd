from __future__ import annotations

import json
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem

from zoo.data import SPLIT_NAMES, DataError, MoleculeDataset, load
from zoo.data.splits import rules as partition

FRACTIONS = (0.8, 0.1, 0.1)
RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccc2ccccc2c1", "C1CCNCC1", "c1ccsc1", "c1ccoc1", "C1CC1"]
TAILS = ["", "C", "CC", "CCC", "O", "N", "CO", "CN", "F", "Cl"]


def drug_like(n: int) -> list[str]:
    return [TAILS[i % len(TAILS)] + RINGS[(i // len(TAILS)) % len(RINGS)] + "C" * (i // 80) for i in range(n)]


def dataset(n: int = 80, tasks: int = 1) -> MoleculeDataset:
    targets = (np.arange(n * tasks).reshape(n, tasks) * 7919 % 5 < 2).astype(float)
    return MoleculeDataset("toy", drug_like(n), targets, tuple(f"t{t}" for t in range(tasks)), "classification")


def published_balanced_split(scaffolds, seed):
    """The rule as GROVER and chemprop publish it, written down a second time."""
    n, members = len(scaffolds), {}
    for i, scaffold in enumerate(scaffolds):
        members.setdefault(scaffold, set()).add(i)
    big = [s for s in members.values() if len(s) > 0.1 * n / 2]
    small = [s for s in members.values() if not len(s) > 0.1 * n / 2]
    random.seed(seed)
    random.shuffle(big)
    random.shuffle(small)
    parts = [set(), set(), set()]
    for s in big + small:
        if len(parts[0]) + len(s) <= 0.8 * n:
            parts[0] |= s
        elif len(parts[1]) + len(s) <= 0.1 * n:
            parts[1] |= s
        else:
            parts[2] |= s
    return parts


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_balanced_scaffold_is_the_published_rule(b3db, seed):
    split = b3db.split("scaffold", seed=seed)
    assert [set(part.tolist()) for part in split.indices] == published_balanced_split(b3db.scaffolds, seed)
    assert [len(part) for part in split.indices] == [6244, 780, 781]


def test_deterministic_scaffold_equals_dgllife(b3db):
    theirs = pytest.importorskip("dgllife.utils", reason="compares with DGL-LifeSci, which is not installed here")
    data = b3db.subset(np.arange(0, len(b3db), 4))

    class Source(list):
        smiles = data.smiles

    theirs = theirs.ScaffoldSplitter.train_val_test_split(Source(data.smiles), scaffold_func="smiles", log_every_n=None)
    ours = data.split("scaffold_deterministic")
    assert [sorted(part.indices) for part in theirs] == [part.tolist() for part in ours.indices]


def test_deterministic_scaffold_on_b3db(b3db):
    split = b3db.split("scaffold_deterministic")
    positives = [round(float(part.targets.mean()), 3) for part in (split.train, split.valid, split.test)]
    assert positives == [0.640, 0.568, 0.662]
    with pytest.raises(DataError, match="seed=3 would be ignored"):
        b3db.split("scaffold_deterministic", seed=3)


FOLDS = ["kfold", "scaffold_kfold", "stratified_kfold"]
RULES = ["scaffold", "scaffold_deterministic", "random", "random_stratified", *FOLDS, "butina", "maxmin"]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_covers_everything_once_and_repeats_itself(rule, b3db):
    data = b3db.subset(range(0, 7800, 40))
    seed = 0 if rule in ("scaffold_deterministic", "butina") else 5
    first, second = data.split(rule, seed=seed), data.split(rule, seed=seed)
    assert np.array_equal(np.sort(np.concatenate(first.indices)), np.arange(len(data)))
    assert all(np.array_equal(a, b) for a, b in zip(first.indices, second.indices, strict=True))
    assert all(len(part) for part in (first.train, first.valid, first.test))
    assert first.train.smiles == [data.smiles[i] for i in first.indices[0]]
    assert np.array_equal(first.test.targets, data.targets[first.indices[2]])


@settings(max_examples=60, deadline=None)
@given(keys=st.lists(st.integers(0, 12), min_size=1, max_size=120), seed=st.integers(0, 1000))
def test_groups_are_never_torn(keys, seed):
    keys = [str(key) for key in keys]
    strata = np.arange(len(keys)) % 3
    for parts in (
        partition.scaffold_balanced(keys, seed, FRACTIONS),
        partition.scaffold_sorted(keys, FRACTIONS),
        partition.random_grouped(keys, seed, FRACTIONS),
        partition.random_stratified(keys, strata, seed, FRACTIONS),
        partition.cross_validation(keys, seed, 1, 4),
    ):
        assert sorted(i for part in parts for i in part) == list(range(len(keys)))
        members = [{keys[i] for i in part} for part in parts]
        assert sum(map(len, members)) == len(set(keys))


@pytest.mark.parametrize("rule", RULES)
def test_writings_of_one_molecule_stay_together(rule, b3db):
    smiles = b3db.subset(range(0, 7800, 130)).smiles
    mapped = [Chem.MolToSmiles(Chem.AddHs(Chem.MolFromSmiles(text))) for text in smiles]
    data = MoleculeDataset("twice", smiles + mapped, np.arange(len(smiles) * 2) % 2, ("t",), "classification")
    seed = 0 if rule in ("scaffold_deterministic", "butina") else 5
    split = data.split(rule, seed=seed)
    train, valid, test = (set(part.canonical_smiles) for part in (split.train, split.valid, split.test))
    assert min(map(len, (train, valid, test)))
    assert len(train | valid | test) == len(train) + len(valid) + len(test)


def test_folds_test_every_molecule_once():
    data = dataset()
    tests = [data.split("kfold", fold=fold, num_folds=4, seed=1).indices[2] for fold in range(4)]
    assert np.array_equal(np.sort(np.concatenate(tests)), np.arange(len(data)))
    with pytest.raises(DataError, match="at least 3 folds"):
        data.split("kfold", num_folds=2)
    with pytest.raises(DataError, match="fold=1 would be ignored"):
        data.split("random", fold=1)


def test_seeds_differ():
    data = dataset()
    assert not np.array_equal(data.split("random", seed=0).indices[0], data.split("random", seed=1).indices[0])


def test_stratified_keeps_the_share_of_positives():
    n = 400
    data = MoleculeDataset("rare", ["C" * (i + 1) for i in range(n)], np.arange(n) % 10 == 0, ("t",), "classification")
    split = data.split("random_stratified", seed=3)
    assert [int(part.targets.sum()) for part in (split.train, split.valid, split.test)] == [32, 4, 4]
    with pytest.raises(DataError, match="needs one task"):
        dataset(tasks=2).split("random_stratified")


def test_random_keeps_duplicates_together():
    smiles = [s for n in range(30) for s in ("C" * (n + 1) + "O", "O" + "C" * (n + 1))]
    data = MoleculeDataset("twice", smiles, np.arange(60) % 2, ("t",), "classification")
    report = data.split("random", seed=2).report()
    assert report.duplicates_across == 0


def test_report_counts():
    data = MoleculeDataset(
        "d", ["CCO", "OCC", "c1ccccc1C", "c1ccccc1", "CN"], [0, 1, 1, 0, np.nan], ("t",), "classification"
    )
    split = data.split({"train": [0, 2], "valid": [1, 3], "test": [4]})
    report = split.report()
    assert report.duplicates_across == 1
    assert report.scaffolds_across == 1
    assert report.parts["train"].positives == {"t": 0.5}
    assert report.parts["test"].labels == {"t": 0}
    assert "molecules in more than one part: 1" in str(report)
    assert json.loads(json.dumps(report.to_dict()))["parts"]["train"]["size"] == 2
    assert any("test part" in warning for warning in split.warnings)


def test_own_splits_by_rows_columns_and_files(tmp_path):
    frame = {
        "smiles": ["CCO", "bad(", "CN", "CC", "CCC"],
        "y": [0, 1, 1, 0, 1],
        "split": ["train", "train", "Train", "val", "test"],
    }
    data = load(frame)
    by_column = data.split("column")
    assert [part.tolist() for part in by_column.indices] == [[0, 1], [2], [3]]
    by_rows = data.split(([0, 1, 2], [3], [4]))
    assert [part.tolist() for part in by_rows.indices] == [[0, 1], [2], [3]]
    assert any("1 listed rows cannot be read" in warning for warning in by_rows.warnings)
    path = tmp_path / "split.json"
    path.write_text(json.dumps(by_rows.to_dict()))
    from_file = data.split(path)
    assert all(np.array_equal(a, b) for a, b in zip(from_file.indices, by_rows.indices, strict=True))
    np.savez(tmp_path / "split.npz", train=[0, 2], valid=[3], test=[4])
    assert data.split(str(tmp_path / "split.npz")).name == "split.npz"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scafold", "Did you mean 'scaffold'"),
        ("column", "no split column"),
        (([0], [1]), "2 parts"),
        (([0], [1], [1]), "more than once"),
        (([0], [1], [99]), "row 99 is not in"),
        (([0.5], [1], [2]), "whole numbers"),
        ({"train": [0], "test": [1]}, "name them train, valid, test"),
        (([0, 1], [], [2]), "valid part empty"),
    ],
)
def test_mistakes_in_splits(name, message):
    with pytest.raises(DataError, match=message) as caught:
        dataset(20).split(name)
    assert "\n" not in str(caught.value)


def test_single_scaffold_suggests_random():
    data = MoleculeDataset("chains", ["C" * n for n in range(1, 41)], np.arange(40) % 2, ("t",), "classification")
    with pytest.raises(DataError, match=r"1 scaffold.*split='random'"):
        data.split("scaffold")
    assert len(data.split("random").train) == 32


def test_too_few_rows_and_one_class():
    few = MoleculeDataset("few", ["C", "CC", "CCC"], [0, 1, 0], ("t",), "classification")
    with pytest.raises(DataError, match="too few to split"):
        few.split("random")
    one = MoleculeDataset("one", drug_like(40), np.ones(40), ("t",), "classification")
    with pytest.raises(DataError, match="labels of one class only"):
        one.split("random")


def test_a_set_of_one_class_is_not_sent_to_another_split():
    one = MoleculeDataset("one", drug_like(40), np.ones(40), ("t",), "classification")
    with pytest.raises(DataError, match="nothing to learn: add other ones"):
        one.split("random")


@pytest.mark.parametrize("rule", ["scaffold", "scaffold_deterministic", "random", "random_stratified"])
@pytest.mark.parametrize("fractions", [(0.9, 0.1, 0), (0.7, 0.3, 0), (0.8, 0, 0.2), (1, 0, 0)])
def test_a_part_of_fraction_zero_is_empty(rule, fractions):
    split = dataset(99).split(rule, fractions=fractions)
    assert [len(part) > 0 for part in split.indices] == [share > 0 for share in fractions]
    assert sum(map(len, split.indices)) == 99


def test_fractions_are_numbers():
    with pytest.raises(DataError, match="sum to 1"):
        dataset(20).split("random", fractions=(float("nan"), 0.5, 0.5))


def test_all_rules_are_listed():
    assert {*RULES, "column", "none"} == set(SPLIT_NAMES)
