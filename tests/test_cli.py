"""The command line: what it prints, what it writes, and one line for a mistake."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import COMMANDS, main

ROOT = Path(__file__).resolve().parents[1]
TINY = ["--model-args.hidden_size", "16", "--model-args.num_layers", "2", "--model-args.num_heads", "2"]


@pytest.fixture(scope="module")
def file(tmp_path_factory, b3db) -> Path:
    """120 molecules as a CSV file."""
    path = tmp_path_factory.mktemp("data") / "molecules.csv"
    b3db.subset(range(0, 1200, 10)).to_frame().to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, file) -> Path:
    """A finished run."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    main(
        ["train", "--data", str(file), "--split", "random", "--epochs", "2", "--output", str(folder), *TINY, "--quiet"]
    )
    return folder


def failure(capsys, *arguments) -> str:
    """The one line that a mistake gets."""
    with pytest.raises(SystemExit) as stop:
        main([str(a) for a in arguments])
    assert stop.value.code == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "Traceback" not in line
    return line


def test_help_lists_commands_with_examples(capsys):
    main(["--help"])
    text = capsys.readouterr().out
    assert all(f"  {name}" in text for name in COMMANDS)
    assert "molzoo train --data esol" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "example" in text
    assert "--smiles_column" not in text


def test_list_and_describe(capsys):
    main(["list"])
    text = capsys.readouterr().out
    assert all(name in text for name in [*zoo.list_models(), *zoo.list_optimizers(), *zoo.list_featurizers()])
    main(["describe", "GraphSAM"])
    assert "2406.13137" in capsys.readouterr().out


def test_train_prints_and_writes_what_came_out(run, file, tmp_path, capsys):
    main(["train", "--data", str(file), "--split", "random", "--epochs", "1", "--output", str(tmp_path / "a"), *TINY])
    text = capsys.readouterr().out
    for part in ("test roc_auc 0.", "molecules per second", "tensorboard", "split 'random', seed 0", "parameters"):
        assert part in text
    for name in (
        "recipe.json",
        "metrics.json",
        "history.csv",
        "test_predictions.csv",
        "learning_curve.png",
        "test.png",
    ):
        assert (tmp_path / "a" / name).stat().st_size > 0
    metrics = json.loads((run / "metrics.json").read_text())
    predicted = pd.read_csv(run / "test_predictions.csv")
    learner = zoo.load(run)
    np.testing.assert_allclose(learner.predict(list(predicted["smiles"]))[:, 0], predicted["predicted_bbb"], rtol=1e-5)
    assert metrics["test"]["roc_auc"] == pytest.approx(learner.evaluate(test_part(file))["roc_auc"])


def test_part(file):
    return zoo.data.load(file).split("random", seed=0).test


test_part.__test__ = False


def test_sharpness_is_followed_on_request(file, tmp_path, capsys):
    options = ["--data", str(file), "--split", "random", "--epochs", "1", "--output", str(tmp_path / "a"), *TINY]
    main(["train", *options, "--sharpness-every", "1"])
    assert "largest Hessian eigenvalue" in capsys.readouterr().out
    assert "sharpness_every=0" in failure(capsys, "train", *options, "--sharpness-every", "0")


def test_several_seeds_are_summarized(file, tmp_path, capsys):
    main(
        ["train", "--data", str(file), "--split", "random", "--epochs", "1", "--seeds", "0", "1", "--quiet"]
        + ["--output", str(tmp_path), *TINY]
    )
    assert "± " in capsys.readouterr().out
    recipes = [zoo.Recipe.read(tmp_path / f"seed{seed}" / "recipe.json") for seed in (0, 1)]
    assert [recipe.seed for recipe in recipes] == [0, 1]


def test_recipe_file_is_repeated_and_overridden(run, tmp_path, capsys):
    main(["train", "--recipe", str(run / "recipe.json"), "--output", str(tmp_path / "again"), "--quiet"])
    first, again = (json.loads((folder / "metrics.json").read_text())["test"] for folder in (run, tmp_path / "again"))
    assert first == again
    main(
        ["train", "--recipe", str(run / "recipe.json"), "--output", str(tmp_path / "other"), "--quiet"]
        + ["--epochs", "1", "--optimizer", "sam"]
    )
    other = zoo.Recipe.read(tmp_path / "other" / "recipe.json")
    assert (other.training.epochs, other.optimizer, other.model_args["hidden_size"]) == (1, "sam", 16)


def test_predict_keeps_rows_and_order(run, tmp_path, capsys):
    rows = ["CCO", "not a molecule", "", "c1ccccc1", "CCO", "[Na+].[Cl-]"]
    pd.DataFrame({"id": range(10, 16), "structure": rows, "x": ["a,b", "", "ü", "1.50", "NA", "0"]}).to_csv(
        tmp_path / "in.csv", index=False
    )
    main(
        ["predict", str(run), str(tmp_path / "in.csv"), "--smiles-column", "structure", "--num-workers", "0"]
        + ["--output", str(tmp_path / "out.csv"), "--quiet"]
    )
    written = pd.read_csv(tmp_path / "out.csv", dtype=str, keep_default_na=False)
    read = pd.read_csv(tmp_path / "in.csv", dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(written[read.columns], read)
    values = pd.to_numeric(written["predicted_bbb"], errors="coerce")
    np.testing.assert_allclose(values[[0, 3, 4, 5]], zoo.load(run).predict([rows[i] for i in (0, 3, 4, 5)])[:, 0], 1e-5)
    assert values[[1, 2]].isna().all()
    assert (written["reason"].str.len() > 0).tolist() == [False, True, True, False, False, False]
    assert "6 rows, 2 without a prediction" in capsys.readouterr().out


def test_evaluate_says_the_same_as_training(run, capsys):
    main(["evaluate", str(run), "--json"])
    evaluated = json.loads(capsys.readouterr().out)
    metrics = json.loads((run / "metrics.json").read_text())["test"]
    assert {name: evaluated[name] for name in metrics} == pytest.approx(metrics)


def test_words_that_mean_the_opposite_are_not_evaluated(run, tmp_path, capsys):
    recipe = zoo.Recipe.read(run / "recipe.json")
    learner = zoo.assemble(recipe)
    learner.fitted = dataclasses.replace(learner.fitted, task_names=("bbb",), label_names={"bbb": ["blue", "red"]})
    learner.save(tmp_path / "trained")
    rows = "".join(f"{'C' * n},{'red' if n % 2 else 'zinc'}\n" for n in range(1, 9))
    (tmp_path / "words.csv").write_text(f"smiles,bbb\n{rows}")
    message = failure(capsys, "evaluate", tmp_path / "trained", "--data", tmp_path / "words.csv")
    assert "'red' as class 0" in message
    (tmp_path / "words.csv").write_text(f"smiles,bbb\n{rows.replace('zinc', 'blue')}")
    main(["evaluate", str(tmp_path / "trained"), "--data", str(tmp_path / "words.csv")])
    assert "roc_auc" in capsys.readouterr().out


def test_the_output_is_called_as_the_input_but_for_how_it_is_written(run, tmp_path, capsys):
    for name in ("a.train.csv", "a.test.smi.gz"):
        (tmp_path / name).write_text("CCO\nCCN\n")
        main(["predict", str(run), str(tmp_path / name), "--num-workers", "0", "--quiet"])
    written = {path.name for path in tmp_path.glob("*.predicted.csv")}
    name = f"{run.parent.name}-{run.name}"
    assert written == {f"a.train.{name}.predicted.csv", f"a.test.{name}.predicted.csv"}


def test_data_check_takes_what_messages_advise(tmp_path, capsys):
    (tmp_path / "caret.csv").write_text("smiles^y\nCCO^1,5\nCCN^2,5\n")
    main(["data", "check", str(tmp_path / "caret.csv"), "--separator", "^", "--decimal", ","])
    assert "mean 2" in capsys.readouterr().out


def test_data_check_reports(file, capsys):
    main(["data", "check", str(file)])
    text = capsys.readouterr().out
    assert "120 rows" in text
    assert "scaffold" in text


def test_mistakes_get_one_line(run, file, tmp_path, capsys):
    one_class = tmp_path / "one_class.csv"
    one_class.write_text("smiles,y\n" + "".join(f"{'C' * n},1\n" for n in range(1, 30)))
    unreadable = tmp_path / "unreadable.csv"
    unreadable.write_text("smiles,y\nxx,1\nyy,0\n")
    unlabelled = tmp_path / "unlabelled.smi"
    unlabelled.write_text("CCO ethanol\nCCN amine\n")
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    for words, arguments in {
        "Did you mean 'train'": ["trian"],
        "Did you mean 'grover'": ["train", "--model", "grovr", "--data", file],
        "Did you mean 'graphsam'": ["train", "--optimizer", "graphsan", "--data", file],
        "has no option 'hidden'": ["train", "--model-args.hidden", "3", "--data", file],
        "--epochz": ["train", "--epochz", "3"],
        "--epochs": ["train", "--epochs", "many"],
        "epochs=0": ["train", "--epochs", "0", "--data", file],
        "missing.csv": ["train", "--data", tmp_path / "missing.csv"],
        "'logS'": ["train", "--data", file, "--tasks", "logS"],
        "'structure'": ["train", "--data", file, "--smiles-column", "structure"],
        "unreadable.csv": ["train", "--data", unreadable],
        "there are no labels to learn": ["train", "--data", unlabelled],
        "device='tpu9' is unknown": ["predict", run, file, "--device", "tpu9"],
        "it is a folder": ["predict", run, file, "--output", folder],
        "one class": ["train", "--data", one_class, "--split", "random", "--output", tmp_path / "x"],
        "holds a run already": ["train", "--data", file, "--output", run, *TINY],
        "is not the folder of a run": ["train", "--resume", tmp_path],
        "holds no checkpoint": ["predict", tmp_path, file],
        "nowhere.csv": ["predict", run, tmp_path / "nowhere.csv"],
        "a recipe is a mapping": ["train", "--recipe", file],
        "unknown name": ["describe", "nothing"],
    }.items():
        assert words in failure(capsys, *arguments)


def test_task_count_that_does_not_fit(run, tmp_path, capsys):
    two = tmp_path / "two.csv"
    two.write_text("smiles,a,b\n" + "".join(f"{'C' * n},{n % 2},{n % 3 % 2}\n" for n in range(1, 30)))
    assert "no labels for 'bbb'" in failure(capsys, "evaluate", run, "--data", two, "--tasks", "a", "b")


def test_killed_training_resumes_bit_equal(file, tmp_path):
    """The process is killed in mid-epoch, and `--resume` ends as an uninterrupted run does."""
    options = ["--data", str(file), "--split", "random", "--epochs", "4", *TINY, "--quiet", "--batch-size", "8"]
    main(["train", "--output", str(tmp_path / "whole"), *options])
    code = (
        "import os, signal, sys\n"
        "from zoo import training\n"
        "step = training.TrainingRun.train_step\n"
        "def counted(run, window):\n"
        "    step(run, window)\n"
        "    if run.step == 29:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "training.TrainingRun.train_step = counted\n"
        "from zoo.commands.main import main\n"
        "main(sys.argv[1:])\n"
    )
    broken = str(tmp_path / "broken")
    killed = subprocess.run([sys.executable, "-c", code, "train", "--output", broken, *options], cwd=ROOT, check=False)
    assert killed.returncode == -9
    main(["train", "--resume", broken, "--quiet"])
    whole, resumed = (zoo.load(tmp_path / name).model.state_dict() for name in ("whole", "broken"))
    assert all(whole[name].equal(resumed[name]) for name in whole)
    numbers = [json.loads((tmp_path / name / "metrics.json").read_text()) for name in ("whole", "broken")]
    assert numbers[0]["test"] == numbers[1]["test"]
