"""Metrics with intervals where they are shown and written: on screen, in files, in TensorBoard."""

import json

import numpy as np
import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo.commands.main import main

SMILES = ["C" * n + end for n in range(1, 21) for end in ("", "O", "N", "c1ccccc1")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two tasks, one of them with a single class in the test part."""
    folder = tmp_path_factory.mktemp("reported")
    generator = np.random.default_rng(0)
    table = pd.DataFrame({"smiles": SMILES, "a": generator.integers(0, 2, 80), "b": generator.integers(0, 2, 80)})
    table["part"] = ["train"] * 40 + ["valid"] * 20 + ["test"] * 20
    table.loc[60:, "b"] = 1
    table.to_csv(folder / "data.csv", index=False)
    options = ["--tasks", "a", "b", "--split-column", "part", "--model-args.num_trees", "10"]
    main(["train", "--data", str(folder / "data.csv"), "--model", "random_forest", *options,
              "--output", str(folder / "run"), "--quiet"])  # fmt: skip
    return folder / "run"


def test_metrics_json_has_intervals_reasons_and_thresholds(run):
    found = json.loads((run / "metrics.json").read_text())
    low, high = found["test_interval"]["roc_auc"]
    assert low < found["test"]["roc_auc"] < high
    assert found["test_interval_per_task"]["a"]["roc_auc"] == [low, high]
    assert found["test_interval_per_task"]["b"]["roc_auc"] == [None, None]
    assert found["test_undefined"]["roc_auc"] == {"b": "labels of one class only"}
    assert found["thresholds"].keys() == {"a", "b"}
    assert found["thresholds"] == json.loads((run / "checkpoints" / "best" / "fitted.json").read_text())["thresholds"]


def test_the_table_has_a_row_for_each_metric_and_task(run):
    found = pd.read_csv(run / "test_metrics.csv").set_index(["metric", "task"])
    assert found.loc[("roc_auc", "b"), "reason"] == "labels of one class only"
    assert np.isnan(found.loc[("roc_auc", "b"), "value"])
    assert (found["labels"] == 20).all()
    accuracy = found.loc[("accuracy", "a")]
    assert accuracy["lower"] < accuracy["value"] < accuracy["upper"]
    assert 0 < accuracy["threshold"] < 1
    assert found.loc["roc_auc", "threshold"].isna().all()


def test_tensorboard_has_intervals_and_tasks(run):
    events = EventAccumulator(str(run), size_guidance={"images": 0})
    events.Reload()
    scalars = {"test/roc_auc", "test/roc_auc/lower", "test/roc_auc/upper", "test/roc_auc/a", "test/accuracy/b"}
    assert scalars <= set(events.Tags()["scalars"])
    assert "test/intervals" in events.Tags()["images"]
    assert "test/metrics/text_summary" in events.Tags()["tensors"]


def test_evaluate_prints_and_writes_them(run, tmp_path, capsys):
    main(["evaluate", str(run), "--output", str(tmp_path / "out.csv")])
    shown = capsys.readouterr().out
    written = json.loads((run / "metrics.json").read_text())
    low, high = written["test_interval"]["roc_auc"]
    assert f"(95 %: {low:#.4g} to {high:#.4g}, mean of 1 of 2 tasks)" in shown
    assert "class 1 from a probability of a 0." in shown
    assert shown.splitlines()[-3].split()[:5] == ["task", "roc_auc", "95", "%", "prc_auc"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "out.csv"), pd.read_csv(run / "test_metrics.csv"))


def test_evaluate_takes_another_threshold(run, capsys):
    main(["evaluate", str(run), "--json", "--threshold", "0.5"])
    found = json.loads(capsys.readouterr().out)
    assert found["thresholds"] == {"a": 0.5, "b": 0.5}
    probabilities, data = zoo.load(run).predict(SMILES[60:]), pd.read_csv(run.parent / "data.csv")[60:]
    expected = np.mean((probabilities >= 0.5) == data[["a", "b"]].to_numpy())
    assert found["accuracy"] == pytest.approx(expected)
    assert found["interval"]["accuracy"][0] < expected < found["interval"]["accuracy"][1]


@pytest.mark.parametrize("value", ["1.5", "half", "nan"])
def test_impossible_thresholds_end_in_one_line(run, value, capsys):
    with pytest.raises(SystemExit) as left:
        main(["evaluate", str(run), "--threshold", value])
    assert left.value.code == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_impossible_threshold_metrics_end_in_one_line(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        main(["train", "--threshold-metric", "rmse", "--output", str(tmp_path / "run")])
    assert left.value.code == 2
    assert "threshold_metric='rmse': choose one of balanced_accuracy" in capsys.readouterr().err


def test_an_ensemble_is_reported_like_its_members(run, tmp_path, capsys):
    both = zoo.ensemble([zoo.load(run), zoo.load(run)])
    both.save(tmp_path / "both")
    source = ["--data", str(run.parent / "data.csv"), "--output", str(tmp_path / "out.csv")]
    main(["evaluate", str(tmp_path / "both"), *source, "--tasks", "a", "b"])
    shown = capsys.readouterr().out
    assert "class 1 from a probability of a 0." in shown
    assert "roc_auc" in shown
    assert "(95 %: " in shown
    found = pd.read_csv(tmp_path / "out.csv").set_index(["metric", "task"])
    assert (found["labels"] == 20).all()
    assert found.loc[("accuracy", "a"), "threshold"] == pytest.approx(both.fitted.thresholds["a"])
