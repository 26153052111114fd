"""The contract of every member of the family: maximization, radii of groups, complex and sparse parameters."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from support.optim_models import Task, every_perturbing_rule, every_rule

import optim


@every_rule
@pytest.mark.parametrize("base", ["adamw", "sgd", "nadam"])
def test_maximizing_is_minimizing_the_negative(rule, base):
    expected = Task(rule, base).run(8)
    task = Task(rule, base, base_args={"maximize": True})

    def closure():
        task.optimizer.zero_grad()
        loss = -task.loss()
        loss.backward()
        return loss

    for _ in range(8):
        task.step(closure)
    assert torch.equal(task.weights, expected)


def two_groups(task, **second):
    """The first layers, and the rest with options of its own."""
    first = [*task.model[:3].parameters()]
    rest = [*task.model[3:].parameters(), task.unused]
    return [{"params": first}, {"params": rest, **second}]


@every_perturbing_rule
def test_a_group_may_have_a_radius_of_its_own(rule):
    """It replaces rho for this group and follows the rule's schedule; the direction's norm stays the global one."""
    equal = Task(rule, base="sgd", rho=0.3, groups=lambda task: two_groups(task, rho=0.3))
    unequal = Task(rule, base="sgd", rho=0.3, groups=lambda task: two_groups(task, rho=0.03))
    count = sum(p.numel() for p in equal.model[:3].parameters())
    for task in (equal, unequal):
        for _ in range(2):  # MSAM's first step is not perturbed
            before = task.weights
            task.step()
            task.epsilon = task.calls[-1] - before
            if not task.optimizer.last.perturbed:
                continue
            break
    torch.testing.assert_close(unequal.epsilon[:count], equal.epsilon[:count], rtol=1e-10, atol=1e-14)
    torch.testing.assert_close(unequal.epsilon[count:], equal.epsilon[count:] / 10, rtol=1e-10, atol=1e-14)
    assert unequal.optimizer.last.rho == 0.3
    one_rho = Task(rule, rho=0.3, groups=two_groups)
    assert torch.equal(Task(rule, rho=0.3, groups=lambda task: two_groups(task, rho=0.3)).run(7), one_rho.run(7))


@every_rule
def test_a_radius_of_a_group_is_checked(rule):
    weights = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    with pytest.raises(ValueError, match="rho of parameter group 0 must be a finite number >= 0, got -1"):
        optim.RULES[rule](torch.optim.Adam([{"params": weights[:1], "rho": -1}]))
    optimizer = optim.RULES[rule](torch.optim.Adam(weights[:1]))
    with pytest.raises(ValueError, match="must be a finite number >= 0, got nan"):
        optimizer.add_param_group({"params": weights[1:], "rho": math.nan})
    assert len(optimizer.param_groups) == 1


def test_the_rho_of_adadelta_is_its_own():
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = optim.SAM(torch.optim.Adadelta([weight], rho=0.9), rho=0.1)
    optimizer.step(lambda: weight.square().sum().backward() or 1.0)
    assert optimizer.last.rho == 0.1


class Pairs(torch.nn.Module):
    """A model of complex weights, or of the same weights as pairs of real ones."""

    def __init__(self, complex_weights: bool):
        super().__init__()
        weights = torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        self.weights = torch.nn.Parameter(torch.view_as_complex(weights) if complex_weights else weights)
        self.scale = torch.nn.Parameter(torch.ones((), dtype=torch.float64))

    def loss(self, inputs):
        weights = self.weights if self.weights.is_complex() else torch.view_as_complex(self.weights)
        return (self.scale * (inputs @ weights).tanh() - 0.3j).abs().square().mean()


@pytest.mark.parametrize("rule", [rule for rule in optim.RULES if rule not in ("esam", "asam")])
@pytest.mark.parametrize("base", [torch.optim.AdamW, torch.optim.SGD])
def test_complex_parameters_are_pairs_of_real_ones(rule, base):
    """ESAM draws a mask for each number, complex or not, and ASAM's scale is the absolute value: others in any case."""
    found = []
    for complex_weights in (True, False):
        model = Pairs(complex_weights)
        options = {"momentum": 0.9} if base is torch.optim.SGD else {}
        optimizer = optim.RULES[rule](base(model.parameters(), lr=0.05, **options), max_grad_norm=1.0, diagnostics=True)
        inputs = torch.randn(7, 5, generator=torch.Generator().manual_seed(2), dtype=torch.complex128)

        def closure(model=model, inputs=inputs):
            loss = model.loss(inputs)
            loss.backward()
            return loss

        for step in range(7):
            optimizer.set_epoch(step // 3)
            optimizer.step(closure)
        weights = model.weights.detach()
        found.append(torch.view_as_real(weights) if complex_weights else weights)
    torch.testing.assert_close(*found, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("rule", ["esam", "asam"])
def test_complex_parameters_train(rule):
    model = Pairs(complex_weights=True)
    optimizer = optim.RULES[rule](torch.optim.AdamW(model.parameters(), lr=0.05))
    inputs = torch.randn(7, 5, generator=torch.Generator().manual_seed(2), dtype=torch.complex128)

    def closure():
        loss = model.loss(inputs)
        loss.backward()
        return loss

    first = closure().item()
    optimizer.zero_grad()
    for _ in range(30):
        optimizer.step(closure)
    assert model.loss(inputs).item() < first


@every_rule
@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
def test_sparse_gradients_in_a_group_that_is_not_perturbed(rule, max_grad_norm):
    weights = []
    for sparse in (True, False):
        torch.manual_seed(0)
        table, head = torch.nn.Embedding(6, 3, sparse=sparse), torch.nn.Linear(3, 1)
        groups = [{"params": table.parameters(), "perturb": False}, {"params": head.parameters()}]
        momentum = 0.9 if rule == "msam" else 0.0
        base = torch.optim.SGD(groups, lr=0.1, momentum=momentum)
        optimizer = optim.RULES[rule](base, rho=0.05, max_grad_norm=max_grad_norm) if rule != "unperturbed" else (
            optim.Unperturbed(base, max_grad_norm=max_grad_norm)
        )  # fmt: skip

        def closure(table=table, head=head):
            loss = head(table(torch.tensor([1, 4, 4]))).square().mean()
            loss.backward()
            return loss

        for _ in range(5):
            optimizer.step(closure)
        weights.append(torch.cat([table.weight.detach().flatten(), head.weight.detach().flatten()]))
    torch.testing.assert_close(*weights)


@every_rule
def test_a_gradient_scaler_where_there_is_no_gradient(rule):
    task = Task(rule, dtype=torch.float32)
    task.run(4)
    scaler, before = torch.amp.GradScaler("cpu", init_scale=2.0**10), task.weights

    def without_gradient():
        task.optimizer.zero_grad()
        return scaler.scale(torch.tensor(1.0))

    task.step(without_gradient, grad_scaler=scaler)
    scaler.update()
    assert torch.equal(task.weights, before)
    assert all(p.grad is None for p in task.model.parameters())


@every_rule
@pytest.mark.parametrize("epoch", [np.int64(2), torch.tensor(2), 2])
def test_any_integer_is_an_epoch(rule, epoch):
    task = Task(rule)
    task.optimizer.set_epoch(epoch)
    assert type(task.optimizer.epoch) is int
    with pytest.raises(ValueError, match="epoch must be an integer >= 0"):
        task.optimizer.set_epoch(2.5)


def test_integers_and_numbers_of_numpy_are_options():
    base = torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])
    optimizer = optim.LookSAM(base, every=np.int64(3), rho=np.float32(0.5), alpha=torch.tensor(0.25))
    assert [optimizer.every, optimizer.rho, optimizer.alpha] == [3, 0.5, 0.25]
    with pytest.raises(TypeError, match=r"rho must be a number, got '0\.1'"):
        optim.SAM(base, rho="0.1")
    with pytest.raises(TypeError, match="beta must be a number, got None"):
        optim.GraphSAM(base, beta=None)
