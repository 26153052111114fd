"""A small regression problem and the ways in which the contract makes an optimizer take steps on it."""

from __future__ import annotations

import pytest
import torch

import optim

BASES = {
    "adamw": lambda params, **more: torch.optim.AdamW(params, lr=1e-2, **more),
    "sgd": lambda params, **more: torch.optim.SGD(params, lr=1e-2, momentum=0.9, weight_decay=1e-3, **more),
    "radam": lambda params, **more: torch.optim.RAdam(params, lr=1e-2, **more),
    "adamax": lambda params, **more: torch.optim.Adamax(params, lr=1e-2, **more),
    "nadam": lambda params, **more: torch.optim.NAdam(params, lr=1e-2, **more),
}
BATCHES = 3
WORLD = 2
"""Processes of the tests that need several."""

every_rule = pytest.mark.parametrize("rule", list(optim.RULES))
every_perturbing_rule = pytest.mark.parametrize("rule", [rule for rule in optim.RULES if rule != "unperturbed"])
every_base = pytest.mark.parametrize("base", list(BASES))


class Task:
    """Model (with one-element parameters and one that never gets a gradient), data, optimizer, closures."""

    def __init__(
        self, rule: str, base: str = "adamw", *, dtype=torch.float64, batch_norm=False, dropout=0.0, groups=None,
        base_args=None, **options,
    ):  # fmt: skip
        torch.manual_seed(0)
        self.model = torch.nn.Sequential(
            torch.nn.Linear(4, 6), torch.nn.BatchNorm1d(6) if batch_norm else torch.nn.Identity(), torch.nn.PReLU(),
            torch.nn.Linear(6, 5), torch.nn.Dropout(dropout) if dropout else torch.nn.Tanh(), torch.nn.Linear(5, 1),
        ).to(dtype)  # fmt: skip
        self.unused = torch.nn.Parameter(torch.ones(3, dtype=dtype))
        self.inputs = torch.randn(BATCHES, 8, 4, dtype=dtype)
        self.targets = torch.randn(BATCHES, 8, 1, dtype=dtype)
        params = [*self.model.parameters(), self.unused] if groups is None else groups(self)
        self.optimizer = optim.RULES[rule](BASES[base](params, **(base_args or {})), **options)
        self.calls: list[torch.Tensor] = []
        self.at = 0

    @property
    def weights(self) -> torch.Tensor:
        params = [p.detach().reshape(-1) for p in [*self.model.parameters(), self.unused]]
        return torch.cat(params).clone()

    def loss(self) -> torch.Tensor:
        batch = self.at % BATCHES
        return (self.model(self.inputs[batch]) - self.targets[batch]).square().mean()

    def closure(self) -> torch.Tensor:
        """The usual closure; remembers the weights at which it was called."""
        self.calls.append(self.weights)
        self.optimizer.zero_grad()
        loss = self.loss()
        loss.backward()
        return loss

    def step(self, closure=None, **options):
        """A step on the next batch; an epoch has three. Returns the loss and the weights of the closure calls."""
        self.optimizer.set_epoch(self.at // BATCHES)
        self.calls.clear()
        loss = self.optimizer.step(closure or self.closure, **options)
        self.at += 1
        return loss

    def run(self, steps: int) -> torch.Tensor:
        for _ in range(steps):
            self.step()
        return self.weights


def plain(base: str, steps: int, **options) -> Task:
    """The bare base optimizer on the same task, after some steps."""
    task = Task("unperturbed", base, **options)
    task.optimizer = task.optimizer.base
    task.optimizer.set_epoch = lambda epoch: None
    task.run(steps)
    return task
