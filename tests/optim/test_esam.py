"""ESAM's random masks, and the samples that it chooses."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task

import optim


def test_esam_masks_entries_at_random():
    task = Task("esam", rho=0.3, beta=0.5)
    shares = []
    for _ in range(30):
        before = task.weights
        task.step()
        shares.append((task.calls[-1] != before)[:-3].double().mean().item())
    assert len(set(shares)) > 5
    assert sum(shares) / len(shares) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("keep", [0.0, 0.25, 1.0])
def test_masks_keep_the_share(keep):
    draws = optim.ESAM(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])).draws
    mask = draws.masks([torch.empty(333, 301)], keep)[0]
    assert set(mask.unique().tolist()) <= {0.0, 1.0}
    assert mask.mean().item() == pytest.approx(keep, abs=0.01)


def test_esam_chooses_the_samples_whose_loss_rose_most():
    task = Task("esam", base="sgd", rho=0.3, beta=1.0, gamma=0.25)
    asked = []

    def sample_losses(chosen):
        asked.append((chosen, task.weights))
        return (task.model(task.inputs[0, chosen]) - task.targets[0, chosen]).square().sum(1)

    closure = optim.SampleClosure(task.optimizer.zero_grad, sample_losses, 8)
    task.step(closure)
    (_, first), (_, second), (chosen, third) = asked
    assert task.optimizer.passes == 2
    assert not torch.equal(first, second)
    assert torch.equal(second, third)
    before, after = closure.losses, None
    with torch.no_grad():
        parameters = [*task.model.parameters(), task.unused]
        kept = [p.clone() for p in parameters]
        torch.nn.utils.vector_to_parameters(third, parameters)
        after = sample_losses(torch.arange(8))
        for p, k in zip(parameters, kept, strict=True):
            p.copy_(k)
    assert chosen.tolist() == sorted((after - before).topk(2).indices.tolist())


def test_a_sample_closure_is_an_ordinary_closure():
    task, expected = Task("graphsam"), Task("graphsam").run(4)
    for _ in range(4):
        batch = task.at % 3

        def sample_losses(chosen, batch=batch):
            return (task.model(task.inputs[batch, chosen]) - task.targets[batch, chosen]).square().mean(1)

        task.step(optim.SampleClosure(task.optimizer.zero_grad, sample_losses, 8))
    torch.testing.assert_close(task.weights, expected, rtol=0, atol=1e-12)
