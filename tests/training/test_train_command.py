"""`molzoo train`: runs that diverge, metrics that cannot decide, numbers of any size."""

import json

import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.runs.folder import RunFolder

SMILES = ["C" * n for n in range(1, 31)] + ["C" * n + "O" for n in range(1, 31)]
MODEL = ["--model", "gcn", "--optimizer", "adam", "--model-args.hidden_size", "8", "--split", "random"]


def no_constants(name):
    raise AssertionError(f"{name} in JSON")


def strict(path):
    return json.loads(path.read_text(), parse_constant=no_constants)


@pytest.fixture
def file(tmp_path):
    def write(**columns):
        pd.DataFrame({"smiles": SMILES, **columns}).to_csv(tmp_path / "data.csv", index=False)
        return str(tmp_path / "data.csv")

    return write


def test_a_run_that_diverges_says_so_and_fails(file, tmp_path, capsys):
    source = file(y=[len(smiles) / 7 for smiles in SMILES])
    arguments = ["--data", source, "--output", str(tmp_path / "run"), "--epochs", "3", "--schedule", "constant"]
    with pytest.raises(SystemExit) as ended:
        main(["train", *MODEL, *arguments, "--optimizer-args.lr", "1e30"])
    assert ended.value.code == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("molzoo: error: training diverged: the training loss became")
    assert "lower the learning rate" in line
    assert "training loss became" in strict(tmp_path / "run" / "metrics.json")["diverged"]
    assert RunFolder(tmp_path / "run").state.name == "failed"


def test_unknown_monitors_leave_no_folder(file, tmp_path, capsys):
    source = file(y=[n % 2 for n in range(60)])
    with pytest.raises(SystemExit) as ended:
        main(["train", *MODEL, "--data", source, "--output", str(tmp_path / "run"), "--monitor", "anything"])
    assert ended.value.code == 2
    assert "metric 'anything' is not one for classification: choose one of roc_auc" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_the_validation_loss_takes_over_and_is_named(file, tmp_path, capsys):
    words = ["train"] * 40 + ["valid"] * 10 + ["test"] * 10
    source = file(hit=[int(n in (3, 9, 55)) for n in range(60)], fold=words)
    arguments = ["--data", source, "--tasks", "hit", "--split-column", "fold", "--split", "column"]
    main(["train", *MODEL, *arguments, "--epochs", "3", "--output", str(tmp_path / "run")])
    assert "roc_auc has no value on the validation part" in capsys.readouterr().out
    metrics = strict(tmp_path / "run" / "metrics.json")
    losses = pd.read_csv(tmp_path / "run" / "history.csv").set_index("epoch")["valid_loss"]
    assert metrics["valid_loss"] == pytest.approx(losses.min())
    assert metrics["best_epoch"] == losses.idxmin()
    assert list(losses.index) == [1, 2, 3]


def test_each_task_is_shown_and_written(file, tmp_path, capsys):
    source = file(small=[len(smiles) * 1e-5 for smiles in SMILES], large=[len(smiles) * 1e5 + 0.5 for smiles in SMILES])
    tasks = ["--tasks", "small", "large"]
    main(["train", *MODEL, "--data", source, *tasks, "--epochs", "2", "--output", str(tmp_path / "run")])
    lines = capsys.readouterr().out.splitlines()
    table = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("small ", "large "))}
    written = strict(tmp_path / "run" / "metrics.json")["test_per_task"]
    assert float(table["small"][0]) == pytest.approx(written["small"]["rmse"], rel=1e-3)
    assert written["small"]["rmse"] < 1e-3 < 1e3 < written["large"]["rmse"]
    main(["evaluate", str(tmp_path / "run"), "--json"])
    found = json.loads(capsys.readouterr().out, parse_constant=no_constants)
    assert found["per_task"]["large"] == pytest.approx(written["large"])


def test_arguments_of_the_metric_reach_the_run(file, tmp_path):
    source = file(y=[n % 2 for n in range(60)])
    metric = ["--metric", "accuracy", "--metric-args.threshold", "2.0"]
    main(["train", *MODEL, "--data", source, *metric, "--epochs", "1", "--output", str(tmp_path / "run")])
    test = zoo.data.load(str(tmp_path / "run" / "test_predictions.csv"), tasks=["y"])
    share = 1 - test.targets.mean()  # nothing reaches 2
    assert strict(tmp_path / "run" / "metrics.json")["test"]["accuracy"] == pytest.approx(share)


def test_all_kinds_of_parts_are_listed(capsys):
    main(["list"])
    words = capsys.readouterr().out.split()
    assert {"multiclass", "regression", "log_loss", "rmse", "scaffold", "grover"} <= set(words)
