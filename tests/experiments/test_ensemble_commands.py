"""Seeds, folds, test files and training on everything, from the command line."""

from __future__ import annotations

import json

import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.runs.folder import RunFolder

OPTIONS = ["--model", "random_forest", "--model-args.num_trees", "5", "--model-args.num_jobs", "1", "--quiet"]

pytestmark = pytest.mark.usefixtures("no_pages")


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
