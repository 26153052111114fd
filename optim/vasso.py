"""VaSSO."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.sam import SAM
from optim.vectors import Vector


class VaSSO(SAM):
    r"""Variance-suppressed SAM: the direction of ascent is a moving average of gradients.

    .. math:: d \leftarrow (1 - \theta) d + \theta g, \qquad \epsilon = \rho\, d / \lVert d \rVert

    d begins as the first gradient. Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        theta: Share of the new gradient, in [0, 1]; 1 is SAM.
        **options: Options of `SAM`.

    Reference:
        Li, Giannakis, "Enhancing Sharpness-Aware Optimization Through Variance Suppression", arXiv 2309.15639,
        algorithm 2; read in secondary sources and in the authors' code (github.com/BingcongLi/VaSSO).
    """

    remembers: ClassVar[tuple[str, ...]] = ("direction",)

    def __init__(self, base: torch.optim.Optimizer, *, theta: float = 0.4, **options: Any) -> None:
        super().__init__(base, **options)
        self.theta = checks.fraction("theta", theta)

    def direction(self, weights: list[Tensor], gradient: Vector) -> Vector:
        """Return the moving average, with this gradient in it."""
        known = self.memory.recall("direction", weights)
        average = gradient.clone() if known is None else known.averaged(gradient, self.theta)
        self.memory.stage("direction", weights, average)
        return average
