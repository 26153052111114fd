import numpy as np
import pytest
import torch
from sklearn import metrics as sk

from zoo.tasks import Binary, Regression, Supervised, metrics

GENERATOR = np.random.default_rng(0)


def test_missing_labels_do_not_count() -> None:
    targets = GENERATOR.integers(0, 2, (40, 3)).astype(float)
    predictions = GENERATOR.random((40, 3))
    targets[GENERATOR.random((40, 3)) < 0.3] = np.nan
    result = metrics.compute("roc_auc", targets, predictions)
    for task in range(3):
        known = ~np.isnan(targets[:, task])
        assert result.per_task[task] == sk.roc_auc_score(targets[known, task], predictions[known, task])
    assert result.value == pytest.approx(result.per_task.mean())


def test_tasks_of_one_class_are_left_out_and_named() -> None:
    targets = np.array([[0.0, 1.0, np.nan], [1.0, 1.0, np.nan]])
    result = metrics.compute("roc_auc", targets, np.array([[0.1, 0.5, 0.5], [0.9, 0.4, 0.5]]))
    assert result.value == 1.0
    assert result.left_out == ((1, "labels of one class only"), (2, "no labels"))


def test_no_defined_task_is_nan_and_never_an_improvement() -> None:
    result = metrics.compute("roc_auc", np.ones((3, 1)), np.ones((3, 1)))
    assert np.isnan(result.value)
    assert not metrics.is_better("roc_auc", result.value, None)


@pytest.mark.parametrize(("name", "better", "worse"), [("roc_auc", 0.9, 0.8), ("rmse", 0.8, 0.9)])
def test_direction_of_improvement(name, better, worse) -> None:
    assert metrics.is_better(name, better, worse)
    assert not metrics.is_better(name, worse, better)


def test_metric_of_the_other_task_is_refused() -> None:
    with pytest.raises(ValueError, match="'rmse' is not one for classification"):
        metrics.check_metric("rmse", "classification")


@pytest.mark.parametrize("task", [Binary(), Regression()])
def test_masked_loss_equals_the_loss_of_the_present_labels(task) -> None:
    torch.manual_seed(0)
    scores, targets = torch.randn(6, 2), torch.randint(0, 2, (6, 2)).float()
    mask = torch.rand(6, 2) > 0.4
    value = Supervised(task).of_scores(scores, targets, mask.float()).total
    torch.testing.assert_close(value, task.elementwise_loss(scores, targets)[mask].mean())


def test_loss_without_labels_is_zero_with_zero_gradient() -> None:
    scores = torch.randn(3, 1, requires_grad=True)
    value = Supervised(Regression()).of_scores(scores, torch.zeros(3, 1), torch.zeros(3, 1)).total
    value.backward()
    assert value == 0
    assert torch.equal(scores.grad, torch.zeros(3, 1))
