"""Data parallel: two gloo processes keep bit-equal replicas, whatever the rule."""

from __future__ import annotations

import pytest
import torch
import torch.distributed as dist
from support.optim_models import WORLD, Task
from support.two_processes import results_of_processes

import optim

CASES = [(rule, False) for rule in optim.RULES] + [
    (rule, True) for rule, cls in optim.RULES.items() if not cls.ascent_decides
]


def replica_gap(rule: str, rank: int, no_sync: bool) -> tuple[float, int]:
    """Largest difference between the replicas' weights after training, and how often they were compared."""
    task = Task(rule, dtype=torch.float32, groups=lambda task: list(task.model.parameters()))
    ddp = torch.nn.parallel.DistributedDataParallel(task.model)
    task.optimizer.no_sync = ddp.no_sync if no_sync else None
    share = slice(4 * rank, 4 * rank + 4)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**8)
    gap, synced, spoilt = 0.0, [], []

    def closure():
        task.optimizer.zero_grad()
        synced.append(ddp.require_backward_grad_sync)
        loss = (ddp(task.inputs[task.at % 3, share]) - task.targets[task.at % 3, share]).square().mean()
        scaler.scale(loss).backward()
        if task.at >= 3 and rank == 1 and not synced[-1] and not spoilt:  # an overflow that only this replica sees
            spoilt.append(task.at)
            task.model[0].weight.grad[0, 0] = torch.inf
        return loss

    for _ in range(8):
        synced.clear()
        task.step(closure, grad_scaler=scaler)
        scaler.update()
        assert synced[-1], "the updating gradient must be synchronised"
        assert all(synced) or no_sync
        weights = [torch.empty_like(task.weights) for _ in range(WORLD)]
        dist.all_gather(weights, task.weights)
        gap = max(gap, (weights[0] - weights[1]).abs().max().item())
    return gap, task.optimizer.skipped


def measure(case, rank):
    rule, no_sync = case
    return replica_gap(rule, rank, no_sync)


def mean_of_replicas(value: float) -> float:
    found = torch.tensor(value, dtype=torch.float64)
    dist.all_reduce(found)
    return float(found) / dist.get_world_size()


def radii(rule: str, rank: int) -> list[float]:
    """Radii of a rise: of the complete batch, or of this replica's share of it where there are two."""
    task, shared = Task(rule, rise=0.05, groups=lambda task: list(task.model.parameters())), dist.is_initialized()
    model = torch.nn.parallel.DistributedDataParallel(task.model) if shared else task.model
    share = slice(4 * rank, 4 * rank + 4) if shared else slice(None)

    def closure():
        task.optimizer.zero_grad()
        loss = (model(task.inputs[task.at % 3, share]) - task.targets[task.at % 3, share]).square().mean()
        loss.backward()
        return loss

    found = []
    for _ in range(6):
        task.step(closure, context=optim.StepContext(mean=mean_of_replicas if shared else None))
        found.append(task.optimizer.last.rho)
    return found


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
def test_a_rise_is_that_of_the_mean_loss(tmp_path):
    found = results_of_processes(radii, ["sam", "graphsam"], tmp_path)
    for rule, replica in found.items():
        assert replica == pytest.approx(radii(rule, 0), rel=1e-9)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return results_of_processes(measure, CASES, tmp_path_factory.mktemp("gloo"))


@pytest.mark.skipif(not dist.is_available(), reason="torch was built without torch.distributed")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}{'-no_sync' if case[1] else ''}")
def test_replicas_stay_bit_equal(results, case):
    gap, skipped = results[case]
    rule, no_sync = case
    assert gap == 0.0
    assert skipped == (no_sync and rule not in ("unperturbed", "msam"))
