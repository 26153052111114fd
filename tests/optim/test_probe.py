"""The probe of a step: known angles and rises, and a training that it does not touch."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task, every_rule

import optim


@every_rule
def test_a_probed_run_is_bit_equal_to_one_without(rule):
    options = {"gamma": 1.0} if issubclass(optim.RULES[rule], optim.GraphSAM) else {}
    plain, probed = (Task(rule, dropout=0.3, batch_norm=True, **options) for _ in range(2))
    torch.manual_seed(1)
    plain.run(7)
    torch.manual_seed(1)
    probed.optimizer.model = probed.model
    for _ in range(7):
        probed.optimizer.set_epoch(probed.at // 3)
        probe = optim.AscentProbe(probed.optimizer, probed.closure)
        probed.optimizer.step(probed.closure)
        assert (probe.finish() is not None) is probed.optimizer.last.perturbed
        probed.at += 1
    assert torch.equal(plain.weights, probed.weights)
    assert probed.optimizer.passes == plain.optimizer.passes


def test_sam_climbs_the_gradient_and_the_rise_is_that_of_the_loss():
    task = Task("sam", rho=0.2)
    losses = []

    def closure():
        losses.append(task.closure().item())
        return losses[-1]

    probe = optim.AscentProbe(task.optimizer, closure)
    task.optimizer.step(closure)
    found = probe.finish()
    assert found.cosine == pytest.approx(1, abs=1e-12)
    assert found.rise == pytest.approx(losses[2] / losses[1] - 1, rel=1e-9)
    assert found.rho == pytest.approx(0.2)


def test_a_direction_downhill_has_a_negative_cosine_and_rise():
    class Downhill(optim.SAM):
        def direction(self, weights, gradient):
            return gradient.scaled(-1.0)

    task = Task("sam")
    optimizer = Downhill(task.optimizer.base, rho=0.05)
    task.optimizer = optimizer
    probe = optim.AscentProbe(optimizer, task.closure)
    optimizer.step(task.closure)
    found = probe.finish()
    assert found.cosine == pytest.approx(-1, abs=1e-12)
    assert found.rise < 0
