"""Evaluating and resuming a run on the rows that it was cut into, and refusing to where they have changed."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.experiments.parts import choose_part
from zoo.recipe.recipe import Recipe
from zoo.runs.folder import RunFolder
from zoo.runs.saved_split import DataChanged

FOREST = ["--model", "random_forest", "--model-args.num_trees", "5", "--model-args.num_jobs", "1", "--quiet"]
GCN = ["--model", "gcn", "--model-args.hidden_size", "8", "--optimizer", "adam", "--epochs", "1", "--quiet"]


@pytest.fixture(scope="module")
def table(b3db):
    part = b3db.subset(range(0, len(b3db), 80))
    return pd.DataFrame({"smiles": part.smiles, "bbb": part.targets[:, 0].astype(int)})


@pytest.fixture
def here(tmp_path, monkeypatch, table):
    monkeypatch.chdir(tmp_path)
    table.to_csv("some.csv", index=False)
    return tmp_path


def train(*options):
    main(["train", "--data", "some.csv", "--split", "random", "--output", "run", *map(str, options)])


def evaluated(capsys, *options) -> dict:
    capsys.readouterr()
    main(["evaluate", *map(str, options), "--json"])
    return json.loads(capsys.readouterr().out)


def failure(capsys, *options) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main(list(map(str, options)))
    printed = capsys.readouterr().err
    assert stopped.value.code == 2
    assert printed.count("\n") == 1
    return printed


@pytest.mark.parametrize("seed", [0, 3])
def test_the_test_part_of_the_same_file_is_that_of_the_run(here, capsys, seed):
    train(*FOREST, "--seeds", seed)
    told = json.loads((here / "run" / "metrics.json").read_text())["test"]
    for options in (["run"], ["run", "--data", "some.csv", "--part", "test"], ["run", "--data", "some.csv"], ["."]):
        if options == ["."]:
            os.chdir("run")
            options += ["--data", "../some.csv"]
        found = evaluated(capsys, *options)
        assert {name: found[name] for name in told} == pytest.approx(told)
        assert (found["part"], found["trained_on"]) == ("test", 0)


def test_what_was_trained_on_is_said_loudly(here, capsys, table):
    train(*FOREST)
    assert evaluated(capsys, "run", "--data", "some.csv", "--part", "all")["trained_on"] == 78
    other = pd.concat([table.iloc[:10], pd.DataFrame({"smiles": ["CCCCCCCCCCCO", "CCCCCCCCCN"], "bbb": [0, 1]})])
    other["smiles"] = [f"{text} name" for text in other["smiles"]]
    other.to_csv("other.csv", index=False)
    rows = set(RunFolder("run").split.rows["train"])
    expected = len(rows & set(range(10)))
    assert evaluated(capsys, "run", "--data", "other.csv")["trained_on"] == expected > 0
    main(["evaluate", "run", "--data", "other.csv"])
    assert f"ATTENTION: the model was trained on {expected} of these 12 molecules" in capsys.readouterr().out
    assert "its parts are unknown" in failure(capsys, "evaluate", "run", "--data", "other.csv", "--part", "test")
    main(["evaluate", "run"])
    assert "ATTENTION" not in capsys.readouterr().out


def relabelled(table):
    return table.assign(bbb=np.where(np.arange(len(table)) == 5, 1 - table["bbb"], table["bbb"]))


CHANGES = {
    "prepended": (lambda table: pd.concat([table.iloc[-3:], table]), "it has 101 molecules, not 98"),
    "appended": (lambda table: pd.concat([table, table.iloc[:1]]), "it has 99 molecules, not 98"),
    "sorted": (lambda table: table.sort_values("smiles"), "its rows are in another order"),
    "relabelled": (relabelled, "other labels in 'bbb'"),
    "replaced": (lambda table: table.assign(smiles=["CCCCCCCCCl", *table["smiles"][1:]]), "other molecules"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_data_stop_evaluation_and_resuming(here, capsys, table, change):
    train(*GCN)
    make, words = CHANGES[change]
    make(table).to_csv("some.csv", index=False)
    for options in (["run"], ["run", "--data", "some.csv"], ["run", "--data", here / "some.csv", "--part", "valid"]):
        message = failure(capsys, "evaluate", *options)
        assert words in message
        assert "--part all" in message
    assert evaluated(capsys, "run", "--part", "all")["trained_on"] >= 76
    message = failure(capsys, "train", "--resume", "run", "--epochs", "2")
    assert words in message
    assert "start a new run" in message
    assert RunFolder("run").recipe.training.epochs == 1


def test_moved_data_are_found_with_their_new_place(here, capsys, table):
    train(*GCN)
    told = json.loads((here / "run" / "metrics.json").read_text())["test"]
    (here / "else").mkdir()
    shutil.move("some.csv", "else/renamed.csv")
    for command in (["evaluate", "run"], ["train", "--resume", "run"], ["sharpness", "run"]):
        assert "--data" in failure(capsys, *command)
    found = evaluated(capsys, "run", "--data", "else/renamed.csv")
    assert (found["part"], {name: found[name] for name in told}) == ("test", pytest.approx(told))
    main(["train", "--resume", "run", "--data", "else/renamed.csv", "--epochs", "2", "--quiet"])
    recipe = RunFolder("run").recipe
    assert (recipe.data.source, recipe.training.epochs) == ("else/renamed.csv", 2)
    main(["sharpness", "run", "--data", "else/renamed.csv", "--eigenvalues", "0", "--max-molecules", "8"])


def test_a_finished_run_is_trained_longer_and_ends_where_the_schedule_ended(here, capsys):
    train(*GCN)
    main(["train", "--resume", "run"])
    assert "all 1 epochs are trained: a larger --epochs" in capsys.readouterr().out
    main(["train", "--resume", "run", "--epochs", "3"])
    text = capsys.readouterr().out
    assert "1 epochs become 3: the learning rate stays at its last value after epoch 1" in text
    history = RunFolder("run").read_history()
    assert len(history) == 3
    assert history["learning_rate"].nunique() == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--optimizer", "sam"], "--optimizer is 'adam' there, not 'sam'"),
        (["--batch-size", "8"], "--batch-size is 32 there, not 8"),
        (["--split", "scaffold"], "--split is 'random' there"),
        (["--model-args.hidden_size", "16"], "--model-args.hidden_size is 8 there, not 16"),
        (["--epochs", "1", "--schedule", "constant"], "--schedule"),
        (["--epochs", "1"], "only a larger number of epochs"),
        (["--seeds", "4"], "the run has seed 0"),
        (["--output", "x"], "leave --output out"),
        (["--recipe", "grover-graphsam"], "leave --recipe out"),
    ],
)
def test_options_that_conflict_with_the_run_are_errors(here, capsys, options, words):
    train(*GCN[:-3], "--epochs", "2", "--quiet")
    before = (here / "run" / "recipe.json").read_text()
    assert words in failure(capsys, "train", "--resume", "run", *options)
    assert (here / "run" / "recipe.json").read_text() == before


def test_a_run_without_a_saved_split_is_cut_by_its_own_recipe(here, capsys):
    train(*FOREST, "--seeds", 2)
    told = json.loads((here / "run" / "metrics.json").read_text())["test"]
    (here / "run" / "split.json").unlink()
    (here / "run" / "trained_on.npy").unlink()
    for options in (["run"], ["run", "--data", "some.csv", "--part", "test"]):
        found = evaluated(capsys, *options)
        assert {name: found[name] for name in told} == pytest.approx(told)
    main(["evaluate", "run"])
    assert "the run saved none" in capsys.readouterr().out


def test_from_python_too(b3db, tmp_path):
    few = b3db.subset(range(0, len(b3db), 130))
    options = {"split": "random", "epochs": 1, "progress": False, "logdir": tmp_path / "run"}
    learner = zoo.build("gcn", model_args={"hidden_size": 8})
    history = learner.fit(few, **options)
    saved = RunFolder(tmp_path / "run").split
    assert saved.rows == history.split.to_dict()
    again = saved.cut(few, "run", "remedy")
    assert all(np.array_equal(a, b) for a, b in zip(again.indices, history.split.indices, strict=True))
    with pytest.raises(DataChanged, match="start a new run"):
        zoo.build("gcn", model_args={"hidden_size": 8}).fit(few.subset(range(50)), resume=True, **options)
    with pytest.raises(DataChanged, match="--part all"):
        choose_part(tmp_path / "run", Recipe.read(tmp_path / "run" / "recipe.json"))


def test_a_model_that_trains_itself_has_no_optimizer_and_no_curve(here, capsys):
    main(["train", "--data", "some.csv", "--split", "random", *FOREST])
    run = here / "runs" / "some-random_forest-seed0"
    assert RunFolder(run).recipe.optimizer == "none"
    assert not (run / "learning_curve.png").exists()
    told = json.loads((run / "metrics.json").read_text())["test"]
    main(["train", "--recipe", str(run / "recipe.json"), "--output", "again", "--quiet"])
    assert json.loads((here / "again" / "metrics.json").read_text())["test"] == told
    main(["train", "--resume", str(run), "--quiet"])
    assert json.loads((run / "metrics.json").read_text())["test"] == told
