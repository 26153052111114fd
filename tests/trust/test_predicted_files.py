"""Uncertainty in predicted files: columns, shards, workers, and one line for what cannot be had."""

import re

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.inference import predict_file, predict_shards

SMILES = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1") for n in range(1, 11)]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run, and a file of thirty molecules and one that cannot be read."""
    folder = tmp_path_factory.mktemp("predicted")
    data = pd.DataFrame({"smiles": SMILES, "y": [float(len(smiles)) for smiles in SMILES]})
    learner = zoo.build("gcn", task="regression", model_args={"hidden_size": 8, "dropout": 0.3}, device="cpu")
    learner.fit(data, split=None, epochs=1, progress=False)
    learner.save(folder / "run")
    pd.DataFrame({"smiles": [*SMILES, "bad"]}).to_csv(folder / "molecules.csv", index=False)
    pd.DataFrame({"smiles": SMILES}).to_parquet(folder / "molecules.parquet")
    return folder


HOW = {"uncertainty": "mc_dropout", "uncertainty_args": {"passes": 3, "seed": 5}, "chunk_size": 10, "progress": False}


def test_files_and_shards_have_the_numbers_of_python(run):
    """Chunks of ten rows are batches of ten, wherever they are predicted."""
    predict_file(run / "run", run / "molecules.csv", run / "out.csv", num_workers=1, **HOW)
    table = pd.read_csv(run / "out.csv")
    learner = zoo.load(run / "run")
    parts = [learner.predictions(SMILES[n : n + 10], uncertainty="mc_dropout", passes=3, seed=5) for n in (0, 10, 20)]
    np.testing.assert_allclose(table["sd_y"][:30], np.concatenate([part.spread[:, 0] for part in parts]), rtol=1e-5)
    assert table["sd_y"].isna().tolist() == [False] * 30 + [True]
    predict_shards(run / "run", run / "molecules.parquet", run / "shards", shards=3, num_workers=1, **HOW)
    shards = pd.concat([pd.read_parquet(path) for path in sorted((run / "shards").glob("*.parquet"))])
    np.testing.assert_allclose(shards["sd_y"], table["sd_y"][:30], rtol=1e-5)


def test_the_command_writes_the_columns_and_its_options_count(run, capsys):
    command = ["predict", str(run / "run"), str(run / "molecules.csv"), "--quiet", "--num-workers", "1"]
    for passes in ("2", "4"):
        main([*command, "--output", str(run / f"{passes}.csv"), "--uncertainty", "mc_dropout",
              "--uncertainty-args.passes", passes])  # fmt: skip
    two, four = (pd.read_csv(run / f"{passes}.csv") for passes in ("2", "4"))
    assert list(two) == ["smiles", "predicted_y", "sd_y", "reason"]
    assert not np.allclose(two["sd_y"][:30], four["sd_y"][:30])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--uncertainty", "ensemble"], "one model, not an ensemble .*; choose one of mc_dropout, ball"),
        (["--uncertainty", "mc_drop"], "Did you mean 'mc_dropout'"),
        (["--uncertainty", "mc_dropout", "--uncertainty-args.passes", "1"], "passes=1"),
        (["--uncertainty-args.passes", "3"], "name one with uncertainty="),
    ],
)
def test_what_cannot_be_had_is_one_line_and_writes_nothing(run, capsys, options, message):
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run / "run"), str(run / "molecules.csv"), "--output", str(run / "none.csv"), *options])
    lines = capsys.readouterr().err.strip().splitlines()
    assert (stop.value.code, len(lines)) == (2, 1), lines
    assert re.search(message, lines[0]), lines[0]
    assert not (run / "none.csv").exists()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of `train`, which calibrates by itself, and its data."""
    folder = tmp_path_factory.mktemp("trained")
    rows = [smiles + "C" * n for smiles in SMILES for n in range(4)]
    pd.DataFrame({"smiles": rows, "y": [float(len(each)) for each in rows]}).to_csv(folder / "data.csv", index=False)
    main(["train", "--data", str(folder / "data.csv"), "--model", "gcn", "--model-args.hidden_size", "8", "--task",
          "quantile", "--split", "random", "--epochs", "1", "--output", str(folder / "run"), "--quiet"])  # fmt: skip
    return folder


def test_training_calibrates_by_itself_and_predict_writes_intervals(trained, capsys):
    assert set(zoo.load(trained / "run").fitted.calibration) == {"calibrated", "quantile"}
    for name, columns in (("calibrated", ["sd_y"]), ("quantile", ["sd_y"])):
        main(["predict", str(trained / "run"), str(trained / "data.csv"), "--output", str(trained / f"{name}.csv"),
              "--uncertainty", name, "--coverage", "0.8", "--quiet"])  # fmt: skip
        table = pd.read_csv(trained / f"{name}.csv")
        assert list(table) == ["smiles", "y", "predicted_y", *columns, "lower_y", "upper_y", "reason"]
        assert ((table["lower_y"] <= table["y"]) & (table["y"] <= table["upper_y"])).mean() > 0.6


def test_the_command_calibrates_and_says_what_it_found(trained, capsys):
    main(["calibrate", str(trained / "run"), "--uncertainty", "ball", "--uncertainty-args.passes", "3"])
    assert re.search(
        r"y: deviations x [\d.]+ \(z_scaling\), coverage up to 0\.9\d* \(interval, ", capsys.readouterr().out
    )
    assert zoo.load(trained / "run").fitted.calibration["ball"]["options"]["passes"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["predict", "--coverage", "1.0"], "coverage=1.0: give a share between 0 and 1"),
        (["predict", "--coverage", "0"], "coverage=0.0: give a share between 0 and 1"),
        (["predict", "--coverage", "0.9999"], "needs 9999 calibration labels, and there are"),
        (["predict", "--coverage", "0.9", "--uncertainty", "evidential"], "trained as 'quantile'; choose one of"),
        (["calibrate", "--method", "platt"], "choose one of z_scaling, zelikman, none"),
    ],
)
def test_coverage_that_cannot_be_had_is_one_line(trained, capsys, options, message):
    command, *rest = options
    arguments = [str(trained / "data.csv")] if command == "predict" else []
    with pytest.raises(SystemExit) as stop:
        main([command, str(trained / "run"), *arguments, *rest])
    lines = capsys.readouterr().err.strip().splitlines()
    assert (stop.value.code, len(lines)) == (2, 1), lines
    assert message in lines[0]


def test_coverage_of_an_uncalibrated_run_is_one_line(run, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["predict", str(run / "run"), str(run / "molecules.csv"), "--coverage", "0.9"])
    assert stop.value.code == 2
    assert "not calibrated: calibrate it first: molzoo calibrate RUN" in capsys.readouterr().err


def test_sets_of_classes_are_written_to_files_and_shards(tmp_path):
    data = pd.DataFrame({"smiles": SMILES, "y": ["no" if smiles[0] in "ON" else "yes" for smiles in SMILES]})
    learner = zoo.build("gcn", dataset=zoo.data.load(data), model_args={"hidden_size": 8}, device="cpu")
    learner.fit(data, split=None, epochs=1, progress=False)
    zoo.trust.calibrate(learner, data)
    learner.save(tmp_path / "run")
    data.to_parquet(tmp_path / "molecules.parquet")
    how = {"coverage": 0.8, "chunk_size": 10, "progress": False, "num_workers": 1}
    predict_file(tmp_path / "run", tmp_path / "molecules.parquet", tmp_path / "out.csv", **how)
    predict_shards(tmp_path / "run", tmp_path / "molecules.parquet", tmp_path / "shards", shards=2, **how)
    table = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    shards = pd.concat([pd.read_parquet(path) for path in sorted((tmp_path / "shards").glob("*.parquet"))])
    assert table["set_y"].tolist() == shards["set_y"].tolist()
    assert set(table["set_y"]) <= {"no", "yes", "no|yes", ""}
