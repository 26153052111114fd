"""FSDP2: two gloo processes that hold half of every parameter train like one that holds all."""

from __future__ import annotations

import copy

import pytest
import torch
import torch.distributed as dist
from support.optim_models import Task
from support.two_processes import results_of_processes

import optim

CASES = [*optim.RULES, "graphsam-released"]
STEPS = 7


def task_of(case: str) -> Task:
    """A task on which rules that draw at random draw alike, whatever the shards."""
    rule, _, variant = case.partition("-")
    options = {"variant": variant} if variant else {}
    return Task(rule, groups=lambda task: list(task.model.parameters()), max_grad_norm=1.0, diagnostics=True, **options)


def sharded(case: str) -> Task:
    """The same task with its model cut in two."""
    from torch.distributed.fsdp import fully_shard

    task = task_of(case)
    base = type(task.optimizer.base)
    fully_shard(task.model)
    variant = {"variant": "released"} if case.endswith("released") else {}
    options = {"max_grad_norm": 1.0, "diagnostics": True, **variant}
    task.optimizer = type(task.optimizer)(base(task.model.parameters(), lr=1e-2), **options)
    return task


def train(task: Task, steps: int) -> torch.Tensor:
    """The full weights after some steps on the full batches, which every process sees."""

    def closure():
        loss = task.loss()
        loss.backward()
        return loss

    for _ in range(steps):
        task.optimizer.set_epoch(task.at // 3)
        task.optimizer.step(closure)
        task.at += 1
    full = [p.full_tensor() if hasattr(p, "full_tensor") else p for p in task.model.parameters()]
    return torch.cat([p.detach().flatten() for p in full])


def shard_gap(case: str) -> tuple[float, float]:
    """Largest differences of a sharded run, and of one resumed from a full state, from the run of one process."""
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_state_dict, set_state_dict

    expected, task = train(task_of(case), STEPS), sharded(case)
    train(task, 4)
    options = StateDictOptions(full_state_dict=True)
    model_state, optimizer_state = copy.deepcopy(get_state_dict(task.model, task.optimizer, options=options))
    weights = train(task, STEPS - 4)
    resumed = sharded(case)
    set_state_dict(
        resumed.model,
        resumed.optimizer,
        model_state_dict=model_state,
        optim_state_dict=optimizer_state,
        options=options,
    )
    resumed.at = 4
    again = train(resumed, STEPS - 4)
    return (weights - expected).abs().max().item(), (again - expected).abs().max().item()


def measure(case, rank):
    return shard_gap(case)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of_processes(measure, CASES, tmp_path_factory.mktemp("gloo"))


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
@pytest.mark.parametrize("case", CASES)
def test_shards_train_like_the_whole(results, case):
    assert not isinstance(results[case], str), results[case]
    gap, resumed = results[case]
    assert gap < 1e-9
    assert resumed < 1e-9
