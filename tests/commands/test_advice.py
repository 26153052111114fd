"""What messages advise works: each test follows the advice that it got."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from zoo.commands.main import main

TINY = ["--model", "gcn", "--model-args.hidden_size", "8", "--epochs", "1", "--quiet"]


@pytest.fixture(scope="module")
def few(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("few") / "few.csv"
    path.write_text("smiles,y\n" + "".join(f"C1{'C' * n}1,{n % 2}\n" for n in range(2, 32)))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, few) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "a"
    main(["train", "--data", str(few), "--split", "random", "--output", str(folder), *TINY])
    return folder


def refused(capsys, *arguments, status=2) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    text = capsys.readouterr().err
    code = stop.value.code
    assert (code if isinstance(code, int) else 1) == status, text
    return text if isinstance(code, int) else str(code)


def test_a_split_that_draws_nothing_and_several_seeds(few, tmp_path, capsys):
    options = ["train", "--data", few, "--split", "scaffold_deterministic", "--output", tmp_path / "a", "--seeds", 1]
    for words in ([], [2, "--resplit"]):
        text = refused(capsys, *options, *words, *TINY)
        assert "(--split-seed 0)" in text
        assert not (tmp_path / "a").exists()
    main([str(word) for word in [*options, 2, *TINY]])
    assert {path.name for path in (tmp_path / "a").iterdir() if path.is_dir()} == {"seed1", "seed2"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_is_not_there(device, few, run, tmp_path, capsys):
    for command in (["train", "--data", few, *TINY, "--output", tmp_path / "a"], ["predict", run, few],
                    ["evaluate", run], ["sharpness", run]):  # fmt: skip
        text = refused(capsys, *command, "--device", device)
        assert "no GPU here" in text
        assert text.count("\n") == 1
    assert not (tmp_path / "a").exists()
    main(["evaluate", str(run), "--device", "auto"])


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
@pytest.mark.parametrize("model", ["gcn", "gat", "gin", "mpnn", "attentive_fp", "grover"])
def test_half_precision_trains_models_on_kernels(model, precision, few, tmp_path):
    width = [] if model == "gat" else ["--model-args.hidden_size", "8"]
    main(["train", "--data", str(few), "--split", "random", "--model", model, *width, "--epochs", "1", "--quiet"]
         + ["--precision", precision, "--output", str(tmp_path / "a")])  # fmt: skip
    assert (tmp_path / "a" / "metrics.json").exists()


def test_a_file_of_which_no_row_can_be_predicted(run, tmp_path, capsys):
    (tmp_path / "bad.csv").write_text("smiles\nxx\nyy\n")
    options = ["predict", run, tmp_path / "bad.csv", "--num-workers", "0", "--quiet"]
    assert "no row could be predicted: not a SMILES" in refused(capsys, *options, status=1)


def test_a_training_that_diverges(few, tmp_path, capsys):
    options = ["--optimizer", "sgd", "--optimizer-args.lr", "1e30", "--schedule", "constant", "--epochs", "3"]
    command = ["train", "--data", few, "--split", "random", "--output", tmp_path / "a", *TINY, *options]
    assert "training diverged" in refused(capsys, *command, status=1)


def test_a_recipe_of_another_kind_than_the_data(few, tmp_path, capsys):
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("{model: gcn, task: regression, model_args: {hidden_size: 8}, training: {epochs: 1}}")
    options = ["train", "--recipe", recipe, "--data", few, "--split", "random", "--metric", "roc_auc", "--quiet"]
    text = refused(capsys, *options, "--output", tmp_path / "a")
    assert "--metric (rmse, mae, r2" in text
    main([str(word) for word in [*options, "--output", tmp_path / "a", "--metric", "mae"]])
    assert "mae" in json.loads((tmp_path / "a" / "metrics.json").read_text())["test"]
    main([str(word) for word in [*options, "--output", tmp_path / "b", "--task", "binary"]])
    assert "roc_auc" in json.loads((tmp_path / "b" / "metrics.json").read_text())["test"]


def test_a_run_that_goes_on_with_other_options(run, tmp_path, capsys):
    assert "--batch-size is 32 there, not 4" in refused(capsys, "train", "--resume", run, "--batch-size", 4)
    assert "leave --recipe out" in refused(capsys, "train", "--resume", run, "--recipe", "grover-adam")
    assert "leave --seeds out" in refused(capsys, "train", "--resume", run, "--seeds", 3)
    main(["train", "--resume", str(run), "--epochs", "2", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert (printed["epochs"], printed["run"]) == (2, str(run))
    assert printed["test_per_task"].keys() == {"y"}


def test_columns_that_hold_no_labels_are_named_by_a_flag(tmp_path, capsys):
    (tmp_path / "names.smi").write_text("CCO ethanol\nCCN amine\n")
    text = refused(capsys, "train", "--data", tmp_path / "names.smi", "--quiet")
    assert "--tasks" in text
    assert "tasks=" not in text
