"""SAM and ASAM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.displacement import Displacement
from optim.sharpness_aware import SharpnessAware


class SAM(SharpnessAware):
    r"""Sharpness-aware minimisation: every step climbs along the gradient, then descends with the gradient found there.

    .. math:: \epsilon = \rho\, g / \lVert g \rVert

    Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        rho: Radius, >= 0.
        radius: Largest norm of the perturbation of one tensor, >= 0; None: no such clip. It is not part of SAM; the
            authors of GraphSAM have it in theirs, with ``adaptive=True, eta=0``.
        **options: Options of `SharpnessAware`.

    Reference:
        Foret, Kleiner, Mobahi, Neyshabur, "Sharpness-Aware Minimization for Efficiently Improving Generalization",
        arXiv 2010.01412, eq. 2 with p = 2.
    """

    def __init__(
        self, base: torch.optim.Optimizer, *, rho: float = 0.05, radius: float | None = None, **options: Any
    ) -> None:
        super().__init__(base, rho=rho, **options)
        self.radius = None if radius is None else checks.nonnegative("radius", radius)

    def clip(self, displacement: Displacement) -> Displacement:
        """Clip each tensor of the perturbation to ``radius`` if there is one."""
        if self.radius is None:
            return displacement
        clipped = displacement.scaled().clipped(self.radius)
        return Displacement(clipped, [(len(clipped.tensors), 1.0)])


class ASAM(SAM):
    r"""Adaptive SAM: the perturbation is measured relative to the size of each weight.

    .. math:: T = |w| + \eta, \qquad \epsilon = \rho\, T^2 g / \lVert T g \rVert

    so that :math:`\lVert T^{-1} \epsilon \rVert = \rho`. Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        rho: Radius in units of the weights, >= 0; about ten times SAM's.
        eta: Lower bound of T, >= 0.
        **options: Options of `SAM`.

    Reference:
        Kwon, Kim, Park, Choi, "ASAM: Adaptive Sharpness-Aware Minimization for Scale-Invariant Learning of Deep Neural
        Networks", arXiv 2102.11600, eq. 5 and algorithm 1, p = 2, elementwise T for all parameters.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"adaptive": True}

    def __init__(self, base: torch.optim.Optimizer, *, rho: float = 0.5, eta: float = 0.01, **options: Any) -> None:
        options = checks.without_fixed(type(self), options)
        super().__init__(base, rho=rho, eta=eta, adaptive=True, **options)
