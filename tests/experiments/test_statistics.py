from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zoo.experiments.report.statistics import across, by_processor_time, compare, paired_difference, summarize


def table(scores: dict[str, list[float]], metric: str = "roc_auc", dataset: str = "d") -> pd.DataFrame:
    rows = [
        {"dataset": dataset, "model": "m", "optimizer": name, "seed": seed, "split": "random", "metric": metric,
         "test": value, "valid": value, "passes": 40.0 if name == "sam" else 20.0, "steps": 20.0,
         "seconds": 2.0 if name == "sam" else 1.0, "molecules_per_second": 10.0, "parameters": 5,
         "hessian_eigenvalue": value}
        for name, values in scores.items()
        for seed, value in enumerate(values)
        if not np.isnan(value)
    ]  # fmt: skip
    return pd.DataFrame(rows)


@given(st.lists(st.floats(-1, 1), min_size=6, max_size=12, unique=True))
@settings(max_examples=30, deadline=None)
def test_intervals_and_tests_are_those_of_scipy(values):
    differences = np.array(values)
    if differences.std(ddof=1) < 1e-6:
        return
    found = paired_difference(differences)
    t = stats.ttest_rel(differences, np.zeros(len(values)))
    low, high = stats.t.interval(0.95, len(values) - 1, differences.mean(), stats.sem(differences))
    assert (found.t_p, found.low, found.high) == pytest.approx((t.pvalue, low, high), rel=1e-6)
    assert found.low <= found.mean <= found.high


@pytest.mark.parametrize(("values", "n"), [([0.1], 1), ([0.1, 0.1], 2)])
def test_what_cannot_be_known_is_not_a_number(values, n):
    found = paired_difference(np.array(values))
    assert found.n == n
    assert np.isnan([found.low, found.high, found.t_p, found.wilcoxon_p]).all()


def test_wilcoxon_is_left_out_where_it_cannot_be_significant():
    assert np.isnan(paired_difference(np.arange(1.0, 6.0)).wilcoxon_p)
    assert paired_difference(np.arange(1.0, 7.0)).wilcoxon_p == pytest.approx(2 / 2**6)


def test_mean_spread_rank_and_passes():
    summary = summarize(table({"adam": [0.7, 0.8, 0.9], "sam": [0.9, 0.9, 0.9]})).set_index("optimizer")
    assert summary.loc["adam", "mean"] == pytest.approx(0.8)
    assert summary.loc["adam", "sd"] == pytest.approx(0.1)
    assert list(summary["rank"]) == [2, 1]
    assert list(summary["passes_per_step"]) == [1, 2]


@pytest.mark.parametrize(("metric", "sign"), [("roc_auc", 1), ("rmse", -1), ("mae", -1), ("r2", 1)])
def test_differences_are_positive_where_the_optimizer_is_better(metric, sign):
    rows = table({"adam": [0.5, 0.6, 0.7], "sam": [0.6, 0.7, 0.9]}, metric)
    comparison = compare(rows, "adam").iloc[0]
    assert comparison["mean"] == pytest.approx(sign * (0.4 / 3))
    assert comparison["relative"] == pytest.approx(sign * 100 * (0.4 / 3) / 0.6)
    assert comparison["time"] == 2
    assert np.argmin(summarize(rows)["rank"]) == (1 if sign > 0 else 0)


def test_only_seeds_that_both_have_are_compared():
    nan = float("nan")
    rows = table({"adam": [0.5, 0.9, nan], "sam": [0.6, nan, 0.1], "late": [nan, nan, 0.3]})
    comparison = compare(rows, "adam")
    assert list(comparison["optimizer"]) == ["sam"]
    assert comparison.iloc[0]["n"] == 1
    assert comparison.iloc[0]["mean"] == pytest.approx(0.1)


def test_without_the_reference_there_is_nothing_to_compare():
    rows = table({"sam": [0.5, 0.6]})
    assert compare(rows, "adam").empty
    assert across(compare(rows, "adam"), summarize(rows)).empty


def test_over_all_data_sets_each_counts_once():
    scores = {"adam": [0.5, 0.5], "sam": [0.55, 0.55]}
    rows = pd.concat([table(scores, dataset=name) for name in "abcdef"] + [table(scores, "rmse", "g")])
    overall = across(compare(rows, "adam"), summarize(rows)).set_index("optimizer")
    sam = overall.loc["sam"]
    assert (sam["n"], sam["better"]) == (7, 6)
    assert sam["mean"] == pytest.approx((6 * 10 - 10) / 7)
    assert sam["rank"] == pytest.approx((6 * 1 + 2) / 7)
    assert not np.isnan(sam["wilcoxon_p"])
    assert np.isnan(overall.loc["adam", "n"])


def timed(cpu_seconds: float | None, device: str = "cpu") -> dict:
    epoch = {"seconds": 4.0} if cpu_seconds is None else {"seconds": 4.0, "cpu_seconds": cpu_seconds}
    return {"history": [epoch, epoch], "machine": {"device": device}, "seconds": 8.0, "molecules_per_second": 10.0}


def test_processor_time_takes_the_place_of_wall_clock_time():
    forest = {**timed(None), "steps": np.nan}
    found = by_processor_time(pd.DataFrame([{**timed(1.0), "steps": 5.0}, {**timed(2.0), "steps": 5.0}, forest]))
    assert found["seconds"].tolist() == [2.0, 4.0, 8.0]
    assert found["molecules_per_second"].tolist() == [40.0, 20.0, 10.0]
    assert [epoch["seconds"] for epoch in found["history"][0]] == [1.0, 1.0]


@pytest.mark.parametrize("other", [timed(None), timed(1.0, device="NVIDIA H100")])
def test_wall_clock_time_stays_where_processor_time_is_unknown_or_not_the_work(other):
    assert by_processor_time(pd.DataFrame([{**timed(1.0), "steps": 5.0}, {**other, "steps": 5.0}])) is None
