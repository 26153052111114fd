"""Measures of uncertainty: what published code computes, closed forms, and what evaluation and training write."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as reference_log_loss
from support.places import FIXTURES
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo.commands.main import main
from zoo.trust import calibrate, evaluate_uncertainty, scores


@pytest.fixture(scope="module")
def published():
    file = FIXTURES / "losses" / "expected.npz"
    if not file.exists():
        pytest.skip(f"{file} is absent: it holds what chemprop computes")
    return dict(np.load(file))


@pytest.mark.parametrize("task", range(3))
def test_measures_are_those_of_chemprop(published, task):
    known = published["mask"][:, task]
    errors = (published["preds"] - published["targets"])[:, task]
    spread, half = np.sqrt(published["variance"][:, task]), published["interval"][:, task] / 2
    expected = {name: published[f"evaluator/{name}"][task] for name in
                ("nll", "miscalibration_area", "ence_20", "spearman", "interval_coverage")}  # fmt: skip
    assert scores.gaussian_nll(errors[known], spread[known]) == pytest.approx(expected["nll"], abs=1e-10)
    found = scores.miscalibration_area(errors[known], spread[known])
    assert found == pytest.approx(expected["miscalibration_area"], abs=1e-10)
    assert scores.ence(errors, spread, 20) == pytest.approx(expected["ence_20"], abs=1e-10)  # no mask there
    assert scores.spearman(errors[known], spread[known]) == pytest.approx(expected["spearman"], abs=1e-9)
    ends = np.stack([-half, half], axis=1)[known]
    assert scores.coverage(-errors[known], ends) == expected["interval_coverage"]


def test_gaussian_errors_are_calibrated_and_others_are_not():
    rng = np.random.default_rng(0)
    spread = rng.uniform(0.5, 2, 20_000)
    errors = spread * rng.normal(size=20_000)
    assert scores.miscalibration_area(errors, spread) < 0.01
    assert scores.ence(errors, spread) < 0.05
    assert scores.miscalibration_area(errors, 10 * spread) > 0.3
    assert scores.ence(errors, 2 * spread) == pytest.approx(0.5, abs=0.03)  # |2 s - s| / 2 s


def test_the_confidence_curve_ends_at_the_error_of_all_and_falls_with_a_perfect_uncertainty():
    errors = np.array([3.0, -1.0, 2.0, -4.0])
    shares, curve = scores.confidence_curve(errors, np.abs(errors))
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(curve**2, [1.0, 2.5, 14 / 3, 7.5])
    assert scores.error_drop(errors, np.abs(errors)) == pytest.approx(np.sqrt(2.5 / 7.5))
    assert np.isnan(scores.spearman(errors, np.ones(4)))


def test_measures_of_classes_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    chance, labels = rng.uniform(size=200), rng.integers(0, 2, 200).astype(float)
    both = np.stack([1 - chance, chance], axis=1)
    assert scores.brier(labels, both) == pytest.approx(brier_score_loss(labels, chance))
    assert scores.log_loss(labels, both) == pytest.approx(reference_log_loss(labels, chance))
    three = rng.dirichlet(np.ones(3), 200)
    classes = rng.integers(0, 3, 200).astype(float)
    assert scores.log_loss(classes, three) == pytest.approx(reference_log_loss(classes, three, labels=[0, 1, 2]))


def test_the_calibration_error_of_known_bins():
    """Ten predictions of 0.95 of which eight are right, ten of 0.65 of which five are: gaps of 0.15 and 0.15."""
    chance = np.repeat([0.95, 0.65], 10)
    labels = np.concatenate([np.repeat([1, 0], [8, 2]), np.repeat([1, 0], [5, 5])]).astype(float)
    found = scores.expected_calibration_error(labels, np.stack([1 - chance, chance], axis=1))
    assert found == pytest.approx(0.15)


SMILES = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1", "F", "Cl", "Br") for n in range(1, 16)]


@pytest.mark.parametrize("task", ["mean_variance", "binary", "multiclass"])
def test_evaluation_of_each_kind(task):
    rng = np.random.default_rng(0)
    labels = {
        "mean_variance": 10 * rng.normal(size=90),
        "binary": np.arange(90) % 2,
        "multiclass": np.arange(90) // 3 % 3,
    }
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": labels[task]}), task=task)
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8, "dropout": 0.2}, device="cpu")
    learner.fit(data.subset(range(0, 90, 3)), split=None, epochs=1, progress=False)
    later = data.subset(range(1, 90, 3))
    plain = evaluate_uncertainty(learner, later, "mc_dropout", passes=3)
    assert plain.coverage is None
    assert "coverage" not in plain.mean
    calibrate(learner, data.subset(range(2, 90, 3)), "mc_dropout", passes=3)
    found = evaluate_uncertainty(learner, later, "mc_dropout")
    assert found.coverage == 0.9
    assert 0.6 <= found.mean["coverage"] <= 1
    assert found.mean["nll"] < plain.mean["nll"] + 0.5
    assert all(np.isfinite(value) for value in found.mean.values())
    assert "coverage asked for: 0.9" in str(found)
    assert len(found.figure().axes) == 3


def test_runs_keep_what_they_measured(tmp_path, capsys):
    rows = [*SMILES, *(f"{smiles}N" for smiles in SMILES)]
    pd.DataFrame({"smiles": rows, "y": np.arange(180.0) % 7}).to_csv(tmp_path / "data.csv", index=False)
    run = tmp_path / "run"
    main(["train", "--data", str(tmp_path / "data.csv"), "--model", "gcn", "--model-args.hidden_size", "8", "--task",
          "mean_variance", "--split", "random", "--epochs", "1", "--output", str(run), "--quiet"])  # fmt: skip
    kept = json.loads((run / "metrics.json").read_text())["uncertainty"]
    assert set(kept) == {"calibrated", "mean_variance"}
    assert kept["mean_variance"]["mean"]["nll"] > 0
    assert (run / "uncertainty_mean_variance.png").exists()
    events = EventAccumulator(str(run))
    events.Reload()
    assert "test/uncertainty/mean_variance/nll" in events.Tags()["scalars"]
    assert "test/uncertainty/mean_variance" in events.Tags()["images"]
    capsys.readouterr()
    main(["evaluate", str(run), "--uncertainty", "ball", "--uncertainty-args.passes", "2", "--json"])
    assert json.loads(capsys.readouterr().out)["uncertainty"]["estimator"] == "ball"
    assert (run / "uncertainty_ball.png").exists()
