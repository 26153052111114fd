"""The contract of every member of the family: how closures may be written, and loops that have none."""

from __future__ import annotations

import pytest
import torch
from optim_models import Task, every_rule

import optim


@every_rule
@pytest.mark.parametrize("zeroing", [None, True, False])
def test_a_closure_need_not_clear_the_gradients(rule, zeroing):
    """Nor does it matter whether the loop does, after the step."""
    task, expected = Task(rule), Task(rule).run(7)

    def closure():
        loss = task.loss()
        loss.backward()
        return loss

    for _ in range(7):
        task.step(closure)
        if zeroing is not None:
            task.optimizer.base.zero_grad(set_to_none=zeroing)
    assert torch.equal(task.weights, expected)


@every_rule
def test_a_backward_before_the_step_is_refused_if_the_closure_leaves_it_there(rule):
    """Gradient accumulation outside the closure, as Lightning has it, and the README of davda54/sam."""
    task = Task(rule)
    task.run(3)
    before = task.weights

    def closure():
        loss = task.loss()
        loss.backward()
        return loss

    task.optimizer.zero_grad()
    task.loss().backward()
    with pytest.raises(ValueError, match="to accumulate, run all micro-batches inside the closure"):
        task.step(closure)
    assert torch.equal(task.weights, before)
    task.optimizer.zero_grad()
    task.step(closure)
    assert task.optimizer.last.updated


@every_rule
@pytest.mark.parametrize("set_to_none", [True, False])
def test_a_backward_before_the_step_is_harmless_if_the_closure_clears_it(rule, set_to_none):
    """As where a generator is trained through a discriminator, whose own step comes next."""
    task, expected = Task(rule), Task(rule).run(7)

    def closure():
        task.optimizer.base.zero_grad(set_to_none)
        loss = task.loss()
        loss.backward()
        return loss

    for _ in range(7):
        (3 * task.loss()).backward()
        task.step(closure)
    assert torch.equal(task.weights, expected)


@every_rule
def test_a_compiled_step_is_the_same_step(rule):
    task, expected = Task(rule), Task(rule).run(7)
    compiled = torch.compile(lambda: task.optimizer.step(task.closure), backend="eager")
    for _ in range(7):
        task.optimizer.set_epoch(task.at // 3)
        task.calls.clear()
        compiled()
        task.at += 1
    assert torch.equal(task.weights, expected)
    passes = Task(rule)
    passes.run(7)
    assert task.optimizer.passes == passes.optimizer.passes
    torch.compiler.reset()


@every_rule
def test_step_hooks_run_once(rule):
    task, seen = Task(rule), []
    task.optimizer.register_step_pre_hook(lambda *_: seen.append("before"))
    task.optimizer.register_step_post_hook(lambda *_: seen.append("after"))
    task.run(2)
    assert seen == ["before", "after"] * 2


@every_rule
def test_unknown_options_and_wrong_fixed_options(rule):
    cls = optim.RULES[rule]
    for name, value in cls.fixed_options.items():
        base = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])
        cls(base, **{name: value})
        with pytest.raises(ValueError, match=f"with {name}="):
            cls(base, **{name: "other"})
