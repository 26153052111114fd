"""Levers that every rule has: a relative rise in place of a radius, a late start, an ascent on part of the batch."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from support.optim_models import BASES, BATCHES, Task, every_perturbing_rule, plain

import optim

PARTIAL = [name for name, rule in optim.RULES.items()
           if not rule.ascent_decides and name not in ("unperturbed", "esam")]  # fmt: skip
TOTAL = optim.StepContext(total_steps=12)


def options_of(rule: str) -> dict[str, float]:
    return {"gamma": 1.0} if issubclass(optim.RULES[rule], optim.GraphSAM) else {}


def part_closure(task: Task, seen: list[int]) -> optim.SampleClosure:
    """The closure of the present batch, which may leave samples out."""

    def losses(chosen):
        seen.append(len(chosen))
        task.calls.append(task.weights)
        batch = task.at % BATCHES
        return (task.model(task.inputs[batch, chosen]) - task.targets[batch, chosen]).square().mean(1)

    return optim.SampleClosure(task.optimizer.zero_grad, losses, 8)


@every_perturbing_rule
def test_a_rise_of_zero_is_the_base_optimizer_bit_for_bit(rule):
    assert torch.equal(Task(rule, rise=0.0).run(9), plain("adamw", 9).weights)


@every_perturbing_rule
def test_the_radius_is_the_rise_times_loss_over_slope(rule):
    """Where the rule takes a gradient at the weights, loss and norm are its own; else those of the step before."""
    task = Task(rule, base="sgd", rise=0.03, **options_of(rule))
    before_loss = before_slope = None
    for _ in range(9):
        weights, found = task.weights, []

        def closure(found=found):
            loss = task.closure()
            gradient = torch.cat([torch.zeros_like(p).reshape(-1) if p.grad is None else p.grad.reshape(-1)
                                  for p in [*task.model.parameters(), task.unused]])  # fmt: skip
            found.append((loss.item(), gradient))
            return loss

        task.step(closure)
        scale = weights.abs() + task.optimizer.eta if task.optimizer.adaptive else 1.0
        if task.optimizer.last.perturbed:
            loss, slope = before_loss, before_slope
            if len(found) > 1:
                loss, slope = found[0][0], (scale * found[0][1]).norm().item()
            radius = ((task.calls[-1] - weights) / scale).norm().item()
            assert radius == pytest.approx(0.03 * loss / slope, rel=1e-9)
            assert task.optimizer.last.rho == pytest.approx(radius, rel=1e-9)
        if rule != "esam":  # it masks gradients
            before_loss, before_slope = found[-1][0], (scale * found[-1][1]).norm().item()
    assert task.optimizer.last.rho >= 0


def test_sam_raises_the_loss_by_the_share_to_first_order():
    task = Task("sam", base="sgd", rise=1e-5)
    losses = []

    def closure():
        losses.append(task.closure())
        return losses[-1]

    task.step(closure)
    assert (losses[1] / losses[0] - 1).item() == pytest.approx(1e-5, rel=1e-2)


@every_perturbing_rule
@pytest.mark.parametrize("lever", [{"rise": 0.05}, {"start": 0.4}, {"rise": 0.05, "start": 0.4}], ids=str)
def test_a_resumed_run_is_bit_equal(rule, lever):
    whole, options = Task(rule, dtype=torch.float32, **lever), {"context": TOTAL}
    saved = []
    for _ in range(8):
        whole.step(**options)
        file = io.BytesIO()
        torch.save([whole.model.state_dict(), whole.optimizer.state_dict()], file)
        saved.append(file.getvalue())
    for steps in (1, 4, 5):
        task = Task(rule, dtype=torch.float32, **lever)
        model, optimizer = torch.load(io.BytesIO(saved[steps - 1]), weights_only=True)
        task.model.load_state_dict(model)
        task.optimizer.load_state_dict(optimizer)
        task.at = steps
        while task.at < 8:
            task.step(**options)
        assert torch.equal(task.weights, whole.weights), f"resumed after step {steps}"


@every_perturbing_rule
def test_perturbing_starts_after_its_share_of_the_run(rule):
    task = Task(rule, start=0.5, **options_of(rule))
    for step in range(12):
        task.step(context=TOTAL)
        if step < 6:
            assert not task.optimizer.last.perturbed
            assert task.optimizer.passes == step + 1
        if step == 5:
            assert torch.equal(task.weights, plain("adamw", 6).weights)
    assert not torch.equal(task.weights, plain("adamw", 12).weights)


@pytest.mark.parametrize(("max_rho", "radius"), [(None, 300), (0.1, 0.1), (1e3, 300)])
def test_on_a_plateau_only_max_rho_bounds_the_radius_of_a_rise(max_rho, radius):
    """The loss is 1 and the slope 1e-4: a rise of 3 % would need a step of 300, where weights are about 1."""
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = optim.SAM(torch.optim.SGD([weight], lr=0.0), rise=0.03, max_rho=max_rho)

    def closure():
        optimizer.zero_grad()
        loss = 1 + 1e-4 * weight.sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    assert optimizer.last.rho == pytest.approx(radius)
    assert optimizer.current_rho == pytest.approx(radius, rel=0.05)  # of the loss at the perturbed weight


def test_graphsam_that_starts_late_takes_its_anchor_in_mid_epoch():
    task, passes = Task("graphsam", start=4 / 12), []
    for _ in range(7):
        task.step(context=TOTAL)
        passes.append(task.optimizer.last.passes)
    assert passes == [1, 1, 1, 1, 2, 1, 2]  # epochs have three steps


@pytest.mark.parametrize("rule", PARTIAL)
def test_the_ascent_may_take_part_of_the_batch(rule):
    """The first quarter of the samples gives the direction, the complete batch the update."""
    task = Task(rule, base="sgd", ascent_share=0.25, rho=0.1, **options_of(rule))
    other = copy.deepcopy(task)
    seen: list[int] = []
    task.step(part_closure(task, seen))
    if task.optimizer.last.passes == 1:  # its first step has no ascent
        assert seen == [8]
        return
    assert seen == [2, 8]
    epsilon = task.calls[-1] - task.calls[0]
    inputs, targets = other.inputs[0, :2], other.targets[0, :2]
    (other.model(inputs) - targets).square().mean().backward()
    gradient = torch.cat([p.grad.reshape(-1) for p in other.model.parameters()] + [torch.zeros(3)])
    scale = (other.weights.abs() + other.optimizer.eta) ** 2 if other.optimizer.adaptive else 1.0
    assert torch.cosine_similarity(epsilon, gradient * scale, dim=0).item() == pytest.approx(1, abs=1e-9)
    assert task.optimizer.last.gap is None  # the losses are of different samples


def test_batch_norm_counts_the_complete_batch_once():
    task = Task("sam", batch_norm=True, ascent_share=0.25)
    layer = next(module for module in task.model if isinstance(module, torch.nn.BatchNorm1d))
    task.optimizer.model = task.model
    hidden = task.model[0](task.inputs[0]).detach().mean(0)
    task.step(part_closure(task, []))
    assert layer.num_batches_tracked == 1
    # The second pass is made at perturbed weights, so that its mean is near that of the batch, not equal to it.
    torch.testing.assert_close(layer.running_mean, 0.1 * hidden, rtol=0.1, atol=0.02)


@pytest.mark.parametrize(
    ("rule", "options", "message"),
    [
        ("sam", {"rise": -0.1}, "rise must be a finite number >= 0"),
        ("sam", {"rise": 0.1, "max_rho": 0}, "max_rho must be a finite number > 0"),
        ("sam", {"max_rho": 0.1}, "give rise too"),
        ("sam", {"start": 1.5}, "start must lie in"),
        ("sam", {"ascent_share": 0}, "ascent_share must be a finite number > 0"),
        ("sam", {"ascent_share": 2}, "ascent_share must lie in"),
        ("gsam", {"ascent_share": 0.5}, "Leave ascent_share=1"),
        ("ae_sam", {"ascent_share": 0.5}, "Leave ascent_share=1"),
        ("gsam", {"rise": 0.1, "rho_min": 0.01, "lr_max": 0.1}, "both set the radius"),
        ("esam", {"ascent_share": 0.5}, "ESAM is .* with ascent_share=1.0"),
        ("unperturbed", {"rise": 0.1}, "Unperturbed is .* with rise=None"),
    ],
)
def test_impossible_levers_are_named(rule, options, message):
    with pytest.raises(ValueError, match=message):
        Task(rule, **options)


def test_what_a_lever_needs_is_named():
    with pytest.raises(ValueError, match="total_steps"):
        Task("sam", start=0.8).step()
    with pytest.raises(TypeError, match="SampleClosure"):
        Task("sam", ascent_share=0.5).step()
    with pytest.raises(ValueError, match="call step"):
        Task("sam", rise=0.1).optimizer.first_step()
    weights = [torch.nn.Parameter(torch.ones(2)), torch.nn.Parameter(torch.ones(2))]
    with pytest.raises(ValueError, match="rho of its own"):
        optim.SAM(BASES["sgd"]([{"params": weights[:1], "rho": 0.1}, {"params": weights[1:]}]), rise=0.1)


def test_a_step_that_needs_what_it_lacks_leaves_no_trace():
    task = Task("sam", rise=0.1)
    before = task.weights

    def wordless():
        task.closure()
        return "0.3"

    with pytest.raises(TypeError, match="as a number"):
        task.optimizer.step(wordless)
    assert torch.equal(task.weights, before)


def test_a_mean_over_replicas_that_returns_nothing_is_named():
    """As `torch.distributed.all_reduce`, which works in place."""
    task = Task("sam", rise=0.1)
    with pytest.raises(TypeError, match="mean must return a number, the mean over replicas, and returned None"):
        task.step(context=optim.StepContext(mean=lambda loss: None))
