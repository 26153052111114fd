"""Calibration: what published code computes, closed forms, and coverage on exchangeable data."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from support.places import FIXTURES

import zoo
from zoo.learners.uncertainty import Estimate
from zoo.trust import calibrate, conformal, probabilities, scales
from zoo.trust.calibrating import fit_classes, fit_numbers

FIRST, LAST = slice(0, 120), slice(120, 240)


@pytest.fixture(scope="module")
def published():
    file = FIXTURES / "losses" / "expected.npz"
    if not file.exists():
        pytest.skip(f"{file} is absent: it holds what chemprop computes")
    return dict(np.load(file))


def parts(published, task):
    """Errors, variances and half intervals of the first rows of a task that count."""
    known = published["mask"][FIRST, task]
    preds, targets, variance, width = (
        published[name][FIRST, task][known] for name in ("preds", "targets", "variance", "interval")
    )
    return preds - targets, variance, width / 2


@pytest.mark.parametrize("task", range(3))
def test_scaling_is_that_of_chemprop(published, task):
    errors, variance, _ = parts(published, task)
    later = published["variance"][LAST, task]
    found = later * scales.z_factor(errors, np.sqrt(variance)) ** 2
    np.testing.assert_allclose(found, published["calibrator/z_scaling"][:, task], rtol=1e-4)
    found = later * scales.zelikman_factor(errors, np.sqrt(variance), 0.9) ** 2
    np.testing.assert_allclose(found, published["calibrator/zelikman_0.9"][:, task], rtol=1e-10)


@pytest.mark.parametrize("task", range(3))
def test_conformal_intervals_are_those_of_chemprop_with_its_rank(published, task):
    errors, _, half = parts(published, task)
    scores = conformal.scores_of_numbers("interval", -errors, np.zeros_like(half), None, np.stack([-half, half], 1))
    np.testing.assert_allclose(scores, np.abs(errors) - half)
    limit = conformal.threshold(scores, 0.9, as_chemprop=True)
    np.testing.assert_allclose(
        published["interval"][LAST, task] / 2 + limit, published["calibrator/conformal_0.1"][:, task], atol=1e-10
    )
    assert conformal.threshold(scores, 0.9) == np.sort(scores)[int(np.ceil((len(scores) + 1) * 0.9)) - 1] < limit


@pytest.mark.parametrize("task", range(3))
@pytest.mark.parametrize(("method", "key"), [("sets", "conformal_classes_0.1"), ("adaptive", "conformal_adaptive_0.1")])
def test_conformal_sets_are_those_of_chemprop_with_its_rank(published, task, method, key):
    logits = published["class_logits"][:, task]
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    known = published["mask"][FIRST, task]
    true = published["classes"][FIRST, task][known]
    own = conformal.scores_of_classes(method, chances[FIRST][known])[np.arange(len(true)), true]
    limit = conformal.threshold(own, 0.9, as_chemprop=True)
    np.testing.assert_array_equal(
        conformal.sets_within(method, limit, chances[LAST]), published[f"calibrator/{key}"][:, task].astype(bool)
    )


def test_the_rank_is_exact_where_floating_point_is_not():
    """(1 - 0.9) * 100 is 9.999..., which rounded down would cost a rank."""
    for coverage, n in [(0.9, 99), (0.8, 49), (0.95, 199), (0.7, 9), (0.9, 9)]:
        scores = np.random.default_rng(n).permutation(n) + 1.0
        assert conformal.threshold(scores, coverage) == np.ceil(round((n + 1) * coverage, 9))
    assert conformal.threshold(np.arange(8.0), 0.9) == np.inf
    assert conformal.threshold([-5.0, -3.0, -4.0], 0.5) == -4.0


def test_thinned_scores_never_lower_a_threshold():
    scores = np.random.default_rng(0).normal(size=777)
    kept = conformal.keep(scores, 100)
    assert len(kept) == 100
    for coverage in (0.5, 0.8, 0.9, 0.95):
        exact, thin = conformal.threshold(scores, coverage), conformal.threshold(kept, coverage)
        assert exact <= thin <= np.quantile(scores, coverage + 0.03)


def test_temperature_finds_the_one_that_was_applied():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3))
    true = (logits.cumsum(1) * 0 + logits - np.log(-np.log(rng.random(logits.shape)))).argmax(1)
    sharp = np.exp(2.5 * logits) / np.exp(2.5 * logits).sum(1, keepdims=True)
    state = probabilities.fit_temperature(sharp, true.astype(float))
    assert state["temperature"] == pytest.approx(2.5, rel=0.05)
    back = probabilities.apply_temperature(sharp, state)
    np.testing.assert_allclose(back, np.exp(logits) / np.exp(logits).sum(1, keepdims=True), atol=0.03)


@pytest.mark.parametrize("method", ["temperature", "platt", "isotonic"])
def test_corrected_probabilities_are_the_frequencies(method):
    rng = np.random.default_rng(1)
    score = rng.normal(size=6000)
    labels = (rng.random(6000) < 1 / (1 + np.exp(-score))).astype(float)
    wrong = 1 / (1 + np.exp(-3 * score - (0 if method == "temperature" else 1)))
    both = np.stack([1 - wrong, wrong], 1)
    state = json.loads(json.dumps(probabilities.fit_probabilities(method, both[:3000], labels[:3000])))
    found = probabilities.apply_probabilities(method, both[3000:], state)
    np.testing.assert_allclose(found.sum(1), 1.0)
    np.testing.assert_allclose(
        found[:, 1], 1 / (1 + np.exp(-score[3000:])), atol=0.15 if method == "isotonic" else 0.05
    )
    assert probabilities.apply_probabilities(method, np.array([[np.nan, np.nan]]), state).shape == (1, 2)


def test_platt_stays_finite_where_classes_are_apart():
    chance = np.concatenate([np.full(10, 1e-9), np.full(10, 1 - 1e-9)])
    state = probabilities.fit_platt(np.stack([1 - chance, chance], 1), np.repeat([0.0, 1.0], 10))
    found = probabilities.apply_platt(np.stack([1 - chance, chance], 1), state)[:, 1]
    np.testing.assert_allclose(found[[0, -1]], [1 / 12, 11 / 12], atol=1e-3)  # the softened labels


def in_binomial_range(hits, count, share):
    """Whether a number of hits is within the 99.9 % range of a binomial that also varies with the calibration part."""
    low, high = stats.betabinom.interval(0.999, count, *share)
    return low <= hits <= high


@pytest.mark.parametrize("method", ["absolute", "normalized", "interval"])
def test_intervals_of_exchangeable_numbers_cover(method):
    """Over ten seeds, hits follow the beta-binomial law of split conformal prediction with n = 199: Beta(180, 20)."""
    total = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        sd = rng.uniform(0.2, 2, 599)
        values = rng.normal(size=599)
        labels = values + sd * rng.standard_t(3, 599)
        ends = np.stack([values - sd, values + sd], 1)[:, None]
        parts = [
            Estimate(values[rows, None], sd[rows, None], ends[rows] if method == "interval" else None)
            for rows in (slice(0, 199), slice(199, 599))
        ]
        made = fit_numbers(labels[:199, None], parts[0], "z_scaling", method)
        lower, upper = made.intervals(made.correct(parts[1]), 0.9)[:, 0].T
        hits = int(((lower <= labels[199:]) & (labels[199:] <= upper)).sum())
        assert in_binomial_range(hits, 400, (180, 20)), (seed, hits)
        total += hits
    assert abs(total / 4000 - 0.9) < 0.02


@pytest.mark.parametrize("method", ["sets", "adaptive", "mondrian"])
def test_sets_of_exchangeable_classes_cover(method):
    """As above; "mondrian" also within each class, of which one is rare."""
    hits, of_class, count = 0, np.zeros(3), np.zeros(3)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        logits = 1.5 * rng.normal(size=(999, 3)) + [1.0, 0.0, -1.5]
        true = (logits - np.log(-np.log(rng.random(logits.shape)))).argmax(1)
        chances = np.exp(2 * logits) / np.exp(2 * logits).sum(1, keepdims=True)
        made = fit_classes(true[:499, None].astype(float), Estimate(chances[:499, None]), "temperature", method)
        later = made.correct(Estimate(chances[499:, None])).values
        inside = np.take_along_axis(made.sets(later, 0.9)[:, 0], true[499:, None], 1)[:, 0]
        assert in_binomial_range(int(inside.sum()), 500, (450, 50)) or method == "mondrian", (seed, inside.mean())
        hits += int(inside.sum())
        for each in range(3):
            of_class[each] += inside[true[499:] == each].sum()
            count[each] += (true[499:] == each).sum()
    assert 0.88 < hits / 5000 < 0.93
    if method == "mondrian":
        assert (of_class / count > 0.87).all()


SMILES = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1", "F") for n in range(1, 16)]


@pytest.fixture(scope="module")
def numbers():
    data = pd.DataFrame({"smiles": SMILES, "y": [100.0 + len(smiles) + n % 3 for n, smiles in enumerate(SMILES)]})
    learner = zoo.build("gcn", task="regression", model_args={"hidden_size": 8, "dropout": 0.2}, device="cpu")
    learner.fit(zoo.data.load(data), split=None, epochs=2, progress=False)
    return learner, data


def test_a_calibrated_run_is_saved_and_predicts_intervals(numbers, tmp_path):
    learner, data = numbers
    calibrate(learner, data)
    calibrate(learner, data, "mc_dropout", passes=3)
    learner.save(tmp_path / "run")
    again = zoo.load(tmp_path / "run")
    for options in ({}, {"uncertainty": "mc_dropout"}):  # with the passes that it was calibrated with
        found = again.predictions(SMILES, coverage=0.8, **options)
        np.testing.assert_allclose(found.interval, learner.predictions(SMILES, coverage=0.8, **options).interval)
        lower, upper = found.interval[:, 0].T
        assert ((lower <= data["y"]) & (data["y"] <= upper)).mean() >= 0.8
        assert list(found.to_frame()) == ["predicted_y", "sd_y", "lower_y", "upper_y", "reason"]
    errors = learner.predict(SMILES)[:, 0] - data["y"]
    spread = again.predictions(SMILES, uncertainty="calibrated").spread
    np.testing.assert_allclose(spread, np.sqrt((errors**2).mean()))


def test_a_calibrated_classifier_predicts_sets(tmp_path):
    data = pd.DataFrame({"smiles": SMILES, "y": ["no" if smiles[0] in "ON" else "yes" for smiles in SMILES]})
    learner = zoo.build("gcn", dataset=zoo.data.load(data), model_args={"hidden_size": 8}, device="cpu")
    learner.fit(zoo.data.load(data), split=None, epochs=2, progress=False)
    calibrate(learner, data, method="platt", conformal_method="mondrian")
    frame = learner.predictions([*SMILES, "bad"], coverage=0.9).to_frame()
    assert list(frame) == ["predicted_y", "class_y", "set_y", "reason"]
    assert set(frame["set_y"][:-1]) <= {"no", "yes", "no|yes", ""}
    assert frame["set_y"].iloc[-1] == ""
    hit = [label in text.split("|") for label, text in zip(data["y"], frame["set_y"], strict=False)]
    assert np.mean(hit) >= 0.9


def test_trees_are_calibrated_too(numbers):
    data = zoo.data.load(numbers[1])
    forest = zoo.build("random_forest", task="regression", model_args={"num_trees": 5, "num_jobs": 1})
    forest.fit(data.subset(range(0, 60, 2)), split=None, progress=False)
    calibrate(forest, data.subset(range(1, 60, 2)))
    found = forest.predictions(data, coverage=0.9)
    widths = found.interval[:, 0, 1] - found.interval[:, 0, 0]
    np.testing.assert_allclose(widths, widths[0])
    with pytest.raises(ValueError, match="has no dropout; choose one of calibrated"):
        forest.predictions(SMILES, uncertainty="mc_dropout")


def test_an_ensemble_is_calibrated_too(numbers):
    learner, data = numbers
    both = zoo.ensemble([learner, learner])
    with pytest.raises(ValueError, match="not calibrated"):
        both.predictions(SMILES, coverage=0.9)
    calibrate(both, data)
    assert both.predictions(SMILES, coverage=0.9).interval.shape == (60, 1, 2)


def test_members_that_agree_promise_no_exact_value(numbers):
    """Two equal members never disagree: deviations of 0 would make intervals without width, or infinite factors."""
    learner, data = numbers
    both = zoo.ensemble([learner, learner])
    calibrate(both, data, "ensemble")
    found = both.predictions(SMILES, uncertainty="ensemble", coverage=0.9)
    lower, upper = found.interval[:, 0].T
    assert np.isfinite(found.interval).all()
    assert ((lower <= data["y"]) & (data["y"] <= upper)).mean() >= 0.9
    errors = learner.predict(SMILES)[:, 0] - data["y"]
    np.testing.assert_allclose(found.spread, np.sqrt((errors**2).mean()), rtol=1e-5)


@pytest.mark.parametrize(
    "change",
    [{"scores": "abc"}, {"scores": [[1.0], [2.0]]}, {"scores": [["a"]]}, {"factors": [float("inf")]}, {"x": 1}],
)
def test_a_damaged_calibration_is_one_line(numbers, change):
    learner, data = numbers
    calibrate(learner, data)
    calibration = {"calibrated": {**learner.fitted.calibration["calibrated"], **change}}
    learner.fitted = replace(learner.fitted, calibration=calibration)
    with pytest.raises(ValueError, match=r"^the calibration of 'calibrated' cannot be read [^\n]*calibrate it first"):
        learner.predictions(SMILES, coverage=0.9)
    calibrate(learner, data)


@pytest.mark.parametrize("coverage", [0.0, 1.0, -1, 1.5, float("nan")])
def test_impossible_coverage_is_one_line(numbers, coverage):
    with pytest.raises(ValueError, match=r"^coverage=.*between 0 and 1[^\n]*$"):
        numbers[0].predictions(SMILES, coverage=coverage)


def test_mistakes_are_one_line():
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": np.arange(60.0)}), task="regression")
    learner = zoo.build("gcn", task="regression", model_args={"hidden_size": 8, "dropout": 0.2}, device="cpu")
    with pytest.raises(ValueError, match=r"this run is not calibrated; calibrate it first: molzoo calibrate RUN"):
        learner.predictions(SMILES, uncertainty="mc_dropout", coverage=0.9)
    with pytest.raises(ValueError, match="9 labels are too few to calibrate with: give at least 10"):
        calibrate(learner, data.subset(range(9)))
    with pytest.raises(ValueError, match="method='platt': choose one of z_scaling, zelikman, none"):
        calibrate(learner, data, method="platt")
    calibrate(learner, data.subset(range(20)), "mc_dropout", passes=3)
    with pytest.raises(ValueError, match="was calibrated with passes=3: predict so, or calibrate anew"):
        learner.predictions(SMILES, uncertainty="mc_dropout", coverage=0.9, passes=4)
    with pytest.raises(ValueError, match=r"needs 99 calibration labels, and there are 20: ask for 0.952 at most"):
        learner.predictions(SMILES, uncertainty="mc_dropout", coverage=0.99)
    with pytest.raises(ValueError, match=r"uncertainty='ball' of this run is not calibrated, mc_dropout is: molzoo"):
        learner.predictions(SMILES, uncertainty="ball", coverage=0.9)


def test_labels_of_one_class_cannot_be_calibrated_with():
    learner = zoo.build("gcn", model_args={"hidden_size": 8}, device="cpu")
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": [1, *[0] * 59]}))
    with pytest.raises(ValueError, match="its labels are of one class, a calibration needs both: add molecules"):
        calibrate(learner, data.subset(range(1, 60)))
