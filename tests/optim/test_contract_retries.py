"""The contract of every member of the family: a step that fails leaves no trace, and may be tried again."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task, every_rule
from torch.utils._pytree import tree_leaves


class Interrupted(Exception):
    """Stands for running out of memory."""


def same(a, b) -> bool:
    pairs = zip(tree_leaves(a), tree_leaves(b), strict=True)
    return all(torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in pairs)


@every_rule
@pytest.mark.parametrize("failing_call", [1, 2])
def test_a_retry_is_bit_equal_to_an_undisturbed_run(rule, failing_call):
    """Memory, draws, moments, counters and BatchNorm statistics: every step fails once, in its first or last pass."""
    tasks = [Task(rule, batch_norm=True) for _ in range(2)]
    for task in tasks:
        task.optimizer.model = task.model
    undisturbed, task = tasks
    failures = 0
    for _ in range(8):
        calls = 0

        def closure():
            nonlocal calls
            calls += 1
            loss = task.closure()
            if calls == failing_call:
                raise Interrupted
            return loss

        undisturbed.step()
        task.optimizer.set_epoch(task.at // 3)
        before = [task.weights, *[buffer.clone() for buffer in task.model.buffers()]]
        try:
            task.optimizer.step(closure)
        except Interrupted:
            failures += 1
            assert same([task.weights, *task.model.buffers()], before)
            task.step()
        else:
            task.at += 1
        assert torch.equal(task.weights, undisturbed.weights)
        assert same(list(task.model.buffers()), list(undisturbed.model.buffers()))
        assert same(task.optimizer.state_dict(), undisturbed.optimizer.state_dict())
    assert failures > 0 or (failing_call == 2 and rule in ("unperturbed", "msam"))
