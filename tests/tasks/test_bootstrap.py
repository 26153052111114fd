"""Intervals of metrics: closed forms, repeatable draws, several tasks, rare classes."""

import time

import numpy as np
import pytest
from scipy import stats

from zoo.tasks import Evaluation, evaluate_all
from zoo.tasks.bootstrap import bootstrap, draw
from zoo.tasks.metrics import bootstrap_all, compute, make_metric

GENERATOR = np.random.default_rng(2)
LABELS = (GENERATOR.random((200, 3)) < 0.3).astype(float)
PROBABILITIES = np.clip(GENERATOR.normal(0.4 + 0.1 * LABELS, 0.2), 0, 1)


def resampled(task, first, targets, predictions, **how):
    return bootstrap_all(evaluate_all(task, first, targets, predictions), targets, predictions, **how)


def test_interval_of_a_mean_is_that_of_the_normal_distribution():
    errors = GENERATOR.normal(size=(400, 1))
    found = resampled("regression", "mae", errors, np.zeros_like(errors), resamples=4000).mean["mae"]
    mean, error = np.abs(errors).mean(), np.abs(errors).std() / 20
    assert found == pytest.approx(stats.norm(mean, error).interval(0.95), abs=0.15 * error)


def test_the_same_as_scipy_from_the_same_resamples():
    probabilities, labels = PROBABILITIES[:, 0], LABELS[:, 0]
    rows = np.random.default_rng(0).integers(0, 200, (1000, 200))
    values = [compute("brier", labels[each, None], probabilities[each, None]).value for each in rows]
    found = resampled("binary", "brier", labels[:, None], probabilities[:, None]).mean["brier"]
    assert found == pytest.approx(np.quantile(values, [0.025, 0.975]), rel=1e-12)


def test_draws_repeat_and_the_level_widens():
    first, again = (resampled("binary", "roc_auc", LABELS, PROBABILITIES) for _ in range(2))
    assert first.mean == again.mean
    other = resampled("binary", "roc_auc", LABELS, PROBABILITIES, seed=1, level=0.99).mean["roc_auc"]
    assert other[0] < first.mean["roc_auc"][0] < first.mean["roc_auc"][1] < other[1]


def test_counts_are_of_draws_with_replacement():
    counts = draw(np.random.default_rng(0), 500, 40)
    assert (counts.sum(axis=1) == 40).all()
    assert counts.mean() == 1
    assert counts.var() == pytest.approx(1 - 1 / 40, abs=0.05)


def test_intervals_by_task_hold_their_values_and_the_mean_is_narrower():
    results = evaluate_all("binary", "roc_auc", LABELS, PROBABILITIES)
    found = bootstrap_all(results, LABELS, PROBABILITIES)
    for name, result in results.items():
        low, high = found.per_task[name].T
        assert (low <= result.per_task).all(), name
        assert (result.per_task <= high).all(), name
        assert found.mean[name][1] - found.mean[name][0] < (high - low).max()


def test_a_task_without_a_value_has_no_interval_and_leaves_the_mean_alone():
    targets = np.hstack([LABELS[:, :1], np.ones((200, 1))])
    found = resampled("binary", "roc_auc", targets, PROBABILITIES[:, :2])
    assert np.isnan(found.per_task["roc_auc"][1]).all()
    assert found.mean["roc_auc"] == tuple(found.per_task["roc_auc"][0])


def test_a_rare_class_is_not_missing_where_a_resample_missed_it():
    rare = np.zeros((200, 1))
    rare[0] = 1.0
    found = resampled("binary", "roc_auc", np.hstack([LABELS[:, :1], rare]), PROBABILITIES[:, :2])
    assert not np.isnan(found.per_task["roc_auc"]).any()
    alone = resampled("binary", "roc_auc", LABELS[:, :1], PROBABILITIES[:, :1]).mean["roc_auc"]
    assert found.mean["roc_auc"][1] - found.mean["roc_auc"][0] < alone[1] - alone[0] + 0.2


@pytest.mark.parametrize("size", [0, 1])
def test_too_few_molecules_have_no_interval(size):
    found = resampled("regression", "rmse", np.zeros((size, 1)), np.ones((size, 1)))
    assert np.isnan(found.mean["rmse"]).all()


def test_large_sets_are_drawn_less_often():
    size = 200_000
    targets = np.random.default_rng(0).normal(size=(size, 1))
    metrics, values = {"mae": [make_metric("mae")]}, {"mae": np.array([1.0])}
    start = time.perf_counter()
    found = bootstrap(metrics, values, targets, targets + 1)
    assert found.resamples == 100
    assert time.perf_counter() - start < 60
    assert found.mean["mae"] == pytest.approx((1.0, 1.0))


def test_a_metric_of_someone_else_has_an_interval():
    from zoo.tasks.metrics import FunctionMetric

    metric = FunctionMetric(lambda targets, predictions: np.median(np.abs(targets - predictions)), False)
    targets = GENERATOR.normal(size=(50, 1))
    found = bootstrap({"median": [metric]}, {"median": np.array([0.7])}, targets, np.zeros((50, 1)))
    assert 0 < found.mean["median"][0] < np.median(np.abs(targets)) < found.mean["median"][1]


@pytest.mark.parametrize(("options", "words"), [({"level": 95}, "level=95"), ({"resamples": 1}, "resamples=1")])
def test_impossible_options(options, words):
    with pytest.raises(ValueError, match=words):
        resampled("binary", "roc_auc", LABELS, PROBABILITIES, **options)


def test_an_evaluation_without_data_says_so():
    found = Evaluation(evaluate_all("binary", "roc_auc", LABELS, PROBABILITIES), ["a", "b", "c"])
    with pytest.raises(ValueError, match="did not keep its data"):
        found.bootstrap()
