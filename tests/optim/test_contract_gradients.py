"""The contract of every member of the family: gradients that are missing, spoilt, accumulated or clipped."""

from __future__ import annotations

import gc

import pytest
import torch
from support.optim_models import Task, every_perturbing_rule, every_rule, plain

import optim


@every_rule
@pytest.mark.parametrize("value", [0.0, float("nan"), float("inf")])
def test_zero_and_non_finite_gradients_are_counted_and_harmless(rule, value):
    task = Task(rule)
    task.run(4)

    def closure():
        task.closure()
        for p in task.model.parameters():
            p.grad.fill_(value)
        return torch.tensor(0.0)

    before = task.weights
    for _ in range(7):
        task.step(closure)
        assert task.weights.isfinite().all()
    if value != 0.0:
        assert torch.equal(task.weights, before)
        assert task.optimizer.skipped == 7
    task.run(6)
    assert task.weights.isfinite().all()
    assert task.optimizer.last.updated


@every_perturbing_rule
def test_a_spoilt_ascent_gradient_means_an_unperturbed_step(rule):
    """NaN in the first pass only: no perturbation, counted, and the update is that of the base optimizer."""
    task, calls = Task(rule), 0

    def closure():
        nonlocal calls
        calls += 1
        loss = task.closure()
        if calls == 1:
            task.model[0].weight.grad[0, 0] = float("nan")
        return loss

    before = task.weights
    task.step(closure)
    if calls == 1:
        assert task.optimizer.skipped == 1
        return
    assert torch.equal(task.calls[-1], before)
    assert task.optimizer.unperturbed == 1
    assert not task.optimizer.last.perturbed
    assert torch.equal(task.weights, plain("adamw", 1).weights)


@every_rule
def test_a_model_without_any_gradient(rule):
    task = Task(rule)

    def closure():
        task.optimizer.zero_grad()
        return torch.tensor(1.0)

    before = task.weights
    for _ in range(3):
        task.step(closure)
    assert torch.equal(task.weights, before)


@every_rule
def test_gradient_accumulation_inside_the_closure(rule):
    task, expected = Task(rule), Task(rule).run(7)

    def closure():
        task.optimizer.zero_grad()
        batch, total = task.at % 3, 0.0
        for half in (slice(0, 4), slice(4, 8)):
            error = task.model(task.inputs[batch, half]) - task.targets[batch, half]
            loss = error.square().mean() / 2
            loss.backward()
            total += loss.detach()
        return total

    for _ in range(7):
        task.step(closure)
    torch.testing.assert_close(task.weights, expected, rtol=1e-8, atol=1e-10)


@every_rule
def test_zeroing_gradients_in_place(rule):
    """``set_to_none=False`` overwrites the ascent gradient; a rule that needs it later must have a copy."""
    task, expected = Task(rule), Task(rule).run(7)
    task.optimizer.zero_grad = lambda: [p.grad.zero_() for p in task.model.parameters() if p.grad is not None]
    assert torch.equal(task.run(7), expected)


@every_rule
def test_max_grad_norm_clips_the_updating_gradient_as_torch_does(rule):
    task, free = Task(rule, max_grad_norm=0.05), Task(rule)
    seen = []
    for t, clip in ((task, False), (free, True)):
        parameters = list(t.model.parameters())

        def hook(base, args, kwargs, parameters=parameters, clip=clip):
            if clip:
                torch.nn.utils.clip_grad_norm_(parameters, 0.05)
            seen.append(torch.cat([p.grad.reshape(-1) for p in parameters]).norm().item())

        t.optimizer.base.register_step_pre_hook(hook)
    assert torch.equal(task.run(7), free.run(7))
    assert max(seen) <= 0.05
    assert task.optimizer.last.grad_norm > 0.05


@pytest.mark.parametrize(("rule", "copies"), [("sam", 1), ("asam", 1), ("rst", 1), ("graphsam", 2), ("sam_one", 2)])
def test_memory_at_the_second_pass(rule, copies):
    """Kept weights, and what the rule remembers: the ascent gradient and the perturbation are given back before it."""
    weight = torch.nn.Parameter(torch.ones(4321))
    options = {"probability": 1.0} if rule == "rst" else {}
    optimizer = optim.RULES[rule](torch.optim.SGD([weight], lr=0.1), **options)
    held = []

    def closure():
        tensors = [t for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter) and t.numel() == 4321]
        held.append(len({t.untyped_storage().data_ptr() for t in tensors} - {weight.data_ptr()}))
        loss = weight.square().sum()
        loss.backward()
        return loss

    for epoch in range(2):
        optimizer.set_epoch(epoch)
        for _ in range(2):
            optimizer.step(closure)
            assert held[-1] == copies
