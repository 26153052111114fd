"""AE-SAM."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import torch

from optim import checks
from optim.sam import SAM
from optim.vectors import Vector


class AESAM(SAM):
    r"""SAM only where the gradient is large: an adaptive policy on its squared norm.

    With :math:`x = \lVert g \rVert^2`, the step is SAM's iff :math:`x \ge \mu + c_t \sigma`, else the base's, where

    .. math::
        \mu \leftarrow \delta \mu + (1 - \delta) x, \qquad
        \sigma^2 \leftarrow \delta \sigma^2 + (1 - \delta)(x - \mu)^2, \qquad
        c_t = (t / T) \lambda_1 + (1 - t / T) \lambda_2

    are updated first, from :math:`\mu = 0, \sigma^2 = e^{-10}`. One or two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        delta: Forgetting rate of the moments, in [0, 1).
        lambda_1: Threshold, in standard deviations, of the last step.
        lambda_2: Threshold of the first step.
        total_steps: T, >= 1; after it the threshold stays. None: that of the training loop's `StepContext`, as the zoo
            passes it; where nobody knows the length of the run, the threshold is the mean of both at all steps.
        **options: Options of `SAM`.

    Reference:
        Jiang, Yang, Zhang, Kwok, "An Adaptive Policy to Employ Sharpness-Aware Minimization", arXiv 2304.14647,
        section 3, algorithm 1; read in secondary sources only.
    """

    ascent_decides: ClassVar[bool] = True

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        delta: float = 0.9,
        lambda_1: float = -1.0,
        lambda_2: float = 1.0,
        total_steps: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(base, **options)
        self.delta = checks.fraction("delta", delta)
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.total_steps = None if total_steps is None else checks.positive_int("total_steps", total_steps)
        self.mean = 0.0
        self.variance = math.exp(-10)

    @property
    def threshold(self) -> float:
        """Threshold c_t of this step, in standard deviations."""
        total = self.horizon if self.total_steps is None else self.total_steps
        done = 0.5 if total is None else min(self.steps / total, 1.0)
        return done * self.lambda_1 + (1 - done) * self.lambda_2

    def wants_perturbed_pass(self, gradient: Vector) -> bool:
        """Return whether this gradient is large for its kind."""
        square = gradient.norm**2
        mean = self.delta * self.mean + (1 - self.delta) * square
        variance = self.delta * self.variance + (1 - self.delta) * (square - mean) ** 2
        self.defer(mean=mean, variance=variance)
        return square >= mean + self.threshold * math.sqrt(variance)

    def rule_state(self) -> dict[str, Any]:
        """Return also the moments."""
        return {**super().rule_state(), "mean": self.mean, "variance": self.variance}
