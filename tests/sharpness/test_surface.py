"""The loss as a function of the weights: the same each time, and no trace of it left."""

import copy

import numpy as np
import pytest
import torch
from support.closed_forms import OnRows, batches_of, mlp_surface, quadratic
from torch import nn

import zoo
from optim import Vector
from zoo.data import MoleculeDataset
from zoo.sharpness import LossSurface, landscape, measure


def test_loss_does_not_depend_on_how_labels_are_cut_into_batches() -> None:
    surface = mlp_surface()
    x = torch.cat([b.graph.values for b in surface._batches])
    y, mask = torch.cat([b.targets for b in surface._batches]), torch.cat([b.mask for b in surface._batches])
    whole = LossSurface(surface.model, batches_of(x, y, mask, size=10), "classification")
    assert len(surface._batches) == 3
    assert surface.loss() == pytest.approx(whole.loss(), rel=1e-12)
    for ours, theirs in zip(surface.gradient()[1].tensors, whole.gradient()[1].tensors, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_measuring_leaves_no_trace(grover, dataset) -> None:
    model = grover.model.train()
    model.encoder.eval()  # a mode of a part is put back too
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    weights, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    state = torch.get_rng_state()
    measure(grover, dataset, stochastic=True, directions=2)
    landscape(grover, dataset, points=3)
    assert all(torch.equal(t, weights[name]) for name, t in model.state_dict().items())
    assert all(torch.equal(p.grad, torch.ones_like(p)) for p in model.parameters())
    assert modes == [m.training for m in model.modules()]
    assert torch.equal(state, torch.get_rng_state())


def test_stochastic_surface_draws_the_same_each_time_and_freezes_statistics() -> None:
    network = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 1))
    x, y = torch.randn(8, 2), torch.randn(8, 1)
    fixed = LossSurface(OnRows(network), batches_of(x, y), "regression")
    surface = LossSurface(OnRows(network), batches_of(x, y), "regression", stochastic=True, seed=3)
    assert surface.loss() == surface.loss() == pytest.approx(surface.gradient()[0])
    assert surface.loss() != fixed.loss()
    assert network[1].num_batches_tracked.item() == 0


def test_weights_come_back_after_an_error() -> None:
    surface, _ = quadratic(torch.ones(5, dtype=torch.float64))
    before = [w.detach().clone() for w in surface.weights]
    surface.model.loss = lambda *_: 1 / 0
    with pytest.raises(ZeroDivisionError):
        surface.loss_at(Vector([torch.ones_like(w) for w in surface.weights]))
    assert all(torch.equal(w, b) for w, b in zip(surface.weights, before, strict=True))


def test_regression_is_measured_on_scaled_targets(dataset) -> None:
    targets = np.linspace(100, 200, len(dataset), dtype=np.float32)[:, None]
    data = MoleculeDataset("few", dataset.smiles, targets, ("y",), "regression")
    learner = zoo.build("grover", model_args={"hidden_size": 8, "num_layers": 2}, dataset=data, device="cpu")
    learner.fit(data, split=None, epochs=1, progress=False)
    assert LossSurface.of(learner, data).loss() < 10
