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
from zoo.commands.main import main
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
OPTIONS = ["--model", "random_forest", "--model-args.num_trees", "5", "--model-args.num_jobs", "1", "--quiet"]


@pytest.fixture(scope="module", autouse=True)
def no_pages():
    """Members write no pages for TensorBoard, which take most of the time of runs as small as these."""
    with pytest.MonkeyPatch.context() as patch:
        for page in ("write_test_pages", "write_metrics"):
            patch.setattr(f"zoo.views.tensorboard_pages.{page}", lambda *args: None)
        yield


@pytest.fixture(scope="module")
def few(b3db):
    return b3db.subset(range(0, len(b3db), 80))


@pytest.fixture(scope="module")
def seeds(few, tmp_path_factory):
    return train_seeds(FOREST, few, seeds=[3, 0, 1], folder=tmp_path_factory.mktemp("seeds") / "ens", progress=False)


@pytest.fixture(scope="module")
def folds(few, tmp_path_factory):
    return cross_validate(FOREST, folds=4, dataset=few, folder=tmp_path_factory.mktemp("folds") / "ens", progress=False)


@pytest.fixture
def here(tmp_path, monkeypatch, few):
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"smiles": few.smiles, "bbb": few.targets[:, 0].astype(int)}).to_csv("some.csv", index=False)
    return tmp_path


def refused(capsys, *words, status=2):
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(list(map(str, words)))
    printed = capsys.readouterr().err
    assert stopped.value.code == status
    assert printed.count("\n") == 1, printed
    return printed


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


def test_the_command_trains_resumes_evaluates_and_reports(here, capsys):
    data = ["--data", "some.csv", "--split", "random"]
    main(["train", *data, "--folds", "3", "--output", "ens", *OPTIONS])
    printed = capsys.readouterr().out
    assert "(3 folds: " in printed
    assert "out of fold, all together: roc_auc" in printed
    main(["train", "--resume", "ens", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["run"] for line in lines] == ["ens/fold0", "ens/fold1", "ens/fold2", "ens"]
    assert "folds 3: leave --folds out" in refused(capsys, "train", "--resume", "ens", "--folds", 4)
    assert "holds an ensemble already" in refused(capsys, "train", *data, "--folds", 3, "--output", "ens", *OPTIONS)
    assert "has no test part: give other data" in refused(capsys, "evaluate", "ens")
    main(["evaluate", "ens", "--data", "some.csv", "--json"])
    assert json.loads(capsys.readouterr().out)["trained_on"] == len(pd.read_csv("some.csv"))
    zoo.load("ens").save("saved")
    assert "members were trained on different parts" in refused(capsys, "evaluate", "saved")
    main(["describe", "ens"])
    assert "3 members predict 1 classification task" in capsys.readouterr().out
    main(["report", "ens"])
    assert "3 runs" in (here / "ens" / "report.md").read_text()


def test_a_test_file_is_compared_with_the_training_part_and_measured(here, few, capsys):
    table = pd.read_csv("some.csv")
    table[20:60].to_csv("known.csv", index=False)
    table[:60].to_csv("train.csv", index=False)
    table[60:].to_csv("test.csv", index=False)
    main(["train", "--data", "train.csv", "--test-file", "test.csv", "--split", "random", "--output", "run", *OPTIONS])
    run = RunFolder("run")
    assert run.recipe.data.test_file == "test.csv"
    assert [len(run.split.rows[part]) for part in ("train", "valid", "test")] == [54, 6, 0]
    written = pd.read_csv("run/test_predictions.csv")
    assert written["smiles"].tolist() == table["smiles"][60:].tolist()
    expected = zoo.load("run").evaluate(zoo.data.load("test.csv"))["roc_auc"]
    assert run.metrics["test"]["roc_auc"] == pytest.approx(expected)
    capsys.readouterr()
    main(["evaluate", "run", "--json"])
    assert json.loads(capsys.readouterr().out)["roc_auc"] == pytest.approx(expected)
    main(["train", "--data", "train.csv", "--test-file", "known.csv", "--split", "none", "--output", "a", *OPTIONS])
    warning = "40 of 40 molecules of the test file known.csv are in the training part"
    assert capsys.readouterr().err.count(warning) == 1
    refusal = refused(capsys, "train", "--data", "train.csv", "--test-file", "test.csv", "--split", "random",
                      "--fractions", 0.8, 0.1, 0.1, "--output", "b", *OPTIONS)  # fmt: skip
    assert "keeps 6 molecules for testing already" in refusal
    assert not (here / "b").exists()
    table[60:].rename(columns={"bbb": "other"}).to_csv("other.csv", index=False)
    assert "bbb" in refused(
        capsys, "train", "--data", "train.csv", "--test-file", "other.csv", "--output", "c", *OPTIONS
    )


def test_everything_trains_and_nothing_is_measured(here, capsys):
    main(["train", "--data", "some.csv", "--split", "none", "--seeds", "4", "--output", "run", *OPTIONS])
    assert len(RunFolder("run").split.rows["train"]) == len(pd.read_csv("some.csv"))
    assert "test_predictions.csv" not in capsys.readouterr().out
    assert not (here / "run" / "test_predictions.csv").exists()
    main(["train", "--resume", "run", "--quiet"])
    assert "has no test part" in refused(capsys, "evaluate", "run")


def test_folds_and_a_test_file_measure_the_ensemble_on_the_file(here):
    table = pd.read_csv("some.csv")
    table[:70].to_csv("train.csv", index=False)
    table[70:].to_csv("test.csv", index=False)
    data = ["--data", "train.csv", "--test-file", "test.csv", "--split", "kfold"]
    main(["train", *data, "--folds", "3", "--output", "run", *OPTIONS])
    values = json.loads((here / "run" / "metrics.json").read_text())
    expected = zoo.load("run").evaluate(zoo.data.load("test.csv"))
    assert values["test"]["roc_auc"] == pytest.approx(expected["roc_auc"])
    assert len(pd.read_csv("run/out_of_fold.csv")) == 70


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
