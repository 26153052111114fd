"""Losses with bounds, masks and weights against closed forms and published values."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss
from support.places import FIXTURES

import zoo
from zoo.models.compt import Compt, ComptConfig
from zoo.tasks import Binary, Multiclass, Regression, Supervised, Weighting, objective_for

COMPLETE = FIXTURES / "losses" / "expected.npz"
EXTRACT = Path(__file__).parent / "fixtures" / "losses.npz"


@pytest.fixture(scope="module", params=[EXTRACT, COMPLETE], ids=["extract", "complete"])
def expected(request):
    if not request.param.exists():
        pytest.skip(f"no {request.param}")
    with np.load(request.param) as file:
        return {name: torch.from_numpy(file[name]) for name in file}


def bounds_of(values):
    return values["greater_than"].long() - values["less_than"].long()


@pytest.mark.parametrize(
    ("name", "task", "labels"),
    [
        ("mse", Regression(), "targets"),
        ("mae", Regression(loss="mae"), "targets"),
        ("bounded_mse", Regression(), "targets"),
        ("bounded_mae", Regression(loss="mae"), "targets"),
        ("binary_cross_entropy", Binary(), "binary"),
        ("cross_entropy", Multiclass(num_classes=4), "classes"),
    ],
)
def test_losses_are_those_of_the_published_package(expected, name, task, labels):
    scores = expected["preds"] if labels != "classes" else expected["class_logits"].flatten(1)
    targets, mask = expected[labels].double(), expected["mask"].double()
    bounds = bounds_of(expected) if name.startswith("bounded") else None
    elements = task.elementwise_loss(scores, targets)
    if bounds is not None:
        elements = task.bounded_loss(scores, targets, bounds)
    torch.testing.assert_close(elements, expected[f"loss/{name}/elements"], rtol=0, atol=1e-10)
    weighting = Weighting(tasks=tuple(expected["task_weights"].tolist()))
    found = Supervised(task, weighting=weighting).of_scores(
        scores, targets, mask, bounds=bounds, weights=expected["weights"]
    )
    torch.testing.assert_close(found.total, expected[f"loss/{name}/reduced"], rtol=0, atol=1e-10)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_the_focal_loss_is_its_formula(gamma):
    scores, targets = (
        torch.linspace(-8, 8, 12, dtype=torch.float64).reshape(6, 2),
        torch.tensor([[0.0, 1.0]] * 6).double(),
    )
    p = torch.sigmoid(scores)
    true = torch.where(targets == 1, p, 1 - p)
    expected = -((1 - true) ** gamma) * true.log()
    torch.testing.assert_close(Binary("focal", gamma).elementwise_loss(scores, targets), expected)
    logits, classes = torch.randn(5, 6, dtype=torch.float64), torch.tensor([[0.0, 2.0]] * 5).double()
    true = logits.unflatten(1, (2, 3)).softmax(-1).gather(2, classes.long()[..., None])[..., 0]
    expected = -((1 - true) ** gamma) * true.log()
    found = Multiclass(num_classes=3, loss="focal", gamma=gamma).elementwise_loss(logits, classes)
    torch.testing.assert_close(found, expected)


def test_half_the_square_back_propagates_the_loss_times_its_gradient():
    """As the released code of GraphSAM does with `loss.backward(loss)`."""
    scores = torch.linspace(-3, 3, 12, dtype=torch.float64).reshape(6, 2).requires_grad_()
    targets = torch.tensor([[0.0, 1.0]] * 6).double()
    plain = Binary().elementwise_loss(scores, targets)
    (expected,) = torch.autograd.grad(plain, scores, grad_outputs=plain.detach())
    (found,) = torch.autograd.grad(Binary("squared_cross_entropy").elementwise_loss(scores, targets).sum(), scores)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_the_focal_loss_has_gradients_where_nothing_is_missed(gamma):
    scores = torch.tensor([[200.0, -200.0, 0.3]], requires_grad=True)
    Binary("focal", gamma).elementwise_loss(scores, torch.tensor([[1.0, 1.0, 0.0]])).sum().backward()
    assert torch.isfinite(scores.grad).all()


@pytest.mark.parametrize(("loss", "power"), [("mse", 2), ("mae", 1)])
def test_bounds_cost_nothing_on_their_side(loss, power):
    scores = torch.tensor([[-1.0, 3.0, -1.0, 3.0, 3.0]], requires_grad=True)
    targets, bounds = torch.ones(1, 5), torch.tensor([[-1, -1, 1, 1, 0]])
    found = Regression(loss).bounded_loss(scores, targets, bounds)
    expected = torch.tensor([[0.0, 2.0**power, 2.0**power, 0.0, 2.0**power]])
    torch.testing.assert_close(found.detach(), expected)
    found.sum().backward()
    assert (scores.grad[0, [0, 3]] == 0).all()
    assert (scores.grad[0, [1, 2, 4]] != 0).all()


def test_huber_is_quadratic_then_linear():
    errors = torch.tensor([[0.1, -0.5, 2.0, -4.0]])
    found = Regression("huber", delta=0.5).elementwise_loss(errors, torch.zeros(1, 4))
    torch.testing.assert_close(found, torch.tensor([[0.005, 0.125, 0.875, 1.875]]))


@pytest.mark.parametrize(
    ("kind", "options", "text"),
    [
        (Regression, {"loss": "l1"}, "loss='l1': choose one of mse, mae, huber"),
        (Regression, {"delta": 1.0}, "delta=1.0 has no effect on loss='mse'"),
        (Regression, {"loss": "huber", "delta": 0.0}, "give a number above 0"),
        (Binary, {"gamma": 2.0}, "gamma=2.0 has no effect on loss='cross_entropy'"),
        (Binary, {"loss": "focal", "gamma": -1.0}, "give a number of at least 0"),
        (Binary, {"loss": "mse"}, "choose one of cross_entropy, focal"),
    ],
)
def test_options_without_effect_are_refused(kind, options, text):
    with pytest.raises(ValueError, match=text):
        kind(**options)


def test_weights_are_scikit_learns():
    generator = np.random.default_rng(0)
    labels, weights = generator.integers(0, 2, 50), generator.uniform(0, 3, 50)
    scores = torch.from_numpy(generator.normal(size=(50, 1)))
    found = Supervised(Binary()).of_scores(
        scores, torch.from_numpy(labels[:, None] * 1.0), torch.ones(50, 1).double(), weights=torch.from_numpy(weights)
    )
    expected = log_loss(labels, torch.sigmoid(scores).numpy()[:, 0], sample_weight=weights) * weights.mean()
    assert float(found.total) == pytest.approx(expected)


def test_losses_of_molecules_have_their_weights():
    scores, targets = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.zeros(2, 2)
    mask, weights = torch.tensor([[1.0, 1.0], [1.0, 0.0]]), torch.tensor([1.0, 10.0])
    objective = Supervised(Regression(), weighting=Weighting(tasks=(1.0, 3.0)))
    found = objective.of_scores(scores, targets, mask, weights=weights)
    torch.testing.assert_close(found.per_sample, torch.tensor([(1 + 3 * 4) / 2, 90.0]))
    torch.testing.assert_close(found.total, torch.tensor((1 + 12 + 90) / 3))


def test_a_loss_among_the_options_of_a_model_refuses_bounds():
    model = Compt(ComptConfig(task="regression", hidden_size=8, num_layers=1, loss="rmse"))
    objective = objective_for(model, Regression())
    scores, labels = torch.zeros(2, 1), torch.ones(2, 1)
    assert objective.of_scores(scores, labels, labels, weights=torch.tensor([4.0, 0.0])).total == 2**0.5
    with pytest.raises(ValueError, match="Compt computes its loss itself, without bounds"):
        objective.of_scores(scores, labels, labels, bounds=torch.ones(2, 1))


def test_batches_share_the_loss_whatever_their_weights():
    smiles = ["C" * n for n in range(1, 13)]
    data = zoo.data.load(
        {"smiles": smiles, "y": [f">{n}.5" if n % 3 else f"{n}.25" for n in range(12)], "w": range(12)},
        tasks=["y"],
        weight_column="w",
    )
    runs = []
    for batch_size, accumulate in ((12, 1), (4, 3)):
        learner = zoo.build("dmpnn", dataset=data, model_args={"hidden_size": 8}, device="cpu")
        learner.fit(data, split=None, epochs=2, batch_size=batch_size, accumulate=accumulate, progress=False)
        runs.append(learner.predict(smiles))
    np.testing.assert_allclose(*runs, rtol=1e-3)
