"""The contract of every member of the family: autocast, loss scaling, low precision and fused bases."""

from __future__ import annotations

import copy

import pytest
import torch
from support.optim_models import Task, every_perturbing_rule, every_rule

import optim


@every_rule
def test_bfloat16_autocast(rule):
    task = Task(rule, dtype=torch.float32)

    def closure():
        task.optimizer.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = task.loss()
        loss.backward()
        return loss

    losses = [task.step(closure).item() for _ in range(60)]
    assert sum(losses[-6:]) < sum(losses[:6])
    assert all(p.dtype == torch.float32 for p in task.model.parameters())


@every_rule
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_low_precision_and_mixed_weights(rule, dtype):
    task = Task(rule, dtype=dtype)
    task.unused = torch.nn.Parameter(torch.ones(3, dtype=torch.float64))
    task.optimizer.add_param_group({"params": [task.unused]})

    def closure():
        task.optimizer.zero_grad()
        loss = task.loss().double() + task.unused.square().sum()
        loss.backward()
        return loss

    for _ in range(7):
        task.step(closure)
    assert all(p.isfinite().all() for p in [*task.model.parameters(), task.unused])
    assert task.unused.dtype == torch.float64


def scaled_closure(task, scaler):
    """The task's closure with its loss scaled."""

    def closure():
        task.optimizer.zero_grad()
        loss = task.loss()
        scaler.scale(loss).backward()
        return loss

    return closure


@every_rule
def test_grad_scaler_changes_nothing(rule):
    """Scales are powers of two, so the unscaled gradients are the very same numbers."""
    task, expected = Task(rule, dtype=torch.float32), Task(rule, dtype=torch.float32).run(8)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10, growth_interval=3)

    closure = scaled_closure(task, scaler)
    for _ in range(8):
        task.step(closure, grad_scaler=scaler)
        scaler.update()
    assert scaler.get_scale() == 2.0**12
    torch.testing.assert_close(task.weights, expected, rtol=0, atol=0)


@every_rule
@pytest.mark.parametrize("overflowing_call", [1, 2])
def test_an_overflow_in_either_pass_skips_the_step(rule, overflowing_call):
    task, calls = Task(rule, dtype=torch.float32), 0
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)

    def closure():
        nonlocal calls
        calls += 1
        task.optimizer.zero_grad()
        loss = task.loss()
        scaler.scale(loss).backward()
        if calls == overflowing_call:
            task.model[3].weight.grad[0, 0] = float("inf")
        return loss

    before = task.weights
    task.step(closure, grad_scaler=scaler)
    scaler.update()
    if calls < overflowing_call:
        assert task.optimizer.last.updated
        return
    assert torch.equal(task.weights, before)
    assert task.optimizer.skipped == 1
    assert not task.optimizer.last.updated
    assert scaler.get_scale() == 2.0**9
    task.step(closure, grad_scaler=scaler)
    scaler.update()
    assert task.optimizer.last.updated
    assert scaler.get_scale() == 2.0**9


@every_rule
def test_a_disabled_grad_scaler(rule):
    task, expected = Task(rule), Task(rule).run(5)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    for _ in range(5):
        task.step(grad_scaler=scaler)
        scaler.update()
    assert torch.equal(task.weights, expected)


@every_perturbing_rule
def test_a_disabled_grad_scaler_skips_nothing(rule):
    """A spoilt ascent gradient is then an unperturbed step, as without a scaler."""
    task, calls = Task(rule), 0

    def closure():
        nonlocal calls
        calls += 1
        loss = task.closure()
        if calls == 1 and rule != "msam":
            task.model[0].weight.grad[0, 0] = float("nan")
        return loss

    task.step(closure, grad_scaler=torch.amp.GradScaler("cpu", enabled=False))
    assert task.optimizer.skipped == (calls == 1 and rule != "msam")


@every_rule
def test_grad_scaler_and_a_fused_base(rule):
    task, expected = Task(rule, dtype=torch.float32), Task(rule, dtype=torch.float32)
    for t in (task, expected):
        t.optimizer = optim.RULES[rule](torch.optim.AdamW(t.model.parameters(), lr=1e-2, fused=True))
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)

    closure = scaled_closure(task, scaler)
    for _ in range(5):
        task.step(closure, grad_scaler=scaler)
        scaler.update()
    assert torch.equal(task.weights, expected.run(5))


@every_rule
def test_a_tensor_learning_rate_and_a_fused_base(rule):
    task = Task(rule)
    params = [*task.model.parameters(), task.unused]
    task.optimizer = optim.RULES[rule](torch.optim.AdamW(params, lr=torch.tensor(1e-2), fused=True))
    task.run(5)
    torch.testing.assert_close(task.weights, Task(rule).run(5), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rule", ["looksam", "gsam"])
def test_projections_survive_bfloat16(rule):
    """What is added to the gradient points where it does in float64, though it is small beside the gradient."""
    torch.manual_seed(0)
    shared = torch.randn(400, dtype=torch.float64)
    gradients = [shared + 0.03 * torch.randn(400, dtype=torch.float64) for _ in range(2)]
    corrected = {}
    for dtype in (torch.bfloat16, torch.float64):
        weight = torch.nn.Parameter(torch.zeros(400, dtype=dtype))
        given = [g.to(torch.bfloat16).to(dtype) for g in gradients]
        optimizer = optim.RULES[rule](torch.optim.SGD([weight], lr=1.0), rho=0.05)

        def closure(weight=weight, given=given, optimizer=optimizer):
            weight.grad = given[optimizer.calls % 2].clone()
            optimizer.calls += 1
            return torch.tensor(0.0)

        optimizer.calls = 0
        optimizer.step(closure)
        if rule == "looksam":
            optimizer.step(closure)
        corrected[dtype] = weight.grad.double() - given[0 if rule == "looksam" else 1].double()
    cosine = torch.cosine_similarity(corrected[torch.bfloat16], corrected[torch.float64], dim=0)
    assert corrected[torch.float64].norm() > 0.1
    assert cosine > 0.9


@every_perturbing_rule
def test_moving_averages_survive_bfloat16(rule):
    """A hundredth of a number is lost where it is added to that number in bfloat16: memory is float32 then."""
    task = Task(rule, base="sgd", dtype=torch.bfloat16)
    task.run(9)
    memory = task.optimizer.state_dict()["sharpness_aware"]["memory"]
    assert all(t.dtype == torch.float32 for tensors in memory.values() for t in tensors.values())
    other = Task(rule, base="sgd", dtype=torch.bfloat16)
    other.model.load_state_dict(task.model.state_dict())
    other.optimizer.load_state_dict(copy.deepcopy(task.optimizer.state_dict()))
    other.at = 9
    assert torch.equal(other.run(5), task.run(5))


def test_a_slow_average_moves_in_bfloat16():
    """GraphSAM's direction after forty times the same gradient, against the closed form."""
    weight = torch.nn.Parameter(torch.zeros(2, dtype=torch.bfloat16))
    optimizer = optim.GraphSAM(torch.optim.SGD([weight], lr=0.0), gamma=1.0, beta=0.99)
    for step in range(41):

        def closure(step=step):
            weight.grad = torch.tensor([1.0, 0.0] if step == 0 else [0.0, 1.0], dtype=torch.bfloat16)
            return torch.tensor(0.0)

        optimizer.step(closure)
    direction = optimizer.memory.recall("direction", [weight]).unit().tensors[0]
    expected = torch.tensor([0.99**40 + 0.01 * 0.99**40, 1 - 0.99**40 - 0.01 * 0.99**40])
    torch.testing.assert_close(direction, expected / expected.norm(), rtol=0.01, atol=0.01)


@every_perturbing_rule
def test_the_norm_of_the_perturbation_of_bfloat16_weights_is_rounded(rule):
    """|eps| = rho holds up to the rounding of w + eps to the weights' own dtype, and no better."""
    task = Task(rule, base="sgd", dtype=torch.bfloat16, rho=0.5)
    for _ in range(6):
        before = task.weights.double()
        task.step()
        last = task.optimizer.last
        if last.perturbed and rule != "asam":
            rounding = (before.abs() + last.rho).norm() * 2**-8
            assert abs((task.calls[-1].double() - before).norm() - last.rho) <= rounding
