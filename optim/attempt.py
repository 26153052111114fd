"""One step under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from optim.context import StepContext
from optim.displacement import Stretch
from optim.plan import Plan
from optim.random_state import GlobalRandomState
from optim.running_stats import RunningStats
from optim.vectors import Flaw, Vector


@dataclass
class Attempt:
    """State of a step between its beginning and its end; an exception on the way ends it without a trace.

    Attributes:
        context: What the training loop handed over, completed by the optimizer's own options.
        weights: The parameters that may be perturbed.
        stretches: Their radii.
        plan: The passes that the rule asked for.
        statistics: BatchNorm statistics of the model.
        before: Copies of these statistics before the step.
        random_state: Where the random draws of the first pass began, if the second is to draw alike.
        passes: Closure calls.
        loss: What the last closure call returned.
        first_loss: What the ascent pass returned.
        gradient: Ascent gradient, as long as it is needed.
        flaw: What is wrong with it.
        again: A pass follows the ascent pass.
        missed: The step should have been perturbed, but its direction was not usable.
        counted: Copies of the statistics as the ascent pass left them; the second pass must not change them.
        kept: The weights before the perturbation.
        climbed: Direction of the perturbation, for `cosine`.
        perturbation: The perturbation itself, if it is to be kept.
        cosine: Cosine of the climbed direction with the updating gradient.
    """

    context: StepContext
    weights: list[Tensor]
    stretches: list[Stretch]
    plan: Plan
    statistics: RunningStats
    before: list[Tensor] = field(default_factory=list)
    random_state: GlobalRandomState | None = None
    passes: int = 0
    loss: Any = None
    first_loss: Any = None
    gradient: Vector | None = None
    flaw: Flaw = Flaw.NONE
    again: bool = True
    missed: bool = False
    counted: list[Tensor] | None = None
    kept: list[Tensor] | None = None
    climbed: Vector | None = None
    perturbation: Vector | None = None
    cosine: Tensor | None = None

    @property
    def perturbed(self) -> bool:
        """Whether the weights are moved."""
        return self.kept is not None

    @property
    def rho(self) -> float:
        """Largest radius of the step."""
        return max((stretch.radius for stretch in self.stretches), default=0.0)
