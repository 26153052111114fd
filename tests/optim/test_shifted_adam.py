"""GraphSAM with a direction that stays is Adam in shifted coordinates (docs/does_it_pay.md)."""

from __future__ import annotations

import pytest
import torch
from support.optim_models import BATCHES, Task

BASES = {
    "adam": (torch.optim.Adam, {"lr": 1e-2}),
    "sgd": (torch.optim.SGD, {"lr": 1e-2, "momentum": 0.9}),
}


def trained(task: Task, base, options, steps: int, start: torch.Tensor | None = None) -> list[torch.Tensor]:
    """Weights after each step of the bare base optimizer, from weights of one's own."""
    parameters = [*task.model.parameters(), task.unused]
    if start is not None:
        torch.nn.utils.vector_to_parameters(start, parameters)
    optimizer, path = base(parameters, **options), []
    for step in range(steps):
        task.at = step
        optimizer.zero_grad()
        task.loss().backward()
        optimizer.step()
        path.append(task.weights)
    return path


@pytest.mark.parametrize("base", list(BASES))
@pytest.mark.parametrize("rho", [0.05, 1.0])
def test_with_beta_1_the_perturbed_weights_follow_the_base_optimizer_exactly(base, rho):
    """v = w + epsilon: within an epoch epsilon is constant, so that the updates of w are those of v."""
    cls, options = BASES[base]
    steps = 10 * BATCHES
    task = Task("graphsam", beta=1.0, gamma=1.0, rho=rho)
    task.optimizer.base = cls([*task.model.parameters(), task.unused], **options)
    task.optimizer.set_epoch(0)  # one epoch for all steps
    visited, first = [], task.weights
    for step in range(steps):
        task.at = step
        task.calls.clear()
        task.optimizer.step(task.closure)
        visited.append(task.calls[-1])
    epsilon = visited[0] - first
    assert epsilon.norm().item() == pytest.approx(rho)

    path = trained(Task("unperturbed"), cls, options, steps, start=visited[0])
    for step in range(1, steps):
        torch.testing.assert_close(visited[step], path[step - 1], rtol=0, atol=1e-12)
    torch.testing.assert_close(task.weights + epsilon, path[-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("beta", "low", "high"), [(0.99, 0.0, 0.35), (0.0, 0.5, 10.0)])
def test_beta_099_stays_near_and_beta_0_does_not(beta, low, high):
    """The distance to the path of Adam at v, as a multiple of how far the last epoch's epsilon is from it."""
    cls, options = BASES["adam"]
    task = Task("graphsam", beta=beta, gamma=1.0, rho=0.05)
    task.optimizer.base = cls([*task.model.parameters(), task.unused], **options)
    visited = []
    for step in range(10):
        task.at = step
        task.calls.clear()
        task.optimizer.step(task.closure)
        visited.append(task.calls[-1])
    path = trained(Task("unperturbed"), cls, options, 10, start=visited[0])
    apart = (visited[-1] - path[-2]).norm().item() / 0.05
    assert low <= apart <= high
