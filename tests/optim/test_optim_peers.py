"""Equal to pytorch_optimizer, an independent implementation, where the rules coincide; and where it differs, how."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task

import optim

peers = pytest.importorskip("pytorch_optimizer")
STEPS = 9
PEER = 1e-7  # it sums squared norms in float32, whatever the model's dtype


def theirs(make, *, steps=STEPS, model=None):
    """Weights and number of passes of a peer, driven as its documentation says: a backward, then ``step(closure)``."""
    task, passes = Task("unperturbed"), 0
    if model is not None:
        task.model = model()
    task.optimizer = make(task)

    def closure():
        nonlocal passes
        passes += 1
        task.optimizer.zero_grad()
        loss = task.loss()
        loss.backward()
        return loss

    for _ in range(steps):
        closure()
        task.optimizer.step(closure)
        task.at += 1
    return torch.nn.utils.parameters_to_vector(task.model.parameters()).detach(), passes


def ours(cls, *, steps=STEPS, model=None, lr=0.05, **options):
    task = Task("unperturbed")
    if model is not None:
        task.model = model()
    task.optimizer = cls(torch.optim.SGD(task.model.parameters(), lr=lr, momentum=0.9), **options)
    task.run(steps)
    return torch.nn.utils.parameters_to_vector(task.model.parameters()).detach(), task.optimizer.passes


SGD = {"base_optimizer": torch.optim.SGD, "lr": 0.05, "momentum": 0.9}


@pytest.mark.parametrize("adaptive", [False, True])
def test_sam(adaptive):
    expected, passes = theirs(lambda task: peers.SAM(task.model.parameters(), rho=0.3, adaptive=adaptive, **SGD))
    actual, our_passes = ours(optim.SAM, rho=0.3, adaptive=adaptive, eta=0.0)
    torch.testing.assert_close(actual, expected, rtol=0, atol=PEER)
    assert passes == our_passes == 2 * STEPS


def test_friendly_sam():
    expected, _ = theirs(lambda task: peers.FriendlySAM(task.model.parameters(), rho=0.3, **SGD))
    torch.testing.assert_close(ours(optim.FriendlySAM, rho=0.3)[0], expected, rtol=0, atol=PEER)


def test_gsam():
    task = Task("unperturbed")
    base = torch.optim.SGD(task.model.parameters(), lr=0.05, momentum=0.9)
    constant = torch.optim.lr_scheduler.ConstantLR(base, factor=1.0)
    radius = peers.ProportionScheduler(constant, max_lr=0.05, min_lr=0.0, max_value=0.3, min_value=0.3)
    gsam = peers.GSAM(task.model.parameters(), base, task.model, radius, alpha=0.4)

    def closure():
        base.zero_grad()
        with torch.enable_grad():
            loss = task.loss()
        loss.backward()
        return None, loss

    for _ in range(STEPS):
        gsam.step(closure)
        task.at += 1
    expected = torch.nn.utils.parameters_to_vector(task.model.parameters()).detach()
    torch.testing.assert_close(ours(optim.GSAM, rho=0.3, alpha=0.4)[0], expected, rtol=0, atol=PEER)


def one_tensor():
    torch.manual_seed(1)
    return torch.nn.Linear(4, 1, bias=False, dtype=torch.float64)


@pytest.mark.parametrize("projection", ["tensor", "global"])
def test_looksam(projection):
    """It projects tensor by tensor: the paper's rule only for a model of one tensor. Adam, whose state it counts by."""
    model = None if projection == "tensor" else one_tensor
    adam = {"base_optimizer": torch.optim.Adam, "lr": 0.01}
    expected, passes = theirs(
        lambda task: peers.LookSAM(task.model.parameters(), rho=0.3, k=3, alpha=0.7, **adam), model=model
    )
    task = Task("unperturbed")
    task.model = model() if model else task.model
    task.optimizer = optim.LookSAM(
        torch.optim.Adam(task.model.parameters(), lr=0.01), rho=0.3, every=3, alpha=0.7, projection=projection
    )
    task.run(STEPS)
    actual = torch.nn.utils.parameters_to_vector(task.model.parameters()).detach()
    assert task.optimizer.passes == STEPS + STEPS // 3
    assert passes == 2 * STEPS  # the saving that LookSAM is for does not happen
    used = slice(None) if projection == "global" else slice(0, -1)  # one-element tensors: noise over a small epsilon
    torch.testing.assert_close(actual[used], expected[used], rtol=0, atol=1e-6)


def test_an_exception_leaves_their_weights_perturbed():
    weight = torch.nn.Parameter(torch.ones(2))
    theirs, ours = peers.SAM([weight], torch.optim.SGD, lr=0.1), optim.SAM(torch.optim.SGD([weight], lr=0.1))
    calls = 0

    def closure():
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("out of memory")
        weight.grad = torch.ones(2)
        return torch.tensor(0.0)

    closure()
    with pytest.raises(RuntimeError):
        theirs.step(closure)
    assert not torch.equal(weight, torch.ones(2))
    with torch.no_grad():
        weight.fill_(1.0)
    calls = 0
    with pytest.raises(RuntimeError):
        ours.step(closure)
    assert torch.equal(weight, torch.ones(2))


@pytest.mark.parametrize("decouple", [True, False])
def test_wsam(decouple):
    expected, passes = theirs(
        lambda task: peers.WSAM(
            task.model, task.model.parameters(), torch.optim.SGD, rho=0.3, gamma=0.8, decouple=decouple,
            lr=0.05, momentum=0.9,
        )
    )  # fmt: skip
    assert passes == 3 * STEPS  # the first of them is wasted
    actual, _ = ours(optim.WSAM, rho=0.3, gamma=0.8, decouple=decouple)
    torch.testing.assert_close(actual, expected, rtol=0, atol=5 * PEER)
