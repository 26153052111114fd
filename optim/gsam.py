"""GSAM."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.sam import SAM
from optim.schedules import proportional_rho
from optim.vectors import Vector


class GSAM(SAM):
    r"""Surrogate-gap guided SAM: it also ascends along the part of the gradient that leaves the perturbed loss alone.

    .. math:: g_s - \alpha\, g_\perp, \qquad g_\perp = g - (\langle g, g_s \rangle / \lVert g_s \rVert^2)\, g_s

    Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        rho: Radius, >= 0; the largest one when ``rho_min`` is given.
        alpha: Strength of the ascent along the orthogonal part, >= 0; 0 is SAM.
        rho_min: Radius at the learning rate ``lr_min``, >= 0. The radius then follows the learning rate of group 0
            linearly, as in the paper. None: constant radius.
        lr_max: Learning rate at which the radius is ``rho``, > lr_min; needed with ``rho_min``.
        lr_min: Learning rate at which the radius is ``rho_min``, >= 0.
        **options: Options of `SAM`.

    Raises:
        ValueError: ``rho_min`` without a ``lr_max`` above ``lr_min``, or together with ``rise``.

    Reference:
        Zhuang et al., "Surrogate Gap Minimization Improves Sharpness-Aware Training", arXiv 2203.08065, algorithm 1 and
        section 4; read in secondary sources and in the code of pytorch_optimizer.
    """

    keeps_gradient: ClassVar[bool] = True
    ascent_decides: ClassVar[bool] = True

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        alpha: float = 0.4,
        rho_min: float | None = None,
        lr_max: float | None = None,
        lr_min: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(base, **options)
        self.alpha = checks.nonnegative("alpha", alpha)
        self.rho_min = None if rho_min is None else checks.nonnegative("rho_min", rho_min)
        if rho_min is not None and (lr_max is None or lr_max <= lr_min):
            raise ValueError(
                f"rho_min={rho_min} ties rho to the learning rate and needs its largest value: "
                f"give lr_max > lr_min={lr_min}, got lr_max={lr_max}"
            )
        if rho_min is not None and self.rise is not None:
            raise ValueError(f"rho_min={rho_min} and rise={self.rise:g} both set the radius: leave one of them out")
        self.lr_max = lr_max
        self.lr_min = lr_min

    def scheduled_rho(self, rho: float) -> float:
        """Return ``rho``, or what is left of it at this learning rate."""
        if self.rho_min is None or self.lr_max is None:
            return rho
        lr = float(self.param_groups[0]["lr"])
        return proportional_rho(lr, self.rho_min, rho, self.lr_min, self.lr_max)

    def correct(self, weights: list[Tensor], gradient: Vector | None, updating: Vector, perturbed: bool) -> Vector:
        """Subtract the orthogonal part of the ascent gradient: (1 + alpha c) g_s - alpha g with c = <g, g_s>/|g_s|^2.

        In half precision the orthogonal part is taken by itself, since it is small and the two terms are not.
        """
        if gradient is None or not perturbed or not updating.usable:
            return updating
        if updating.wide() is not updating:
            return updating.plus(gradient.orthogonal_to(updating), -self.alpha)
        share = float(gradient.dot(updating)) / updating.norm**2
        torch._foreach_mul_(updating.tensors, 1 + self.alpha * share)
        torch._foreach_add_(updating.tensors, gradient.tensors, alpha=-self.alpha)
        return Vector(updating.tensors)
