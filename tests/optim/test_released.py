"""Each difference between the released GraphSAM code and the paper's rule, seen at work (docs/sharpness_aware.md)."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import Task

import optim


def perturbations(task: Task, steps: int) -> list[list[torch.Tensor]]:
    """Perturbation of every parameter tensor at every step."""
    found = []
    for _ in range(steps):
        before = [p.detach().clone() for p in task.model.parameters()]
        task.optimizer.set_epoch(task.at // 3)
        at = []

        def closure(at=at):
            at[:] = [p.detach().clone() for p in task.model.parameters()]
            return task.closure()

        task.optimizer.step(closure)
        task.at += 1
        found.append([a - b for a, b in zip(at, before, strict=True)])
    return found


def both(**options):
    return Task("graphsam", base="sgd", **options), Task("graphsam", base="sgd", variant="released", **options)


def norm(tensors):
    return torch.cat([t.reshape(-1) for t in tensors]).norm().item()


def test_rho_compounds():
    paper, released = both(rho=0.08)
    for task, expected in (
        (paper, [0.08, 0.04, 0.02, 0.01, 0.005]),
        (released, [0.08, 0.04, 0.01, 1.25e-3, 7.8125e-5]),
    ):
        rhos = []
        for epoch in range(5):
            task.optimizer.set_epoch(epoch)
            rhos.append(task.optimizer.current_rho)
        assert rhos == pytest.approx(expected)


def test_rho_has_no_influence_after_the_anchor():
    paper, released = both(rho=0.05, gamma=1.0), both(rho=5.0, gamma=1.0)
    assert norm(perturbations(paper[0], 2)[1]) == pytest.approx(0.05)
    assert norm(perturbations(released[0], 2)[1]) == pytest.approx(5.0)
    moved = perturbations(released[1], 2)[1]
    assert [t.norm().item() for t in moved] == pytest.approx([0.05] * len(moved))


def test_the_clip_is_per_tensor():
    paper, released = both(rho=5.0, gamma=1.0)
    assert norm(perturbations(paper, 1)[0]) == pytest.approx(5.0)
    assert all(t.norm().item() <= 0.05 + 1e-12 for t in perturbations(released, 1)[0])


def test_the_average_is_per_tensor():
    task = Task("graphsam", base="sgd", variant="released", beta=0.0, gamma=1.0)
    task.run(1)
    direction = task.optimizer.memory.recall("direction", list(task.model.parameters()))
    assert [t.norm().item() for t in direction.tensors] == pytest.approx([1.0] * len(direction.tensors), rel=1e-6)
    task = Task("graphsam", base="sgd", beta=0.0, gamma=1.0)
    task.run(1)
    direction = task.optimizer.memory.recall("direction", list(task.model.parameters())).scaled(task.optimizer.scale)
    assert direction.norm == pytest.approx(1.0)


def test_only_group_0_is_perturbed():
    def groups(task):
        return [{"params": list(task.model[0].parameters())}, {"params": list(task.model[5].parameters())}]

    paper, released = both(groups=groups)
    for task, moves in ((paper, True), (released, False)):
        first, *_, last = perturbations(task, 1)[0]
        assert first.norm() > 0
        assert (last.norm() > 0) == moves


def test_adaptive_by_default():
    paper, released = both()
    assert released.optimizer.adaptive
    assert not paper.optimizer.adaptive
    assert not Task("graphsam", variant="released", adaptive=False).optimizer.adaptive


def test_the_anchor_is_raw():
    for options, unit in (({}, True), ({"anchor": "raw"}, False), ({"variant": "released"}, False)):
        task = Task("graphsam", base="sgd", beta=1.0, **options)
        task.run(1)
        kept = task.optimizer.memory.recall("direction", list(task.model.parameters())).norm
        assert (kept == pytest.approx(1.0)) == unit


def test_the_closure_alone_decides_what_is_back_propagated():
    """The code calls ``loss.backward(loss)``, which scales the gradient by the loss; here the closure is called."""
    paper, released = both(rho=0.0)
    for task in (paper, released):
        task.run(4)
        torch.testing.assert_close(task.weights, Task("unperturbed", base="sgd").run(4), rtol=0, atol=0)


def test_the_state_has_the_moments_of_the_base():
    for variant in ("paper", "released"):
        task = Task("graphsam", variant=variant)
        task.run(2)
        state = task.optimizer.state_dict()
        assert {"exp_avg", "exp_avg_sq", "step"} == set(state["state"][0])
        direction = state["sharpness_aware"]["memory"]["direction"]
        assert all(t.device == p.device for t, p in zip(direction.values(), task.model.parameters(), strict=False))


def test_a_released_run_resumes():
    whole, half = (Task("graphsam", variant="released") for _ in range(2))
    half.run(4)
    resumed = Task("graphsam", variant="released")
    resumed.model.load_state_dict(half.model.state_dict())
    resumed.optimizer.load_state_dict(half.optimizer.state_dict())
    resumed.at = 4
    assert torch.equal(resumed.run(4), whole.run(8))


def test_options_of_the_released_variant():
    options = optim.ReleasedGraphSAM.options()
    assert options["radius"] == 0.05
    optim.ReleasedGraphSAM(torch.optim.Adam([torch.nn.Parameter(torch.ones(1))]), **options)
    with pytest.raises(ValueError, match="anchor must be one of 'raw', got 'unit'"):
        Task("graphsam", variant="released", anchor="unit")
