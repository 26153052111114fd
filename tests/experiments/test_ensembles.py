"""Seeds and folds: members, out-of-fold predictions, resuming, and what the folder is used for."""

from __future__ import annotations

import dataclasses
import json
import pickle
import shutil

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

import zoo
from zoo.data import DataError
from zoo.experiments import cross_validate, experiment, train_members, train_seeds
from zoo.experiments.ensembles import EnsemblePlan, MembersFailed
from zoo.experiments.ensembles.training import complete
from zoo.experiments.sweep.workers import work
from zoo.recipe.options import DataOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.ensemble_folder import open_ensemble
from zoo.runs.folder import RunFolder

TREES = {"num_trees": 5, "num_jobs": 1}
FOREST = Recipe("random_forest", "none", "fingerprint", model_args=TREES, data=DataOptions(split="random"))

pytestmark = pytest.mark.usefixtures("no_pages")


@pytest.fixture(scope="module")
def seeds(few, tmp_path_factory):
    return train_seeds(FOREST, few, seeds=[3, 0, 1], folder=tmp_path_factory.mktemp("seeds") / "ens", progress=False)


@pytest.fixture(scope="module")
def folds(few, tmp_path_factory):
    return cross_validate(FOREST, folds=4, dataset=few, folder=tmp_path_factory.mktemp("folds") / "ens", progress=False)


def test_seeds_share_the_parts_and_the_ensemble_is_measured_on_them(seeds, few):
    parts = [RunFolder(seeds.folder / name).split.rows for name in ("seed3", "seed0", "seed1")]
    assert parts[0] == parts[1] == parts[2] == few.split("random", seed=3).to_dict()
    assert RunFolder(seeds.folder / "seed1").recipe.data.split_seed == 3
    test = few.split("random", seed=3).test
    assert dict(seeds.test) == dict(zoo.load(seeds.folder).evaluate(test))
    alone = [zoo.load(seeds.folder / name).evaluate(test)["roc_auc"] for name in seeds.members]
    assert seeds.scores["roc_auc"] == pytest.approx(alone)
    assert seeds.mean["roc_auc"] == pytest.approx(np.mean(alone))
    assert seeds.sd["roc_auc"] == pytest.approx(np.std(alone, ddof=1))


def test_the_folder_of_seeds_is_one_learner(seeds):
    loaded = zoo.load(seeds.folder)
    assert [member.recipe.seed for member in loaded.members] == [3, 0, 1]
    written = pd.read_csv(seeds.folder / "test_predictions.csv")
    assert list(written)[-2:] == ["predicted_bbb", "sd_bbb"]
    found = loaded.predictions(written["smiles"])
    np.testing.assert_allclose(written["predicted_bbb"], found.values[:, 0], rtol=1e-6)
    np.testing.assert_allclose(written["sd_bbb"], found.spread[:, 0], rtol=1e-5)
    values = json.loads((seeds.folder / "metrics.json").read_text())
    assert values["test"] == pytest.approx(dict(seeds.test))
    assert set(values["members"]) == {"seed3", "seed0", "seed1"}


def test_seeds_that_cut_anew_have_no_test_part_in_common(few, tmp_path):
    found = train_seeds(FOREST, few, seeds=[0, 1], resplit=True, folder=tmp_path / "ens", progress=False)
    first, second = (RunFolder(tmp_path / "ens" / f"seed{seed}").split.rows["test"] for seed in (0, 1))
    assert first != second
    assert found.test == {}
    assert not found.ensemble.shares_parts
    assert RunFolder(tmp_path / "ens").split.rows["test"] == []


def test_each_molecule_is_predicted_by_the_member_that_has_not_seen_it(folds, few):
    table = folds.predictions
    assert table["smiles"].tolist() == few.smiles
    assert sorted(table["fold"].unique()) == [0, 1, 2, 3]
    for fold in range(4):
        learner = zoo.load(folds.folder / f"fold{fold}")
        rows = np.flatnonzero(table["fold"] == fold)
        assert rows.tolist() == few.split("kfold", fold=fold, num_folds=4).indices[2].tolist()
        saved = RunFolder(folds.folder / f"fold{fold}").split.rows
        assert not set(few.rows[rows].tolist()) & {*saved["train"], *saved["valid"]}
        np.testing.assert_array_equal(table["predicted_bbb"].to_numpy()[rows], learner.predict(few.subset(rows))[:, 0])
    assert folds.pooled["roc_auc"] == pytest.approx(roc_auc_score(few.targets[:, 0], table["predicted_bbb"]))
    pd.testing.assert_frame_equal(pd.read_csv(folds.folder / "out_of_fold.csv", index_col="row"), table, rtol=1e-6)


def test_folds_are_an_ensemble_without_a_test_part_of_their_own(folds, few):
    assert len(zoo.load(folds.folder).members) == 4
    assert folds.test == {}
    assert folds.metric == "roc_auc"
    assert np.isfinite([*folds.mean.values(), *folds.sd.values()]).all()


def test_folds_are_repeated_for_each_seed(few):
    found = cross_validate(FOREST, folds=3, seeds=[1, 2], split="scaffold", dataset=few, progress=False)
    assert list(found.members) == [f"seed{seed}-fold{fold}" for seed in (1, 2) for fold in range(3)]
    assert found.folder is None
    table = found.predictions
    assert (table["fold_seed1"] != table["fold_seed2"]).any()
    each = np.stack([member.predict(few)[:, 0] for member in found.ensemble.members])
    rows = np.arange(len(few))
    both = np.stack([each[table["fold_seed1"], rows], each[3 + table["fold_seed2"], rows]])
    np.testing.assert_allclose(table["predicted_bbb"], both.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(table["sd_bbb"], both.std(axis=0, ddof=1), rtol=1e-5, atol=1e-7)
    scaffolds = few.scaffolds
    assert all(len({scaffolds[i] for i in np.flatnonzero(table["fold_seed1"] == fold)}) for fold in range(3))


def test_processes_give_what_one_process_gives(seeds, few, tmp_path, monkeypatch):
    started = []

    def start(number, arguments, threads_each):
        started.append((number, threads_each))
        work(*pickle.loads(pickle.dumps(arguments)))  # as a process gets them; those of sweeps test the processes

    monkeypatch.setattr("zoo.experiments.ensembles.members.start_workers", start)
    folder, lines = tmp_path / "ens", []
    monkeypatch.setattr("builtins.print", lambda *words, **options: lines.append(words[0]))
    train_seeds(FOREST, few, seeds=[3, 0, 1], folder=folder, workers=8, report=print_line)
    assert started == [(3, 1)]
    assert [line.partition(":")[0] for line in lines] == ["seed3", "seed0", "seed1"]
    np.testing.assert_array_equal(zoo.load(folder).predict(few), seeds.ensemble.predict(few))
    assert {name: RunFolder(folder / name).metrics["test"] for name in seeds.members} == {
        name: each["test"] for name, each in seeds.members.items()
    }


def print_line(line):
    print(line)


def test_an_interrupted_ensemble_goes_on_with_what_is_missing(few, tmp_path, monkeypatch):
    original, calls = experiment.run, []

    def run(recipe, **options):
        calls.append(recipe.seed)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(recipe, **options)

    monkeypatch.setattr(experiment, "run", run)
    plan = EnsemblePlan(FOREST, (0, 1, 2))
    options = {"dataset": few, "folder": tmp_path / "ens", "progress": False}
    with pytest.raises(KeyboardInterrupt):
        train_members(plan, **options)
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        zoo.load(tmp_path / "ens")
    with pytest.raises(CheckpointError, match="resume it"):
        train_members(plan, **options)
    with pytest.raises(CheckpointError, match="holds an ensemble of"):
        train_members(EnsemblePlan(FOREST, (0, 1)), resume=True, **options)
    found = train_members(plan, resume=True, **options)
    assert calls == [0, 1, 1, 2]
    assert len(found.ensemble.members) == 3


def test_what_came_after_training_stays_when_nothing_is_trained(few, tmp_path):
    plan, options = EnsemblePlan(FOREST, (0, 1)), {"dataset": few, "folder": tmp_path / "ens", "progress": False}
    train_members(plan, **options)
    dataclasses.replace(open_ensemble(tmp_path / "ens"), weights=(1.0, 3.0)).note()
    train_members(plan, resume=True, **options)
    assert zoo.load(tmp_path / "ens").weights == (0.25, 0.75)


def test_a_member_without_a_result_is_named_and_tried_again(few, tmp_path, monkeypatch):
    original = experiment.run

    def run(recipe, **options):
        if recipe.seed == 1:
            folder = RunFolder(options["folder"])
            folder.claim()
            folder.set_state("failed", "training diverged: the loss became nan")
            folder.release()
            return None
        return original(recipe, **options)

    monkeypatch.setattr(experiment, "run", run)
    options = {"dataset": few, "folder": tmp_path / "ens", "progress": False}
    with pytest.raises(MembersFailed, match=r"1 of 2 members have no result \(seed1: training diverged"):
        train_seeds(FOREST, seeds=[0, 1], **options)
    monkeypatch.setattr(experiment, "run", original)
    assert len(train_members(EnsemblePlan(FOREST, (0, 1)), resume=True, **options).members) == 2


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"seeds": (0, 1, 0)}, ValueError, "seed 0 is named twice"),
        ({"seeds": ()}, ValueError, "there are no seeds"),
        ({"folds": 2}, DataError, "folds=2: give at least 3"),
        ({"folds": 0}, DataError, "folds=0: give at least 3"),
        ({"folds": 200}, DataError, r"200 folds of \d+ different molecules: give at most"),
        ({"folds": 99, "split": "scaffold"}, DataError, r"99 folds of \d+ scaffolds: give at most"),
        ({"folds": 40, "split": "stratified_kfold"}, DataError, r"40 folds of \d+ molecules of class 0: give at most"),
        ({"folds": 3, "split": "butina"}, DataError, "'butina' cuts no folds"),
        ({"folds": 3, "fractions": (0.8, 0.1, 0.1)}, DataError, "leave one of them out"),
        ({"folds": 3, "split_args": {"fold": 1}}, DataError, "folds=3 trains on all folds: leave fold out"),
        ({"workers": 0}, ValueError, "workers=0"),
    ],
)
def test_plans_that_cannot_work_leave_no_folder(few, tmp_path, options, error, message):
    named = {name: options.pop(name) for name in ("split", "fractions", "split_args") if name in options}
    data = DataOptions(**{"split": "random", **named})
    workers = options.pop("workers", 1)
    with pytest.raises(error, match=message) as caught:
        train_members(
            EnsemblePlan(dataclasses.replace(FOREST, data=data), **options),
            dataset=few,
            folder=tmp_path / "ens",
            workers=workers,
        )
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ens").exists()


def test_python_names_data_split_and_training(few):
    recipe, others = complete("gcn", few, "kfold", {"epochs": 1, "batch_size": 8, "workers": 2})
    assert (recipe.data.source, recipe.data.split, recipe.data.tasks) == ("b3db", "kfold", ("bbb",))
    assert (recipe.training.epochs, recipe.training.batch_size, others) == (1, 8, {"workers": 2})
    asked = dataclasses.replace(recipe, data=DataOptions("my.csv", split="none"))
    assert complete(asked, few, None, {"patience": 3})[0].data == asked.data
    with pytest.raises(TypeError, match="epoch"):
        cross_validate("gcn", few, epoch=1)


def test_the_folder_may_move(seeds, tmp_path, few):
    moved = shutil.copytree(seeds.folder, tmp_path / "moved")
    np.testing.assert_array_equal(zoo.load(moved).predict(few), seeds.ensemble.predict(few))
