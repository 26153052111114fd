"""The verdict of a report: pooled differences, equal time, averages, and the sentence."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from zoo.experiments.report import pooling
from zoo.experiments.report.rises import rise_points
from zoo.experiments.report.statistics import compare
from zoo.experiments.report.verdict import Verdict

SEEDS = 6


def rows_of(effects: dict[str, float], *, metric="roc_auc", datasets=("a", "b"), seconds=None, noise=0.002, seed=0):
    """Finished rows: every optimizer is better than the first by its effect, in units of the metric."""
    random, sign = np.random.default_rng(seed), -1 if metric == "rmse" else 1
    found = []
    for dataset in datasets:
        base = random.normal(0.8, 0.02, SEEDS)
        for optimizer, effect in effects.items():
            time = (seconds or {}).get(optimizer, 1.0)
            for number in range(SEEDS):
                score = base[number] + sign * effect + random.normal(0, noise)
                epochs = [score - sign * 0.1 / epoch for epoch in (1, 2, 3)]
                rise = None if optimizer == "adam" else 0.03
                history = [
                    {"seconds": time, "valid": {metric: value}, f"unaveraged_{metric}": score - sign * 0.2,
                     "ascent_rise": rise}
                    for value in epochs
                ]  # fmt: skip
                found.append({
                    "dataset": dataset, "model": "m", "optimizer": optimizer, "seed": number, "metric": metric,
                    "test": score, "valid": score - sign * 0.1 / 3, "seconds": 3 * time, "history": history,
                })  # fmt: skip
    return pd.DataFrame(found)


def verdict_of(rows: pd.DataFrame) -> Verdict:
    return Verdict.of(rows, compare(rows, "adam"), "adam")


def test_one_set_has_students_interval_and_scipys_wilcoxon():
    values = np.random.default_rng(1).normal(0.3, 1.0, 9)
    found = pooling.pool([values])
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((values.mean(), *interval))
    assert found.wilcoxon_p == pytest.approx(stats.wilcoxon(values).pvalue)


def test_sets_count_once_and_their_levels_do_not_widen_the_interval():
    random = np.random.default_rng(2)
    spread = random.normal(0, 1, 8)
    near, far = pooling.pool([spread, spread]), pooling.pool([spread, spread + 50])
    assert far.mean == pytest.approx(near.mean + 25)
    assert far.high - far.low == pytest.approx(near.high - near.low)
    assert pooling.pool([np.array([1.0]), spread]).sets == 2
    assert np.isnan(pooling.pool([np.array([1.0]), spread]).low)


def test_the_interval_covers_as_often_as_it_says():
    random, covered = np.random.default_rng(3), 0
    for _ in range(600):
        groups = [random.normal(mean, sd, n) for mean, sd, n in ((1.0, 0.2, 5), (-1.0, 2.0, 5), (3.0, 1.0, 4))]
        found = pooling.pool(groups)
        covered += found.low < 1.0 < found.high
    assert 0.92 <= covered / 600 <= 0.99


@pytest.mark.parametrize("metric", ["roc_auc", "rmse"])
@pytest.mark.parametrize(
    ("effect", "seconds", "answer"),
    [(0.05, 1.0, "yes"), (0.05, 3.5, "at equal epochs"), (0.0, 1.0, "open"), (-0.05, 1.0, "no")],
)
def test_the_answer_follows_the_intervals(metric, effect, seconds, answer):
    rows = rows_of({"adam": 0.0, "sam": effect}, metric=metric, seconds={"sam": seconds})
    verdict = verdict_of(rows)
    assert verdict.answer == answer
    assert f"{2 * SEEDS} pairs" in verdict.sentence
    assert f"{seconds:.2f} times" in verdict.sentence
    assert float(verdict.test["mean"].iloc[0]) == pytest.approx(100 * effect / 0.8, abs=0.4)


def test_the_rule_is_chosen_by_the_validation_part():
    rows = rows_of({"adam": 0.0, "lucky": 0.02, "good": 0.01})
    rows.loc[rows["optimizer"] == "good", "valid"] += 0.05
    assert verdict_of(rows).rule == "good"
    assert "good, the best on the validation parts" in verdict_of(rows).sentence


def test_equal_time_looks_at_epochs_that_both_had():
    slow = rows_of({"adam": 0.0, "sam": 0.0}, seconds={"sam": 3.0}, noise=0.0)
    run, reference = (next(iter(slow[slow["optimizer"] == name].itertuples())) for name in ("sam", "adam"))
    values = pooling.at_equal_time(run, reference)  # three epochs of Adam, one of SAM
    assert values == (run.history[0]["valid"]["roc_auc"], reference.history[2]["valid"]["roc_auc"])
    assert np.isnan(pooling.best_until(run.history, "roc_auc", 1.0))


def test_averages_are_compared_within_runs():
    for scores in (pooling.at_best_epochs, pooling.at_last_epoch):
        found = pooling.compare_averages(rows_of({"adam": 0.0}, noise=0.0), scores)
        row = next(found.itertuples())
        assert (row.n, row.sets, row.better) == (2 * SEEDS, 2, 2 * SEEDS)
    plain = rows_of({"adam": 0.0})
    plain["history"] = [[{"seconds": 1.0, "valid": {}}]] * len(plain)
    assert pooling.compare_averages(plain, pooling.at_best_epochs).empty
    assert pooling.compare_averages(plain.assign(history=[[]] * len(plain)), pooling.at_last_epoch).empty


def test_the_luck_of_a_chosen_epoch_does_not_count_at_the_last():
    lucky = [0.5, 0.9, 0.6]
    history = [{"valid": {"roc_auc": 0.7}, "unaveraged_roc_auc": score} for score in lucky]
    run = SimpleNamespace(metric="roc_auc", valid=0.7, history=history)
    assert pooling.at_best_epochs(run) == (0.7, 0.9)
    assert pooling.at_last_epoch(run) == (0.7, 0.6)


def test_a_point_for_each_run_that_measured_its_ascent():
    points = rise_points(rows_of({"adam": 0.0, "sam": 0.04}, noise=0.0), "adam")
    assert len(points) == 2 * SEEDS
    assert points["rise"].unique() == pytest.approx([3.0])
    assert (points["difference"] > 4).all()


def test_nothing_to_compare_says_nothing():
    verdict = verdict_of(rows_of({"adam": 0.0}))
    assert (verdict.rule, verdict.answer, verdict.sentence, verdict.table().rows) == (None, "", "", [])
