"""The contract of every member of the family: how closures may be written, and loops that have none."""

from __future__ import annotations

import re
import warnings

import pytest
import torch
from support.optim_models import Task, every_rule

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
        with pytest.raises(ValueError, match=name):
            cls(base, **{name: "other"})


@every_rule
def test_two_steps_without_a_closure_are_the_step(rule):
    """A rule that needs no ascent pass ignores it. Schedulers attach, and the record is the step's."""
    task, expected = Task(rule, max_grad_norm=1.0), Task(rule, max_grad_norm=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedulers = [torch.optim.lr_scheduler.ExponentialLR(t.optimizer, 0.9) for t in (task, expected)]
        for step in range(7):
            task.optimizer.set_epoch(step // 3)
            task.loss().backward()
            task.optimizer.first_step(zero_grad=True)
            task.loss().backward()
            task.optimizer.second_step(zero_grad=True)
            task.at += 1
            expected.step()
            for scheduler in schedulers:
                scheduler.step()
    assert torch.equal(task.weights, expected.weights)
    assert task.optimizer.passes == 14
    assert task.optimizer.last.rho == expected.optimizer.last.rho


@every_rule
def test_two_steps_in_the_wrong_order(rule):
    task = Task(rule)
    with pytest.raises(RuntimeError, match="call first_step"):
        task.optimizer.second_step()
    task.loss().backward()
    task.optimizer.first_step()
    for again in (task.optimizer.first_step, task.step):
        with pytest.raises(RuntimeError, match="second_step"):
            again()
    task.optimizer.second_step()


@every_rule
def test_the_record_has_the_loss_and_the_gap(rule):
    task = Task(rule, base="sgd")
    for _ in range(7):
        at_the_weights = task.loss().item()
        returned = task.step()
        last = task.optimizer.last
        assert last.loss == returned.item()
        assert (last.gap is None) == (last.passes == 1 or not last.perturbed)
        if last.gap is not None:
            assert last.gap == pytest.approx(last.loss - at_the_weights, abs=1e-12)
    task.step(lambda: float(Task.closure(task).detach()))
    assert isinstance(task.optimizer.last.loss, float)


@every_rule
def test_the_same_dropout_in_both_passes(rule):
    """With the same masks a vanishing perturbation leaves the loss as it was; with others it does not."""
    options = {} if rule == "unperturbed" else {"rho": 1e-9, "same_dropout": True}
    task = Task(rule, dropout=0.5, **options)
    gaps = []
    for _ in range(8):
        task.step()
        gaps.append(task.optimizer.last.gap)
    assert all(abs(gap) < 1e-6 for gap in gaps if gap is not None)
    assert any(gap is not None for gap in gaps) or rule in ("unperturbed", "msam")
    draws = torch.rand(1)
    task = Task(rule, dropout=0.5, **({} if rule == "unperturbed" else {"rho": 1e-9}))
    task.run(8)
    assert task.optimizer.last.gap is None or abs(task.optimizer.last.gap) > 1e-6
    if options:
        one_mask_a_step = Task("unperturbed", dropout=0.5)
        one_mask_a_step.run(8)
        assert torch.equal(torch.rand(1), draws)


@every_rule
def test_a_context_is_the_options_in_one_argument(rule):
    """Clipping, the model of BatchNorm and the scaler: as attributes, and handed to each step."""
    cls = optim.RULES[rule]
    found = []
    for by_context in (False, True):
        task = Task(rule, dtype=torch.float32, batch_norm=True)
        scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
        context = optim.StepContext(max_grad_norm=0.1, model=task.model, grad_scaler=scaler)
        if not by_context:
            task.optimizer.max_grad_norm, task.optimizer.model = 0.1, task.model

        def closure(task=task, scaler=scaler):
            task.optimizer.zero_grad()
            loss = task.loss()
            scaler.scale(loss).backward()
            return loss

        for _ in range(6):
            task.step(closure, **({"context": context} if by_context else {"grad_scaler": scaler}))
            scaler.update()
        found.append([task.weights, *task.model.buffers()])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    if cls.ascent_decides:
        with pytest.raises(ValueError, match="replicas would drift apart"):
            task.step(context=optim.StepContext(no_sync=torch.no_grad))


@pytest.mark.parametrize("rule", [rule for rule in optim.RULES if rule != "unperturbed"])
def test_calls_of_other_packages_show_what_to_write(rule):
    cls, weight = optim.RULES[rule], torch.nn.Parameter(torch.ones(1))
    message = re.escape(f"Write {cls.__name__}.from_params(params, SGD, {{'lr': 0.1, 'momentum': 0.9}}, rho=0.1)")
    with pytest.raises(TypeError, match=message):
        cls([weight], torch.optim.SGD, lr=0.1, momentum=0.9, rho=0.1)
    with pytest.raises(TypeError, match=message):
        cls([weight], base_optimizer=torch.optim.SGD, lr=0.1, momentum=0.9, rho=0.1)
    assert cls.from_params([weight], torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, rho=0.1).rho == 0.1
