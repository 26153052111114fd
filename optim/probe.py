"""A measurement of one step: does its perturbation point uphill, and what does the loss do there?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from optim import gradients
from optim.arithmetic import copy_
from optim.context import StepContext
from optim.random_state import GlobalRandomState
from optim.rule import Closure
from optim.running_stats import RunningStats
from optim.sharpness_aware import SharpnessAware


@dataclass(frozen=True)
class Ascent:
    """Perturbation of one step, seen from the weights.

    Attributes:
        cosine: Cosine of the angle between the perturbation and the gradient at the weights, in [-1, 1].
        rise: Rise of the loss of the batch from the weights to the perturbed weights, as a share of the loss.
        rho: Radius of the perturbation.
    """

    cosine: float
    rise: float
    rho: float


class AscentProbe:
    """Measure the perturbation of the next step of an optimizer, and leave the training as it is, bit for bit.

    It costs two passes more: one at the weights, before the step, and one at the perturbed weights, after it. Both draw
    the random numbers (dropout) that the step's first pass draws.

    Args:
        optimizer: Its next step is measured.
        closure: That of the step.
        context: That of the step.

    Example:
        >>> model, inputs = torch.nn.Linear(2, 1), torch.ones(4, 2)
        >>> optimizer = SharpnessAware(torch.optim.SGD(model.parameters(), lr=0.1), rho=0.01)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = model(inputs).square().mean()
        ...     loss.backward()
        ...     return loss
        >>> probe = AscentProbe(optimizer, closure)
        >>> loss = optimizer.step(closure)
        >>> round(probe.finish().cosine, 6)
        1.0
    """

    def __init__(self, optimizer: SharpnessAware, closure: Closure, context: StepContext | None = None) -> None:
        context = context or StepContext()
        self.optimizer, self.closure = optimizer, closure
        self.weights = gradients.perturbable(optimizer.param_groups)
        self.statistics = RunningStats(optimizer.model if context.model is None else context.model)
        self.random_state = GlobalRandomState(self.weights)
        self.before = [weight.detach().clone() for weight in self.weights]
        kept = self.statistics.copy()
        self.loss = self._pass()
        self.gradient = gradients.read(self.weights, context.grad_scaler, copy=True)
        self._clean(kept, self.random_state)
        optimizer.keep_perturbation = True

    @torch.no_grad()
    def finish(self) -> Ascent | None:
        """Return what was found, after the step; None where it was not perturbed."""
        self.optimizer.keep_perturbation = False
        last = self.optimizer.last
        if last is None or last.perturbation is None:
            return None
        after, kept = [weight.detach().clone() for weight in self.weights], self.statistics.copy()
        random_state = GlobalRandomState(self.weights)
        self.random_state.restore()
        copy_(self.weights, self.before)
        torch._foreach_add_(self.weights, last.perturbation.tensors)
        try:
            risen = self._pass() - self.loss
        finally:
            copy_(self.weights, after)
            self._clean(kept, random_state)
        return Ascent(float(last.perturbation.cosine(self.gradient)), risen / max(abs(self.loss), 1e-30), last.rho)

    def _pass(self) -> float:
        with torch.enable_grad():
            loss = self.closure()
        return float(loss.detach() if isinstance(loss, torch.Tensor) else loss)

    def _clean(self, statistics: list[Any], random_state: GlobalRandomState) -> None:
        """Take away what a pass has left behind."""
        random_state.restore()
        self.statistics.put_back(statistics)
        gradients.clear(self.optimizer.param_groups)
