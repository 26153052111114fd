"""Kinds of target that predict a distribution: their losses, and what a trained model tells of its uncertainty."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from support.places import FIXTURES

import zoo
from zoo.tasks import distribution_losses as losses
from zoo.tasks import make_task

SMILES = [f"{head}{'C' * n}" for head in ("O", "N", "c1ccccc1") for n in range(1, 11)]
SIZES = np.array([len(smiles) for smiles in SMILES], float)
SMALL = {"model_args": {"hidden_size": 8}, "device": "cpu"}


@pytest.fixture(scope="module")
def expected():
    file = FIXTURES / "losses" / "expected.npz"
    if not file.exists():
        pytest.skip(f"{file} is absent: it holds what chemprop computes")
    return {name: torch.from_numpy(array) for name, array in np.load(file).items()}


PUBLISHED = {
    "mean_variance": lambda x: losses.gaussian_nll(x["preds"], x["variance"], x["targets"]),
    "pinball_0.1": lambda x: losses.pinball(x["preds"], x["targets"], 0.1),
    "interval_quantile_0.1": lambda x: losses.interval_pinball(
        x["preds"] - x["interval"] / 2, x["preds"] + x["interval"] / 2, x["targets"], 0.1
    ),
    "evidential": lambda x: losses.evidential_loss(*x["evidential"].unbind(-1), x["targets"], 0.2),
    "dirichlet": lambda x: losses.dirichlet_loss(x["concentration"], x["classes"], 0.2),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_losses_equal_those_of_chemprop(expected, name):
    torch.testing.assert_close(PUBLISHED[name](expected), expected[f"loss/{name}/elements"], atol=1e-10, rtol=0)


def test_the_gaussian_likelihood_is_that_of_scipy():
    mean, variance, targets = torch.randn(3, 50, dtype=torch.float64).unbind(0)
    found = losses.gaussian_nll(mean, variance.exp(), targets)
    np.testing.assert_allclose(found, -stats.norm.logpdf(targets, mean, variance.exp().sqrt()))


def test_a_bound_costs_what_its_probability_says():
    """An upper bound (-1) keeps the chance below it, a lower one (1) the chance above; exact labels (0) the density."""
    task, scores = make_task("mean_variance"), torch.randn(40, 2, dtype=torch.float64)
    targets, bounds = torch.randn(40, 1, dtype=torch.float64), torch.tensor([-1, 1, 0, 0]).repeat(10)[:, None]
    mean, sd = task.to_predictions(scores), task.to_spread(scores)
    wanted = np.where(
        bounds == 0,
        -stats.norm.logpdf(targets, mean, sd),
        np.where(bounds < 0, -stats.norm.logcdf(targets, mean, sd), -stats.norm.logsf(targets, mean, sd)),
    )
    np.testing.assert_allclose(task.bounded_loss(scores, targets, bounds), wanted)
    far = task.bounded_loss(torch.tensor([[50.0, 0.0]]), torch.zeros(1, 1), torch.tensor([[-1]]))
    assert far.isfinite().all()


def test_the_evidence_is_a_student_distribution():
    """Integrating mean and variance out of the Normal-Inverse-Gamma leaves Student's t (Amini et al., equation 8)."""
    mean, v, alpha, beta, targets = torch.rand(5, 40, dtype=torch.float64).add(0.1).unbind(0)
    alpha = alpha + 1
    scale = (beta * (1 + v) / (v * alpha)).sqrt()
    found = losses.evidential_loss(mean, v, alpha, beta, targets, regularization=0.0)
    np.testing.assert_allclose(found, -stats.t.logpdf(targets, 2 * alpha, mean, scale))


def test_the_divergence_vanishes_without_evidence_and_is_that_of_torch():
    concentration = torch.rand(20, 4, dtype=torch.float64).mul(5).add(0.1)
    flat = torch.distributions.Dirichlet(torch.ones(4, dtype=torch.float64))
    wanted = torch.distributions.kl_divergence(torch.distributions.Dirichlet(concentration), flat)
    torch.testing.assert_close(losses.divergence_from_flat(concentration), wanted)
    assert losses.divergence_from_flat(torch.ones(4)).abs() < 1e-6


def test_quantiles_minimise_their_loss():
    sample = torch.from_numpy(stats.norm.ppf((np.arange(2000) + 0.5) / 2000))
    grid = torch.linspace(-3, 3, 601, dtype=torch.float64)
    for quantile in (0.05, 0.5, 0.9):
        mean = losses.pinball(grid[:, None], sample[None], quantile).mean(1)
        assert grid[mean.argmin()] == pytest.approx(stats.norm.ppf(quantile), abs=0.011)


KINDS = ["mean_variance", "quantile", "evidential"]


@pytest.mark.parametrize("kind", [*KINDS, "dirichlet", "binary_dirichlet"])
def test_scores_of_any_size_give_finite_losses_and_gradients(kind):
    task = make_task(kind, {"num_classes": 3} if kind == "dirichlet" else {})
    scores = torch.tensor([-80.0, -3.0, 0.0, 3.0, 80.0]).repeat_interleave(2 * task.num_scores).view(5, -1)
    scores.requires_grad_()
    loss = task.elementwise_loss(scores, torch.ones(5, 2))
    loss.sum().backward()
    assert loss.shape == (5, 2)
    assert loss.isfinite().all()
    assert scores.grad.isfinite().all()
    assert task.to_spread(scores).shape == task.to_predictions(scores).shape
    assert (task.to_spread(scores) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_training_learns_values_and_metrics_fit(kind, tmp_path):
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "size": 1e4 + 100 * SIZES}), task="regression")
    learner = zoo.build("gcn", dataset=data, task=kind, optimizer_args={"lr": 1e-2}, **SMALL)
    history = learner.fit(data, split=None, epochs=30, progress=False)
    assert history.epochs[-1].loss < history.epochs[0].loss
    found = learner.evaluate(data)
    assert found["rmse"] < 0.5 * data.targets.std()
    learner.save(tmp_path / "saved")
    again = zoo.load(tmp_path / "saved")
    assert again.fitted.task == kind
    np.testing.assert_array_equal(again.predict(SMILES), learner.predict(SMILES))


@pytest.mark.parametrize(("kind", "labels"), [("dirichlet", ["O", "N", "c"]), ("binary_dirichlet", [0, 1])])
def test_classes_learn_too(kind, labels):
    words = [labels[n * len(labels) // len(SMILES)] for n in range(len(SMILES))]
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "kind": words}), task=kind, tasks="kind")
    learner = zoo.build("gcn", dataset=data, optimizer_args={"lr": 1e-2}, **SMALL)
    learner.fit(data, split=None, epochs=30, progress=False)
    assert learner.evaluate(data)["accuracy"] > 0.6
    values = learner.predict(SMILES)
    assert values.shape == ((30, 1, 3) if kind == "dirichlet" else (30, 1))
    assert ((values > 0) & (values < 1)).all()


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [("quantile", {"coverage": 1.0}, "between 0 and 1"), ("evidential", {"regularization": -1}, "at least 0")],
)
def test_options_out_of_their_range_are_refused(kind, options, message):
    with pytest.raises(ValueError, match=message):
        make_task(kind, options)


def test_mean_variance_finds_the_noise_of_its_labels():
    """Labels of alcohols scatter by 1, those of benzenes by 0.1: the model tells them apart, in the labels' unit."""
    rng = np.random.default_rng(0)
    noise = np.where(np.arange(30) < 10, 1.0, 0.05)
    rows = [(smiles, 50 + rng.normal() * sd) for smiles, sd in zip(SMILES, noise, strict=True) for _ in range(8)]
    data = zoo.data.load(pd.DataFrame(rows, columns=["smiles", "y"]), task="mean_variance")
    learner = zoo.build("gcn", dataset=data, optimizer_args={"lr": 1e-2}, **SMALL)
    learner.fit(data, split=None, epochs=20, progress=False)
    spread = learner.predictions(SMILES, uncertainty="mean_variance").spread[:, 0]
    assert spread[:10].mean() > 2 * spread[20:].mean()
    assert 0.3 < spread[:10].mean() < 2
