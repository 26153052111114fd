"""Every rule against its formula, written out a second time over one flat float64 vector with plain SGD."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from support.optim_models import Task

import optim

LR = 0.05
STEPS = 12


class Flat:
    """Loss and gradient of the task as functions of one flat vector, and what the rules below share."""

    def __init__(self, dtype=torch.float64):
        self.task = Task("unperturbed", dtype=dtype)
        self.at = 0

    def gradient(self, w: torch.Tensor) -> torch.Tensor:
        model = copy.deepcopy(self.task.model)
        torch.nn.utils.vector_to_parameters(w, model.parameters())
        batch = self.at % 3
        loss = (model(self.task.inputs[batch]) - self.task.targets[batch]).square().mean()
        return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, list(model.parameters()))])

    def descend(self, step_gradient, momentum: float = 0.0) -> torch.Tensor:
        """``step_gradient(t, w, v)`` gives the updating gradient; heavy-ball SGD does the rest."""
        w = torch.nn.utils.parameters_to_vector(self.task.model.parameters()).detach().clone()
        v = torch.zeros_like(w)
        for t in range(STEPS):
            self.at = t
            v = momentum * v + step_gradient(t, w, v)
            w = w - LR * v
        return w

    def at_distance(self, w, direction, rho):
        return self.gradient(w + rho * direction / direction.norm())


def ours(cls, *, momentum=0.0, **options) -> tuple[torch.Tensor, optim.SharpnessAware]:
    task = Task("unperturbed")
    base = torch.optim.SGD([*task.model.parameters(), task.unused], lr=LR, momentum=momentum)
    task.optimizer = cls(base, **options)
    task.run(STEPS)
    return torch.nn.utils.parameters_to_vector(task.model.parameters()).detach(), task.optimizer


def same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=0, atol=1e-12)


def test_sam():
    flat = Flat()
    expected = flat.descend(lambda t, w, v: flat.at_distance(w, flat.gradient(w), 0.3))
    actual, optimizer = ours(optim.SAM, rho=0.3)
    same(actual, expected)
    assert optimizer.passes == 2 * STEPS


def test_asam():
    flat = Flat()

    def gradient(t, w, v):
        scale, g = w.abs() + 0.02, flat.gradient(w)
        return flat.gradient(w + 0.7 * scale**2 * g / (scale * g).norm())

    same(ours(optim.ASAM, rho=0.7, eta=0.02)[0], flat.descend(gradient))


def test_sam_k():
    flat = Flat()

    def gradient(t, w, v):
        g = flat.gradient(w)
        return flat.at_distance(w, g, 0.3) if t % 4 == 0 else g

    actual, optimizer = ours(optim.SAMK, rho=0.3, every=4)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == STEPS + math.ceil(STEPS / 4)


def test_looksam():
    flat, kept = Flat(), {}

    def gradient(t, w, v):
        g = flat.gradient(w)
        if t % 3 == 0:
            g_s = flat.at_distance(w, g, 0.3)
            kept["v"] = g_s - g_s.norm() * torch.cosine_similarity(g_s, g, dim=0) * g / g.norm()
            return g_s
        return g + 0.6 * g.norm() / kept["v"].norm() * kept["v"]

    actual, optimizer = ours(optim.LookSAM, rho=0.3, every=3, alpha=0.6)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == STEPS + math.ceil(STEPS / 3)


def test_looksam_per_tensor_survives_one_element_parameters():
    """Published per-tensor projections are 0/0 there: NaN at step 1 in the fixtures' single_element_parameter run."""
    assert ours(optim.LookSAM, rho=0.3, every=3, projection="tensor")[0].isfinite().all()


def test_looksam_stores_nothing_of_an_unperturbed_step():
    """A spoilt ascent gradient, or rho = 0 with a closure that draws at random, must not end up in later steps."""
    task = Task("looksam", every=2)

    def spoilt():
        loss = task.closure()
        if len(task.calls) == 1:
            task.model[0].weight.grad.fill_(float("nan"))
        return loss

    task.step(spoilt)
    assert task.optimizer.unperturbed == 1
    assert "sharpness_gradient" not in task.optimizer.memory


def test_gsam():
    flat = Flat()

    def gradient(t, w, v):
        g = flat.gradient(w)
        g_s = flat.at_distance(w, g, 0.3)
        return g_s - 0.4 * (g - g @ g_s / (g_s @ g_s) * g_s)

    same(ours(optim.GSAM, rho=0.3, alpha=0.4)[0], flat.descend(gradient))


def test_gsam_radius_follows_the_learning_rate():
    base = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)
    optimizer = optim.GSAM(base, rho=0.2, rho_min=0.1, lr_max=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5**step)
    assert optimizer.current_rho == pytest.approx(0.2)
    base.step()
    scheduler.optimizer._opt_called = True
    scheduler.step()
    assert optimizer.current_rho == pytest.approx(0.15)


def test_msam():
    flat = Flat()

    def gradient(t, w, v):
        return flat.gradient(w) if t == 0 else flat.at_distance(w, -v, 0.3)

    actual, optimizer = ours(optim.MSAM, rho=0.3, momentum=0.9)
    same(actual, flat.descend(gradient, momentum=0.9))
    assert optimizer.passes == STEPS


def test_msam_follows_the_first_moment_of_adam():
    task = Task("msam", rho=0.3)
    task.step()
    moments = torch.cat([task.optimizer.state[p]["exp_avg"].reshape(-1) for p in task.model.parameters()])
    before = task.weights
    task.step()
    epsilon = (task.calls[0] - before)[: len(moments)]
    same(epsilon, -0.3 * moments / moments.norm())


def test_friendly_sam():
    flat, kept = Flat(), {}

    def gradient(t, w, v):
        g = flat.gradient(w)
        kept["m"] = g if t == 0 else 0.8 * kept["m"] + 0.2 * g
        return flat.at_distance(w, g if t == 0 else g - 0.7 * kept["m"], 0.3)

    same(ours(optim.FriendlySAM, rho=0.3, sigma=0.7, lmbda=0.8)[0], flat.descend(gradient))


def test_vasso():
    flat, kept = Flat(), {}

    def gradient(t, w, v):
        g = flat.gradient(w)
        kept["d"] = g if t == 0 else 0.6 * kept["d"] + 0.4 * g
        return flat.at_distance(w, kept["d"], 0.3)

    same(ours(optim.VaSSO, rho=0.3, theta=0.4)[0], flat.descend(gradient))


@pytest.mark.parametrize("total_steps", [None, 8])
def test_ae_sam(total_steps):
    flat, kept = Flat(), {"mean": 0.0, "variance": math.exp(-10), "passes": 0}

    def gradient(t, w, v):
        g = flat.gradient(w)
        x = (g @ g).item()
        kept["mean"] = 0.9 * kept["mean"] + 0.1 * x
        kept["variance"] = 0.9 * kept["variance"] + 0.1 * (x - kept["mean"]) ** 2
        done = 0.5 if total_steps is None else min(1, t / total_steps)
        sharp = x >= kept["mean"] + (1 - 2 * done) * kept["variance"] ** 0.5
        kept["passes"] += 1 + sharp
        return flat.at_distance(w, g, 0.3) if sharp else g

    actual, optimizer = ours(optim.AESAM, rho=0.3, total_steps=total_steps)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == kept["passes"]
    assert STEPS < optimizer.passes < 2 * STEPS


@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
def test_rst(probability):
    flat, draws = Flat(), torch.Generator().manual_seed(5)
    chosen = [torch.rand((), generator=draws).item() < probability for _ in range(STEPS)]

    def gradient(t, w, v):
        g = flat.gradient(w)
        return flat.at_distance(w, g, 0.3) if chosen[t] else g

    actual, optimizer = ours(optim.RST, rho=0.3, probability=probability, seed=5)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == STEPS + sum(chosen)


@pytest.mark.parametrize("decouple", [True, False])
def test_wsam(decouple):
    flat = Flat()
    weight = 0.8 / (1 - 0.8)

    def gradient(t, w, v):
        g = flat.gradient(w)
        return g + weight * (flat.at_distance(w, g, 0.3) - g)

    same(ours(optim.WSAM, rho=0.3, gamma=0.8, decouple=decouple)[0], flat.descend(gradient))


def test_wsam_decouples_sharpness_from_the_momentum():
    found = [ours(optim.WSAM, momentum=0.9, rho=0.3, gamma=0.8, decouple=decouple)[0] for decouple in (True, False)]
    assert not torch.allclose(*found)
    half = ours(optim.WSAM, momentum=0.9, rho=0.3, gamma=0.5, decouple=False)[0]
    same(half, ours(optim.SAM, momentum=0.9, rho=0.3)[0])


@pytest.mark.parametrize(("anchor_every", "passes"), [(1, 4), (2, 2), (None, 1)])
def test_sam_one_climbs_along_the_first_gradient(anchor_every, passes):
    flat, kept = Flat(), {}

    def gradient(t, w, v):
        if t == 0 or (anchor_every is not None and t % (3 * anchor_every) == 0):
            kept["d"] = flat.gradient(w)
        return flat.at_distance(w, kept["d"], 0.3)

    actual, optimizer = ours(optim.SAMOne, rho=0.3, gamma=1.0, anchor_every=anchor_every)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == STEPS + passes


@pytest.mark.parametrize("anchor_every", [1, 2, 3])
def test_graphsam_k_anchors_every_k_epochs(anchor_every):
    flat, kept = Flat(), {}

    def gradient(t, w, v):
        if t % (3 * anchor_every) == 0:
            g = flat.gradient(w)
            kept["d"] = g / g.norm()
        g_s = flat.at_distance(w, kept["d"], 0.3)
        kept["d"] = 0.9 * kept["d"] + 0.1 * g_s / g_s.norm()
        return g_s

    actual, optimizer = ours(optim.GraphSAMK, rho=0.3, gamma=1.0, beta=0.9, anchor_every=anchor_every)
    same(actual, flat.descend(gradient))
    assert optimizer.passes == STEPS + math.ceil(STEPS / (3 * anchor_every))


def test_ae_sam_takes_the_length_of_the_run_from_the_context():
    found = []
    for total_steps in (None, 8):
        task = Task("ae_sam", base="sgd", rho=0.3, total_steps=total_steps)
        thresholds = []
        for _ in range(8):
            task.step(context=optim.StepContext(total_steps=8) if total_steps is None else None)
            thresholds.append(task.optimizer.threshold)
        found.append((task.weights, thresholds))
    assert torch.equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1] == pytest.approx([1 - 2 * t / 8 for t in range(1, 9)])


def test_msam_has_a_radius_of_its_authors():
    assert 0.3 <= optim.MSAM.options()["rho"] <= 3
