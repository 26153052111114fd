"""Cost of a sharpness-aware rule: whole steps next to those of other rules, and steps whose passes are free."""

from __future__ import annotations

import copy
import time
from statistics import median
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from costs.memory import held_at_most
from torch import Tensor

import optim
from zoo.data import Batch, MoleculeLoader
from zoo.tasks import objective_for
from zoo.training.closures import WindowClosure

ADAM = "adam"
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
RHO = {"asam": 0.5}


class Run:
    """One rule that trains its own copy of the model; a bare Adam is one of them."""

    def __init__(self, rule: str, learner: Any, loader: MoleculeLoader) -> None:
        self.model = self.replica = copy.deepcopy(learner.model).train()
        self.optimizer = make(rule, list(self.model.parameters()))
        self.loader, self.device = loader, torch.device("cpu")
        self.objective = objective_for(self.model, learner.task)
        self.options, self.grad_scaler = SimpleNamespace(precision="float32"), None
        self.passes = 0

    def start_epoch(self, epoch: int) -> None:
        """Tell the rule."""
        if isinstance(self.optimizer, optim.SharpnessAware):
            self.optimizer.set_epoch(epoch)

    def step(self, batch: Batch) -> None:
        """One step as the training loop makes it."""
        self.optimizer.step(WindowClosure(self, [batch]))  # type: ignore[arg-type]

    def state_bytes(self) -> int:
        """Tensors that the rule keeps beyond those of its base."""
        own = self.optimizer.state_dict().get("sharpness_aware", {})
        tensors = [t for named in own.get("memory", {}).values() for t in named.values()]
        return sum(t.numel() * t.element_size() for t in tensors)

    def peak_bytes(self, batch: Batch) -> int:
        """Most memory that any of six steps (one of them an anchor, one a k-th) holds beyond what it found."""
        self.start_epoch(0)
        vars(self.optimizer).pop("_layout", None)  # the kept weights, which would otherwise be there already
        return max(held_at_most(lambda: self.seeded_step(batch, 0)) for _ in range(6))

    def seeded_step(self, batch: Batch, number: int) -> None:
        """A step with the draws (depths, dropout) that every rule gets at this number."""
        torch.manual_seed(number)
        self.step(batch)


def make(rule: str, parameters: list[Tensor], foreach: bool | None = None) -> torch.optim.Optimizer:
    """A rule over Adam, or Adam itself."""
    kernel = {"foreach": foreach} if foreach is not None else optim.fused_option(torch.optim.Adam, parameters)
    base = torch.optim.Adam(parameters, lr=1e-4, **kernel)
    if rule == ADAM:
        return base
    options = {"rho": RHO.get(rule, 0.05)} if "rho" in optim.RULES[rule].options() else {}
    return optim.RULES[rule](base, **options)


def timed_in_turns(runs: dict[str, Run], batches: list[Batch], rounds: int, clock: str) -> dict[str, np.ndarray]:
    """Seconds of every step of every rule (rounds, steps), after a warm-up of two steps each."""
    now = CLOCKS[clock]
    times = {rule: np.zeros((rounds, len(batches))) for rule in runs}
    for run in runs.values():
        run.start_epoch(rounds)
        for number, batch in enumerate(batches[:2]):
            run.seeded_step(batch, number)
    before = {rule: passes_of(run.optimizer) for rule, run in runs.items()}
    order = list(runs)
    for epoch in range(rounds):
        for run in runs.values():
            run.start_epoch(epoch)
        for number, batch in enumerate(batches):
            for rule in order:
                torch.manual_seed(number)
                start = now()
                runs[rule].step(batch)
                times[rule][epoch, number] = now() - start
            order.append(order.pop(0))  # nobody always runs with the caches that the same other left
    for rule, run in runs.items():
        run.passes = passes_of(run.optimizer) - before[rule] or rounds * len(batches)
    return times


def passes_of(optimizer: torch.optim.Optimizer) -> int:
    """Closure calls so far; 0 for an optimizer that does not count them."""
    return optimizer.passes if isinstance(optimizer, optim.SharpnessAware) else 0


def own_seconds(rule: str, model: torch.nn.Module, clock: str, steps: int = 60) -> float:
    """Mean seconds of a step with free passes, over an epoch of the rule; the median of three epochs."""
    parameters = [torch.nn.Parameter(p.detach().clone()) for p in model.parameters()]
    optimizer, closure = make(rule, parameters, foreach=True), FreeClosure(parameters)
    now, epochs = CLOCKS[clock], []
    for epoch in range(3):
        if isinstance(optimizer, optim.SharpnessAware):
            optimizer.set_epoch(epoch)
        total = 0.0
        for _ in range(steps):
            closure.restore()
            start = now()
            optimizer.step(closure)
            total += now() - start
        epochs.append(total / steps)
    return median(epochs)


class FreeClosure:
    """A closure whose gradients are there already: what is left of a step is the rule and the base's update."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.gradients = [torch.randn_like(p) for p in parameters]
        self.losses = torch.rand(32)
        self.parameters, self.places = parameters, [torch.empty_like(p) for p in parameters]
        self.restore()

    def restore(self) -> None:
        """Rules may have written corrected gradients over them."""
        torch._foreach_copy_(self.places, self.gradients)

    def __call__(self, subset: Tensor | None = None) -> Tensor:
        """A loss."""
        for parameter, place in zip(self.parameters, self.places, strict=True):
            parameter.grad = place
        return self.losses[0]

    def per_sample(self) -> Tensor:
        """Losses (32,)."""
        return self.losses
