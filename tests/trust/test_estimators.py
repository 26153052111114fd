"""Estimators of uncertainty: what they give, that they can be repeated, and which learners they refuse."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import zoo
from zoo.registry.catalog import ESTIMATORS
from zoo.trust import Told, calibrate, combine, fitting

SMILES = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1") for n in range(1, 9)]
DATA = pd.DataFrame({"smiles": SMILES, "y": [1e3 + 10 * len(smiles) for smiles in SMILES]})
SMALL = {"model_args": {"hidden_size": 8, "dropout": 0.3}, "device": "cpu", "optimizer": "sam"}


def train(task, seed=0, model="gcn", **options):
    """A learner that was trained for two epochs."""
    learner = zoo.build(model, task=task, seed=seed, **{**SMALL, **options})
    learner.fit(zoo.data.load(DATA), split=None, epochs=2, progress=False)
    return learner


@pytest.fixture(scope="module")
def plain():
    return train("regression")


@pytest.fixture(scope="module")
def gaussian():
    return [train("mean_variance", seed) for seed in range(2)]


@pytest.fixture(scope="module")
def ensemble(plain):
    return zoo.ensemble([plain, train("regression", 1), train("regression", 2)])


def test_the_law_of_total_variance():
    rng = np.random.default_rng(0)
    means, variances, weights = rng.normal(size=(3, 5)), rng.uniform(0.1, 1, (3, 5)), np.array([0.5, 0.3, 0.2])
    found = combine([Told(m, v) for m, v in zip(means, variances, strict=True)], weights)
    drawn = rng.choice(3, 400_000, p=weights)
    sample = rng.normal(means[drawn], np.sqrt(variances[drawn]))
    np.testing.assert_allclose(found.mean, sample.mean(0), atol=0.01)
    np.testing.assert_allclose(found.variance, sample.var(0), rtol=0.01)


def test_an_ensemble_of_gaussians_has_their_total_variance(gaussian):
    each = [learner.predictions(SMILES, uncertainty="mean_variance") for learner in gaussian]
    values, spread = (np.stack([getattr(one, name) for one in each]) for name in ("values", "spread"))
    together = zoo.ensemble(gaussian)
    for name in ("mean_variance", "ensemble"):
        found = together.predictions(SMILES, uncertainty=name)
        np.testing.assert_allclose(found.values, values.mean(0))
        np.testing.assert_allclose(found.spread**2, (spread**2).mean(0) + values.var(0))


def test_a_variance_is_scaled_back(gaussian):
    """The labels lie near 1000 and scatter by about 40: deviations have their size, not that of scaled targets."""
    spread = gaussian[0].predictions(SMILES, uncertainty="mean_variance").spread
    assert 5 < spread.mean() < 500


def test_a_quantile_learner_tells_its_interval():
    found = train("quantile").predictions([*SMILES, "bad"], uncertainty="quantile")
    lower, upper = found.interval[:-1, 0].T
    assert (lower < found.values[:-1, 0]).all()
    assert (found.values[:-1, 0] < upper).all()
    frame = found.to_frame()
    assert list(frame) == ["predicted_y", "sd_y", "lower_y", "upper_y", "reason"]
    assert frame.iloc[-1][["predicted_y", "sd_y", "lower_y"]].isna().all()
    assert "syntax" in frame["reason"].iloc[-1]


def test_an_ensemble_disagrees_as_its_own_spread_says(ensemble):
    found = ensemble.predictions(SMILES, uncertainty="ensemble")
    np.testing.assert_allclose(found.spread, ensemble.predictions(SMILES).spread)
    np.testing.assert_allclose(found.values, ensemble.predict(SMILES))


def test_passes_of_an_ensemble_add_to_what_its_members_disagree(ensemble):
    each = [member.predictions(SMILES, uncertainty="mc_dropout", passes=3) for member in ensemble.members]
    found = ensemble.predictions(SMILES, uncertainty="mc_dropout", passes=3)
    within = np.mean([one.spread**2 for one in each], axis=0)
    np.testing.assert_allclose(found.spread**2, within + np.var([one.values for one in each], axis=0))


@pytest.mark.parametrize("name", ["mc_dropout", "ball"])
def test_passes_are_repeated_by_their_seed(plain, name):
    first, again, other = (plain.predictions(SMILES, uncertainty=name, passes=4, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.spread, again.spread)
    assert (first.spread > 0).all()
    assert not np.array_equal(first.spread, other.spread)


def test_the_caller_keeps_weights_modes_and_random_numbers(plain):
    before = {name: value.clone() for name, value in plain.model.state_dict().items()}
    modes, state = [module.training for module in plain.model.modules()], torch.get_rng_state()
    for name, options in (("mc_dropout", {}), ("ball", {}), ("ball", {"direction": "ascent"})):
        plain.predictions(SMILES, uncertainty=name, passes=3, **options)
    assert all(torch.equal(before[name], value) for name, value in plain.model.state_dict().items())
    assert modes == [module.training for module in plain.model.modules()]
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("name", ["mc_dropout", "ball"])
def test_batches_do_not_depend_on_each_other(plain, name):
    """Molecules that share a batch have the same numbers wherever the batch stands, as in files that are cut up."""
    how = {"uncertainty": name, "passes": 3, "batch_size": 8}
    apart = [plain.predictions(SMILES[n : n + 8], **how).spread for n in (0, 8, 16)]
    np.testing.assert_array_equal(plain.predictions(SMILES, **how).spread, np.concatenate(apart))


class Dropped(nn.Module):
    """Ones, some of which are dropped, in a normalization whose statistics are those of an untrained one."""

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.norm, self.drop = nn.BatchNorm1d(num_tasks), nn.Dropout(0.25)

    def forward(self, graph):
        assert not self.training
        return self.norm(self.drop(torch.ones(graph.graph.batch_size, 1)))


class Linear(nn.Module):
    """The sum of five weights."""

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_tasks, 5))

    def forward(self, graph):
        return torch.ones(graph.graph.batch_size, 5) @ self.weight.T


def bare(model):
    return zoo.build(model, task="regression", featurizer="canonical", device="cpu")


def test_dropout_is_on_and_batch_normalization_is_not():
    found = bare(Dropped).predictions(SMILES, uncertainty="mc_dropout", passes=400)
    # A kept entry is 1 / 0.75: mean 1, variance 0.25 / 0.75.
    np.testing.assert_allclose(found.spread.mean(), np.sqrt(1 / 3), rtol=0.02)
    np.testing.assert_allclose(found.values.mean(), 1.0, rtol=0.02)


def test_the_ball_of_a_linear_model_has_its_closed_form():
    """An even direction moves w x by a variance of rho² |x|² / (number of weights), one along x by rho |x|."""
    learner = bare(Linear)
    found = learner.predictions(SMILES, uncertainty="ball", passes=600, rho=0.5)
    np.testing.assert_allclose(found.spread, 0.5, rtol=0.1)
    assert (found.values == 0).all()  # of the trained weights
    uphill = learner.predictions(SMILES, uncertainty="ball", passes=30, rho=0.5, direction="ascent")
    np.testing.assert_allclose(uphill.spread, 0.5 * np.sqrt(5), rtol=0.1)


def test_the_radius_is_that_of_the_optimizer():
    learner = zoo.build(Linear, task="regression", featurizer="canonical", optimizer="sam", optimizer_args={"rho": 2.0})
    found = [learner.predictions(SMILES, uncertainty="ball", passes=3, **rho).spread for rho in ({}, {"rho": 2.0})]
    np.testing.assert_array_equal(*found)


def test_the_radius_of_a_rise_is_that_of_the_last_step():
    data = zoo.data.load((SMILES, [float(n) for n in range(len(SMILES))]), task="regression")
    learner = zoo.build("gcn", dataset=data, **{**SMALL, "optimizer": "sam", "optimizer_args": {"rise": 0.03}})
    learner.fit(data, split=None, epochs=1, progress=False)
    radius = learner.optimizer.current_rho
    assert radius not in (0, 0.05)
    found = [learner.predictions(SMILES, uncertainty="ball", passes=3, **rho).spread for rho in ({}, {"rho": radius})]
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(("task", "classes"), [("multiclass", 3), ("binary", 2)])
def test_classes_have_spreads_of_their_probabilities(task, classes):
    labels = [n * classes // len(SMILES) for n in range(len(SMILES))]
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": labels}), task=task)
    learner = zoo.build("gcn", dataset=data, **SMALL)
    learner.fit(data, split=None, epochs=1, progress=False)
    for name in ("mc_dropout", "ball"):
        found = learner.predictions(SMILES, uncertainty=name, passes=3)
        assert found.spread.shape == found.values.shape == learner.predict(SMILES).shape
        assert (found.spread < 0.5).all()


def test_targets_of_several_kinds_have_deviations_and_no_calibration():
    columns = {"smiles": SMILES, "y": np.arange(24) / 7, "active": np.arange(24) % 2, "kind": np.arange(24) % 3}
    kinds = {"y": "regression", "active": "binary", "kind": "multiclass"}
    data = zoo.data.load(pd.DataFrame(columns), tasks=list(kinds), task_kinds=kinds)
    learner = zoo.build("gcn", dataset=data, **SMALL)
    learner.fit(data, split=None, epochs=1, progress=False)
    for options in ({"uncertainty": "mc_dropout"}, {"uncertainty": "ball", "direction": "ascent"}):
        found = learner.predictions(SMILES, passes=3, **options)
        assert found.spread.shape == found.values.shape == learner.predict(SMILES).shape
        assert (found.spread > 0).all()
    with pytest.raises(
        ValueError, match=r"targets of several kinds \(regression, binary, multiclass\) are not calibrated"
    ):
        calibrate(learner, data)


@pytest.mark.parametrize("model", ["grover", "attentive_fp", "mat", "gat"])
def test_dropout_that_modules_apply_themselves_is_on(model):
    args = {"gat": {"attention_dropout": 0.5}}.get(model, {"dropout": 0.5})
    learner = zoo.build(model, task="regression", model_args=args, device="cpu")
    assert (learner.predictions(SMILES[:2], uncertainty="mc_dropout", passes=3).spread > 0).all()


FOREST = {"model": "random_forest", "model_args": {"num_trees": 2}, "optimizer": "none"}
REFUSED = {
    "ensemble": ("regression", {}, "one model, not an ensemble"),
    "mean_variance": ("regression", {}, "--task mean_variance, and this one was trained as 'regression'"),
    "quantile": ("mean_variance", {}, "--task quantile"),
    "evidential": ("regression", {}, "--task evidential or dirichlet or binary_dirichlet"),
    "mc_dropout": ("regression", {"model_args": {"hidden_size": 8, "dropout": 0.0}}, "has no dropout"),
    "ball": ("regression", FOREST, "no weights to perturb"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_estimator_that_does_not_fit_names_those_that_do(name):
    task, options, message = REFUSED[name]
    learner = zoo.build(**{"model": "gcn", **SMALL, **options, "task": task})
    with pytest.raises(ValueError, match=message) as caught:
        learner.predictions(SMILES, uncertainty=name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(", ".join(fitting(learner)))
    assert name not in fitting(learner)


def test_unknown_names_and_options_are_refused(plain):
    with pytest.raises(LookupError, match=r"unknown estimator 'mc_drop'.*Did you mean 'mc_dropout'"):
        plain.predictions(SMILES, uncertainty="mc_drop")
    with pytest.raises(TypeError, match=r"no field 'pases'.*Did you mean 'passes'"):
        plain.predictions(SMILES, uncertainty="mc_dropout", pases=3)
    with pytest.raises(ValueError, match="passes=1: give a number of at least 2"):
        plain.predictions(SMILES, uncertainty="ball", passes=1)
    with pytest.raises(TypeError, match="name one with uncertainty="):
        plain.predictions(SMILES, passes=3)


@pytest.mark.parametrize("entry", ESTIMATORS, ids=lambda entry: entry.name)
def test_every_estimator_knows_its_name_and_price(entry):
    assert entry.resolve().name == entry.name
    assert entry.facts["passes"]


def test_a_molecule_that_cannot_be_read_has_no_deviation():
    learner = zoo.build("gcn", task="regression", model_args={"hidden_size": 8})
    data = ([f"{'C' * length}O" for length in range(1, 31)], [float(length) for length in range(30)])
    learner.fit(data, split="random", epochs=1, progress=False)
    calibrate(learner, zoo.data.load((data[0], data[1]), task="regression"))
    table = learner.predictions(["CCO", "xx"], coverage=0.8).to_frame()
    numbers = table.filter(regex="^(predicted|sd|lower|upper)_").to_numpy(float)
    assert np.isfinite(numbers[0]).all()
    assert np.isnan(numbers[1]).all()
