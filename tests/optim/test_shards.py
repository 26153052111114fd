"""FSDP2: two gloo processes that hold half of every parameter train like one that holds all."""

from __future__ import annotations

import copy
import os
import warnings

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from support.optim_models import WORLD, Task

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


def work(rank: int, store: str, results, finished) -> None:
    """All cases in one process; see ``test_replicas.work``."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=WORLD)
    for case in CASES:
        try:
            result = shard_gap(case)
        except Exception as error:
            result = repr(error)
        if rank == 0:
            results.put((case, result))
    if rank == 0:
        finished.get()
    else:
        finished.put(rank)
    os._exit(0)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One spawn for all cases, because starting torch twice takes seconds."""
    context = mp.get_context("spawn")
    queue, finished = context.SimpleQueue(), context.SimpleQueue()
    mp.spawn(work, (str(tmp_path_factory.mktemp("gloo") / "store"), queue, finished), nprocs=WORLD)
    return dict(queue.get() for _ in CASES)


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
@pytest.mark.parametrize("case", CASES)
def test_shards_train_like_the_whole(results, case):
    assert not isinstance(results[case], str), results[case]
    gap, resumed = results[case]
    assert gap < 1e-9
    assert resumed < 1e-9
