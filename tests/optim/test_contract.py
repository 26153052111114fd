"""The contract of every member of the family: what a step does. A rule is tested by being in ``optim.RULES``."""

from __future__ import annotations

import copy

import pytest
import torch
from support.optim_models import BASES, Task, every_base, every_perturbing_rule, every_rule, plain

import optim


@every_rule
@every_base
def test_rho_zero_is_the_base_optimizer_bit_for_bit(rule, base):
    options = {} if rule == "unperturbed" else {"rho": 0.0}
    task = Task(rule, base, **options)
    assert torch.equal(task.run(12), plain(base, 12).weights)


@every_rule
def test_rho_zero_draws_no_dropout_mask_more(rule):
    """A second pass would draw other masks, for itself and for the steps that follow. rho may also become 0 later."""
    task = Task(rule, dropout=0.5, **({} if rule == "unperturbed" else {"rho": 0.0}))
    assert torch.equal(task.run(12), plain("adamw", 12, dropout=0.5).weights)
    assert task.optimizer.passes == 12

    task = Task(rule, dropout=0.5)
    task.run(4)
    bare = copy.deepcopy(task)
    bare.optimizer = bare.optimizer.base
    bare.optimizer.set_epoch = lambda epoch: None
    task.optimizer.rho, random = 0.0, torch.get_rng_state()
    rest = task.run(4)
    torch.set_rng_state(random)
    assert torch.equal(bare.run(4), rest)


@every_rule
@every_base
def test_training_lowers_the_loss_and_moves_every_used_parameter(rule, base):
    task = Task(rule, base)
    before = [p.detach().clone() for p in task.model.parameters()]
    first = task.step().item()
    task.run(60)
    task.at = 0
    assert task.loss().item() < first
    assert all(not torch.equal(p, b) for p, b in zip(task.model.parameters(), before, strict=True))


@every_rule
def test_passes_are_the_closure_calls_and_the_loss_is_the_last(rule):
    task, calls = Task(rule), 0
    for _ in range(12):
        losses = []

        def closure(losses=losses):
            losses.append(Task.closure(task))
            return losses[-1]

        returned = task.step(closure)
        calls += len(losses)
        assert returned is losses[-1]
        assert task.optimizer.last.passes == len(losses)
        assert task.optimizer.passes == calls
    assert task.optimizer.steps == 12
    assert task.optimizer.skipped == task.optimizer.unperturbed == 0


@every_perturbing_rule
def test_the_perturbation_has_norm_rho(rule):
    task, perturbed = (
        Task(rule, base="sgd", rho=0.3, **({"gamma": 1.0} if issubclass(optim.RULES[rule], optim.GraphSAM) else {})),
        0,
    )
    for _ in range(12):
        before = task.weights
        task.step()
        epsilon = task.calls[-1] - before
        if rule == "asam":
            epsilon = epsilon / (before.abs() + task.optimizer.eta)
        last = task.optimizer.last
        assert epsilon.norm().item() == pytest.approx(last.rho, rel=1e-12)
        assert last.perturbed == (last.rho > 0)
        perturbed += last.perturbed
        assert all(torch.equal(weights, before) for weights in task.calls[:-1])
    assert perturbed >= 2


@every_rule
@pytest.mark.parametrize("failing_call", [1, 2])
def test_weights_are_back_when_the_closure_raises(rule, failing_call):
    task = Task(rule)
    task.run(5)
    before, calls = task.weights, 0

    def closure():
        nonlocal calls
        calls += 1
        if calls == failing_call:
            raise RuntimeError("out of memory")
        return task.closure()

    for _ in range(6):  # at least one of these steps has as many calls
        calls = 0
        before = task.weights
        try:
            task.optimizer.step(closure)
        except RuntimeError:
            break
        task.at += 1
        task.optimizer.set_epoch(task.at // 3)
    else:
        assert failing_call == 2
        assert rule in ("unperturbed", "msam")
        return
    assert torch.equal(task.weights, before)


@every_rule
def test_storage_and_requires_grad_stay(rule):
    task = Task(rule)
    frozen = task.model[0].bias.requires_grad_(False)
    value = frozen.clone()
    before = [(p.data_ptr(), p.requires_grad) for p in task.model.parameters()]
    task.run(7)
    assert [(p.data_ptr(), p.requires_grad) for p in task.model.parameters()] == before
    assert torch.equal(frozen, value)


@every_perturbing_rule
def test_all_groups_take_part_unless_they_say_not_to(rule):
    def groups(task):
        first, second, third = task.model[0], task.model[3], task.model[5]
        return [
            {"params": list(first.parameters())},
            {"params": list(second.parameters()), "perturb": False},
            {"params": [*third.parameters(), *task.model[2].parameters()], "lr": 1e-3},
        ]

    task = Task(rule, groups=groups)
    moved = [False] * 3
    for _ in range(9):
        before = [[p.detach().clone() for p in g["params"]] for g in task.optimizer.param_groups]

        def closure(before=before):
            for i, group in enumerate(task.optimizer.param_groups):
                pairs = zip(group["params"], before[i], strict=True)
                moved[i] |= not all(torch.equal(p, b) for p, b in pairs)
            return task.closure()

        task.step(closure)
    assert moved == [True, False, True]
    assert not torch.equal(task.model[3].weight, Task(rule).model[3].weight)


@every_rule
@every_base
def test_a_model_of_one_number(rule, base):
    weight = torch.nn.Parameter(torch.tensor(1.0))
    optimizer = optim.RULES[rule](BASES[base]([weight]))

    def closure():
        optimizer.zero_grad()
        loss = (weight - 3.0) ** 2
        loss.backward()
        return loss

    for _ in range(40):
        optimizer.step(closure)
        assert weight.isfinite()
    assert abs(weight.item() - 3.0) < 2.0


@every_rule
def test_batch_norm_counts_a_batch_once(rule):
    task = Task(rule, batch_norm=True)
    task.optimizer.model = task.model
    norm = task.model[1]
    for step in range(1, 8):
        reference = copy.deepcopy(task.model)
        at = task.at
        passes = task.optimizer.passes
        task.step()
        assert norm.num_batches_tracked.item() == step
        if task.optimizer.passes - passes == 2:
            reference(task.inputs[at % 3])
            assert torch.equal(norm.running_mean, reference[1].running_mean)
            assert torch.equal(norm.running_var, reference[1].running_var)


@every_rule
def test_the_record_of_a_step(rule):
    task = Task(rule, diagnostics=True)
    assert task.optimizer.last is None
    for _ in range(7):
        task.step()
        last = task.optimizer.last
        norm = torch.cat([p.grad.reshape(-1) for p in task.model.parameters()]).norm().item()
        assert last.grad_norm == pytest.approx(norm, rel=1e-12)
        assert (last.cosine is not None) == last.perturbed
        assert last.cosine is None or -1 <= last.cosine <= 1
    task.optimizer.diagnostics = False
    task.step()
    assert task.optimizer.last.cosine is None
    assert Task(rule).run(8).equal(task.weights)
    with pytest.raises(AttributeError):
        task.optimizer.last.rho = 1.0


@every_rule
def test_options_are_those_of_the_constructor(rule):
    cls = optim.RULES[rule]
    cls(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]), **cls.options())
    with pytest.raises(TypeError, match=f"{cls.__name__} has no option 'rhho'"):
        cls(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]), rhho=1)


@every_rule
def test_from_params(rule):
    cls = optim.RULES[rule]
    optimizer = cls.from_params([torch.nn.Parameter(torch.ones(1))], "AdamW", {"lr": 0.5}, max_grad_norm=1.0)
    assert type(optimizer.base) is torch.optim.AdamW
    assert optimizer.param_groups[0]["lr"] == 0.5
    assert optimizer.max_grad_norm == 1.0
