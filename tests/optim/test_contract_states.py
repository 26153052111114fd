"""The contract of every member of the family: states, copies, schedulers and groups that come later."""

from __future__ import annotations

import copy
import io
import pickle
import warnings

import pytest
import torch
import torch.distributed.checkpoint as dcp
from support.optim_models import Task, every_base, every_rule
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_optimizer_state_dict,
    set_optimizer_state_dict,
)


@every_rule
@every_base
def test_a_resumed_run_is_bit_equal(rule, base):
    """Saved after every step in turn: mid-epoch, mid-window, at an epoch's end.

    In float32, because torch's NAdam does not resume exactly in float64 (loading casts its float32 ``mu_product``).
    """
    whole = Task(rule, base, dtype=torch.float32)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(whole.optimizer, 0.9)
    saved = []
    for _ in range(8):
        whole.step()
        scheduler.step()
        file = io.BytesIO()
        torch.save([whole.model.state_dict(), whole.optimizer.state_dict(), scheduler.state_dict()], file)
        saved.append(file.getvalue())
    for steps, content in enumerate(saved, start=1):
        task = Task(rule, base, dtype=torch.float32)
        scheduler = torch.optim.lr_scheduler.ExponentialLR(task.optimizer, 0.9)
        states = torch.load(io.BytesIO(content), weights_only=True)
        for part, state in zip([task.model, task.optimizer, scheduler], states, strict=True):
            part.load_state_dict(state)
        task.at = steps
        while task.at < 8:
            task.step()
            scheduler.step()
        assert torch.equal(task.weights, whole.weights), f"resumed after step {steps}"
        for name in ("passes", "steps", "skipped", "unperturbed", "epoch"):
            assert getattr(task.optimizer, name) == getattr(whole.optimizer, name)


@every_rule
def test_loading_leaves_the_other_optimizer_alone(rule):
    task, other = Task(rule), Task(rule)
    task.run(4)
    other.model.load_state_dict(task.model.state_dict())
    other.optimizer.load_state_dict(task.optimizer.state_dict())
    other.at = task.at
    state = copy.deepcopy(task.optimizer.state_dict()["sharpness_aware"]["memory"])
    other.run(3)
    now = task.optimizer.state_dict()["sharpness_aware"]["memory"]
    assert all(torch.equal(now[name][i], state[name][i]) for name in state for i in state[name])


@every_rule
def test_copies_and_pickles_go_on_alike(rule):
    task = Task(rule)
    torch.optim.lr_scheduler.StepLR(task.optimizer, 1)  # patches task.optimizer.step
    task.run(4)
    model, optimizer = pickle.loads(pickle.dumps((task.model, task.optimizer)))
    copied = copy.deepcopy(task)
    other = Task(rule)
    other.model, other.optimizer, other.at = model, optimizer, task.at
    expected = task.run(5)
    assert torch.equal(copied.run(5), expected)
    assert torch.equal(other.run(5), expected)


@every_rule
@every_base
def test_schedulers_attach_to_the_wrapper_and_drive_the_base(rule, base):
    task = Task(rule, base)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedulers = [
            torch.optim.lr_scheduler.LambdaLR(task.optimizer, lambda step: 0.5**step),
            torch.optim.lr_scheduler.ReduceLROnPlateau(task.optimizer),
        ]
        for step in range(1, 4):
            loss = task.step()
            schedulers[0].step()
            schedulers[1].step(loss.item())
            assert task.optimizer.base.param_groups[0]["lr"] == 1e-2 * 0.5**step
        task.optimizer.load_state_dict(copy.deepcopy(task.optimizer.state_dict()))
        task.step()
        schedulers[0].step()
    assert task.optimizer.param_groups is task.optimizer.base.param_groups
    assert task.optimizer.state is task.optimizer.base.state
    assert task.optimizer.base.param_groups[0]["lr"] == 1e-2 * 0.5**4


@every_rule
def test_add_param_group(rule):
    task = Task(rule)
    task.run(4)
    late = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    task.optimizer.add_param_group({"params": [late], "lr": 0.1})

    def closure():
        task.optimizer.zero_grad()
        loss = (task.loss() - late).square().sum()
        loss.backward()
        return loss

    for _ in range(7):
        task.step(closure)
    assert late.item() != 0.0
    restored = Task(rule)
    restored.optimizer.add_param_group({"params": [torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))]})
    restored.optimizer.load_state_dict(task.optimizer.state_dict())


@every_rule
def test_numbers_that_a_schedule_may_change_are_saved(rule):
    task, other = Task(rule), Task(rule)
    task.run(3)
    numbers = [
        name
        for name, value in task.optimizer.options().items()
        if type(getattr(task.optimizer, name, None)) in (int, float) and name not in task.optimizer.not_saved
    ]
    for name in numbers:
        value = getattr(task.optimizer, name)
        setattr(task.optimizer, name, value + 1 if isinstance(value, int) else value * 0.5)
    assert numbers or rule == "unperturbed"
    other.model.load_state_dict(task.model.state_dict())
    other.optimizer.load_state_dict(copy.deepcopy(task.optimizer.state_dict()))
    other.at = task.at
    assert [getattr(other.optimizer, n) for n in numbers] == [getattr(task.optimizer, n) for n in numbers]
    assert torch.equal(other.run(6), task.run(6))


@every_rule
def test_a_state_of_the_first_release_loads(rule):
    """Positions were numbers, what was not known yet was left out, and the groups knew nothing of it."""
    task, other = Task(rule), Task(rule)
    task.run(5)
    state = copy.deepcopy(task.optimizer.state_dict())
    own = state["sharpness_aware"]
    names = [name for name, known in own.pop("known").items() if known]
    own["memory"] = {name: {int(i): t for i, t in own["memory"][name].items()} for name in names}
    del state["param_groups"][0]["sharpness_aware"]
    other.model.load_state_dict(task.model.state_dict())
    other.optimizer.load_state_dict(state)
    other.at = task.at
    assert torch.equal(other.run(5), task.run(5))


@every_rule
def test_state_dict_hooks_run(rule):
    task, seen = Task(rule), []
    task.optimizer.register_state_dict_pre_hook(lambda optimizer: seen.append("saving"))
    task.optimizer.register_state_dict_post_hook(lambda optimizer, state: {**state, "note": "mine"})
    task.optimizer.register_load_state_dict_pre_hook(lambda optimizer, state: seen.append(state["note"]))
    task.optimizer.register_load_state_dict_post_hook(lambda optimizer: seen.append("loaded"))
    task.run(2)
    task.optimizer.load_state_dict(task.optimizer.state_dict())
    assert seen == ["saving", "mine", "loaded"]


def shown_to_dcp(rule: str) -> Task:
    """A task whose parameters are all part of its model and in use, as distributed checkpoints expect."""
    return Task(rule, groups=lambda task: list(task.model.parameters()))


@every_rule
@pytest.mark.filterwarnings("ignore:torch.distributed is disabled")
@pytest.mark.parametrize("steps", [0, 4])
def test_the_state_survives_distributed_checkpoint(rule, steps, tmp_path):
    """Through its functions, and through its files, which are read into tensors that are there already."""
    task, other, third = (shown_to_dcp(rule) for _ in range(3))
    task.run(steps)
    saved = {"optimizer": get_optimizer_state_dict(task.model, task.optimizer)}
    dcp.save(saved, checkpoint_id=tmp_path)
    read = {"optimizer": get_optimizer_state_dict(other.model, other.optimizer)}
    dcp.load(read, checkpoint_id=tmp_path)
    set_optimizer_state_dict(other.model, other.optimizer, read["optimizer"])
    set_optimizer_state_dict(third.model, third.optimizer, copy.deepcopy(saved["optimizer"]))
    for t in (other, third):
        t.model.load_state_dict(task.model.state_dict())
        t.at = task.at
    expected = task.run(6)
    assert torch.equal(other.run(6), expected)
    assert torch.equal(third.run(6), expected)
    assert other.optimizer.passes == third.optimizer.passes == task.optimizer.passes


def test_a_flattened_distributed_state_is_refused():
    """It has a copy of each group for every parameter, and leaves out what a fresh group does not have."""
    task, options = shown_to_dcp("graphsam"), StateDictOptions(flatten_optimizer_state_dict=True)
    task.run(2)
    state = get_optimizer_state_dict(task.model, task.optimizer, options=options)
    with pytest.raises(ValueError, match="not of GraphSAM"):
        set_optimizer_state_dict(task.model, task.optimizer, state, options=options)


def test_a_step_without_closure_is_refused_where_it_would_train():
    with pytest.raises(TypeError, match="needs a closure"):
        shown_to_dcp("sam").optimizer.step()
