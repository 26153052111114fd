"""Metrics in all and by task: labels of any size, missing predictions, tasks with different units."""

import json

import numpy as np
import pytest

from zoo.runs.json_files import plain
from zoo.tasks import Evaluation, compute, evaluate_all, format_value, make_metric

GENERATOR = np.random.default_rng(0)
MEASURED, PREDICTED = GENERATOR.normal(size=(50, 1)), GENERATOR.normal(size=(50, 1))


@pytest.mark.parametrize("unit", [1e-25, 1e-160, 1.0, 1e19, 1e200])
def test_regression_metrics_scale_with_the_unit(unit):
    for name, factor in (("rmse", unit), ("mae", unit), ("r2", 1.0)):
        expected = compute(name, MEASURED, PREDICTED).value * factor
        assert compute(name, MEASURED * unit, PREDICTED * unit).value == pytest.approx(expected, rel=1e-12), name


def test_a_large_offset_does_not_round_the_errors():
    shifted = compute("rmse", MEASURED + 1e7, PREDICTED + 1e7).value
    assert shifted == pytest.approx(compute("rmse", MEASURED, PREDICTED).value, rel=1e-7)


def test_equal_labels_have_no_explained_variance():
    result = compute("r2", np.ones((4, 1)), np.ones((4, 1)))
    assert np.isnan(result.value)
    assert result.left_out == ((0, "the same label everywhere"),)


def test_missing_predictions_are_counted_and_said():
    labels, probabilities = (
        np.array([[0.0], [1.0], [1.0], [0.0], [np.nan]]),
        np.array([[0.1], [0.9], [0.2], [0.3], [0.4]]),
    )
    assert compute("roc_auc", labels, probabilities).value < 1
    probabilities[2:4] = np.nan  # the wrong one among them
    found = Evaluation(evaluate_all("classification", "roc_auc", labels, probabilities), ["active"])
    assert found["roc_auc"] == 1.0
    assert found.unpredicted == {"active": 2}
    assert found.describe_unpredicted().startswith("incomplete: 2 labels have no prediction")


def test_nothing_predicted_is_no_lack_of_labels():
    result = compute("rmse", MEASURED, np.full_like(MEASURED, np.nan))
    assert result.left_out == ((0, "no predictions"),)
    assert result.unpredicted == (50,)


def test_tasks_with_units_are_compared_in_their_standard_deviations():
    targets = np.hstack([MEASURED, MEASURED * 1e6])
    worse, better = targets + [[1.0, 1e5]], targets + [[0.5, 3e5]]
    std = targets.std(axis=0)
    found = [Evaluation(evaluate_all("regression", "rmse", targets, p), ["logS", "mp"], std) for p in (worse, better)]
    assert found[0]["rmse"] < found[1]["rmse"]  # the melting point alone
    assert found[0].decisive("rmse") > found[1].decisive("rmse")
    assert found[0].per_task["rmse"] == pytest.approx({"logS": 1.0, "mp": 1e5})
    assert found[1].table().splitlines()[1].split() == [
        "logS",
        *(format_value(m["logS"]) for m in found[1].per_task.values()),
    ]


def test_one_task_is_compared_in_its_own_unit():
    found = Evaluation(evaluate_all("regression", "rmse", MEASURED, PREDICTED), ["y"], [2.0])
    assert found.decisive("rmse") == found["rmse"]


def test_what_is_undefined_is_null_in_json():
    found = Evaluation(evaluate_all("classification", "roc_auc", np.zeros((3, 1)), np.full((3, 1), 0.2)), ["t"])
    text = json.dumps(plain({**found, "per_task": found.per_task}), allow_nan=False)
    assert json.loads(text)["roc_auc"] is None
    assert json.loads(text)["accuracy"] == 1.0


def test_arguments_of_metrics():
    labels, probabilities = np.array([[1.0], [0.0]]), np.array([[0.4], [0.2]])
    assert compute("accuracy", labels, probabilities).value == 0.5
    assert compute("accuracy", labels, probabilities, {"threshold": 0.3}).value == 1.0
    with pytest.raises(TypeError, match="treshold"):
        make_metric("accuracy", {"treshold": 0.3})


def test_many_classes_against_scikit_learn():
    from sklearn import metrics as sk

    labels = GENERATOR.integers(0, 4, (60, 1)).astype(float)
    scores = GENERATOR.random((60, 1, 4))
    scores /= scores.sum(axis=2, keepdims=True)
    classes = scores[:, 0].argmax(axis=1)
    expected = {
        "accuracy": sk.accuracy_score(labels[:, 0], classes),
        "balanced_accuracy": sk.balanced_accuracy_score(labels[:, 0], classes),
        "roc_auc": sk.roc_auc_score(labels[:, 0], scores[:, 0], multi_class="ovr", average="macro"),
        "macro_f1": sk.f1_score(labels[:, 0], classes, average="macro"),
        "mcc": sk.matthews_corrcoef(labels[:, 0], classes),
        "log_loss": sk.log_loss(labels[:, 0], scores[:, 0]),
    }
    assert Evaluation(evaluate_all("multiclass", "accuracy", labels, scores), ["t"]) == pytest.approx(expected)
