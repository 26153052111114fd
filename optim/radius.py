"""The radius of a perturbation: given, or such that the loss rises by a given share; from a given step on."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from optim import checks
from optim.displacement import Stretch
from optim.vectors import Vector
from optim.wrapper import Wrapper


class Radius(Wrapper):
    """Radii of the parameter groups at each step; `SharpnessAware` documents the options.

    Attributes:
        horizon: Steps of the run, where a `StepContext` named them.
        carried_loss: Loss of the last step, for a rise where this step has no gradient of its own yet.
        carried_slope: Slope of the loss at the last step, as `slope` has it.
    """

    max_rho: float | None = None  # of optimizers that were pickled before there was one

    def __init__(
        self, base: torch.optim.Optimizer, *, rho: float, rise: float | None, max_rho: float | None, start: float
    ) -> None:
        super().__init__(base)
        self.rho = checks.nonnegative("rho", rho)
        self.rise = None if rise is None else checks.nonnegative("rise", rise)
        if max_rho is not None and rise is None:
            raise ValueError(
                f"max_rho={max_rho} bounds the radius that a rise gives: give rise too, or rho in its place"
            )
        self.max_rho = None if max_rho is None else checks.positive("max_rho", max_rho)
        self.start = checks.fraction("start", start)
        self.horizon: int | None = None
        self.carried_loss: float | None = None
        self.carried_slope: float | None = None
        self.own_rhos()

    @property
    def current_rho(self) -> float:
        """Radius of the next perturbation, for parameter groups without a ``"rho"`` of their own.

        With ``rise`` it is what the last step would give; 0 before the first.
        """
        if self.rise is None:
            return self.scheduled_rho(self.rho)
        radius = self.radius_of_rise(self.carried_loss, self.carried_slope) or 0.0
        return self.bounded(self.scheduled_rho(self.rise) * radius)

    def scheduled_rho(self, rho: float) -> float:
        """Return the radius of the next perturbation for a constant ``rho``; a rule with a schedule changes it here."""
        return rho

    @property
    def begun(self) -> bool:
        """Whether the share ``start`` of the run is over.

        Raises:
            ValueError: Nobody said how long the run is.
        """
        if not self.start:
            return True
        if self.horizon is None:
            raise ValueError(
                f"start={self.start:g} is a share of the run: tell its length with "
                "step(closure, context=optim.StepContext(total_steps=...))"
            )
        return self.steps >= self.start * self.horizon

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the base; it may have ``"perturb": False`` or a ``"rho"`` of its own.

        Raises:
            ValueError: The radius is negative or not finite.
        """
        if "rho" in param_group and "rho" not in self.base.defaults:
            checks.nonnegative("rho of the parameter group", param_group["rho"])
        super().add_param_group(param_group)

    def stretches(self) -> list[Stretch]:
        """Return the radii of the perturbed parameters, in the order of their groups; with ``rise``, the rises.

        Raises:
            ValueError: A group's own radius is negative or not finite.
        """
        found: list[Stretch] = []
        common = self.scheduled_rho(self.rho if self.rise is None else self.rise) if self.begun else 0.0
        for group, own_rho in zip(self.param_groups, self.own_rhos(), strict=True):
            if not group.get("perturb", True):
                continue
            radius = common if own_rho is None else self.scheduled_rho(own_rho) if self.begun else 0.0
            sign = -1 if self.climbs_gradients and group.get("maximize") else 1  # type: ignore[attr-defined]
            count = sum([p.requires_grad for p in group["params"]])
            if found and (found[-1].radius, found[-1].sign) == (radius, sign):
                count += found.pop().count
            if count:
                found.append(Stretch(count, radius, sign))
        return found

    def own_rhos(self) -> list[float | None]:
        """Return the ``"rho"`` of every parameter group, None where it has none.

        Raises:
            ValueError: One is negative or not finite, or there is a common ``rise``.
        """
        if "rho" in self.base.defaults:  # of Adadelta, which means something else by it
            return [None] * len(self.param_groups)
        if self.rise is not None and any("rho" in group for group in self.param_groups):
            raise ValueError(
                f"rise={self.rise:g} sets one radius for all parameter groups, and one of them has a rho of its own: "
                'give the optimizer a rho in place of the rise ("perturb": False still keeps a group unperturbed)'
            )
        return [
            checks.nonnegative(f"rho of parameter group {i}", group["rho"]) if "rho" in group else None
            for i, group in enumerate(self.param_groups)
        ]

    @staticmethod
    def radius_of_rise(loss: float | None, slope: float | None) -> float | None:
        """Return the radius at which the loss would double along its steepest direction, |L| / slope; None: unknown."""
        if loss is None or not slope or not math.isfinite(loss) or not math.isfinite(slope):
            return None
        return abs(loss) / slope

    def bounded(self, radius: float) -> float:
        """Return a radius that a rise gave, or the bound where it is beyond."""
        return radius if self.max_rho is None else min(radius, self.max_rho)

    def slope(self, weights: list[Tensor], gradient: Vector) -> float | None:
        """Return the rise of the loss per unit of radius along its gradient, in the norm of the rule; None: no slope.

        It is the norm of the gradient g, or with ``adaptive`` that of T g.
        """
        unit = self.unit_displacement(weights, gradient)  # type: ignore[attr-defined]
        return None if unit is None else abs(unit[1])

    def rule_state(self) -> dict[str, Any]:
        """Return also the loss and slope that a rise needs in the next step."""
        known = {} if self.rise is None else {"carried_loss": self.carried_loss, "carried_slope": self.carried_slope}
        return {**super().rule_state(), **known}
