"""Friendly SAM."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.sam import SAM
from optim.vectors import Vector


class FriendlySAM(SAM):
    r"""SAM that climbs along the batch's own noise, with an estimate of the full gradient taken out of the direction.

    .. math::
        m \leftarrow \lambda m + (1 - \lambda) g, \qquad d = g - \sigma m, \qquad
        \epsilon = \rho\, d / \lVert d \rVert

    m begins as the first gradient, along which the first step climbs. Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        sigma: Share of the estimate that is taken out, >= 0; 0 is SAM.
        lmbda: Decay of the average, in [0, 1].
        **options: Options of `SAM`.

    Reference:
        Li, Zhou, He, Cheng, Huang, "Friendly Sharpness-Aware Minimization", arXiv 2403.12350, algorithm 1; read in
        secondary sources. The authors' code subtracts the m of the step before: the same direction when sigma is 1.
    """

    remembers: ClassVar[tuple[str, ...]] = ("mean_gradient",)

    def __init__(self, base: torch.optim.Optimizer, *, sigma: float = 1.0, lmbda: float = 0.9, **options: Any) -> None:
        super().__init__(base, **options)
        self.sigma = checks.nonnegative("sigma", sigma)
        self.lmbda = checks.fraction("lmbda", lmbda)

    def direction(self, weights: list[Tensor], gradient: Vector) -> Vector:
        """Return the gradient without its slowly moving part."""
        known = self.memory.recall("mean_gradient", weights)
        mean = gradient.clone() if known is None else known.averaged(gradient, 1 - self.lmbda)
        self.memory.stage("mean_gradient", weights, mean)
        return gradient if known is None else gradient.plus(mean, -self.sigma)
