"""GraphSAM's anchors, its ρ over the epochs, and the direction that it carries."""

from __future__ import annotations

import torch
from support.optim_models import Task


def test_graphsam_55_passes_for_50_steps_in_5_epochs():
    task, passes = Task("graphsam"), []
    for epoch in range(5):
        task.optimizer.set_epoch(epoch)
        for _ in range(10):
            task.optimizer.step(task.closure)
            passes.append(task.optimizer.last.passes)
    assert passes == ([2] + [1] * 9) * 5
    assert task.optimizer.passes == 55
    assert task.optimizer.last.rho == 0.05 * 0.5**4


def test_graphsam_without_set_epoch_has_one_anchor_and_a_constant_rho():
    task = Task("graphsam")
    for _ in range(20):
        task.optimizer.step(task.closure)
    assert task.optimizer.passes == 21
    assert task.optimizer.last.rho == 0.05


def test_graphsam_takes_an_unusable_anchor_again():
    task = Task("graphsam")

    def spoilt():
        loss = task.closure()
        task.model[0].weight.grad.fill_(float("nan"))
        return loss

    task.run(4)  # the direction of epoch 0 is known, the anchor of epoch 1 taken
    task.optimizer.set_epoch(7)
    passes = []
    for closure in (spoilt, spoilt, task.closure, task.closure):
        task.optimizer.step(closure)
        passes.append(task.optimizer.last.passes)
    assert passes == [2, 2, 2, 1]


def test_graphsam_with_beta_1_keeps_the_anchor_and_beta_0_follows_the_last_gradient():
    for beta, carried in ((1.0, 0), (0.0, -1)):
        task = Task("graphsam", base="sgd", beta=beta, gamma=1.0)
        units = []
        for t in range(3):
            before = task.weights
            task.step()
            epsilon = task.calls[-1] - before
            if t == 0:
                units.append(epsilon / epsilon.norm())
            elif carried == 0 or t > 1:
                torch.testing.assert_close(epsilon / epsilon.norm(), units[carried], rtol=0, atol=1e-12)
            gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in
                         [*task.model.parameters(), task.unused]]  # fmt: skip
            last = torch.cat([g.reshape(-1) for g in gradients])
            if beta == 0.0:
                units.append(last / last.norm())


def test_graphsam_without_more_anchors_costs_one_pass_for_the_complete_run():
    task = Task("graphsam", beta=0.0, gamma=1.0, anchor_every=None)
    task.run(12)  # four epochs
    assert task.optimizer.passes == 13
