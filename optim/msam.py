"""Momentum-SAM."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim.plan import Plan
from optim.sharpness_aware import SharpnessAware
from optim.vectors import Vector

_BUFFERS = ("momentum_buffer", "exp_avg")


class MSAM(SharpnessAware):
    r"""Momentum-SAM: the perturbation is taken from the momentum that the base optimizer has anyway.

    .. math:: \epsilon = -\rho\, v / \lVert v \rVert

    with v the base's momentum: ``momentum_buffer`` of SGD and RMSprop, ``exp_avg`` of Adam, AdamW, RAdam, Adamax and
    NAdam. The sign is the paper's: against v, the way in which the weights are going, so that the gradient is taken
    beyond the next iterate, where sharp directions have already been overshot. One pass a step; the first step, which
    has no momentum yet, is the base optimizer's own.

    Args:
        base: Optimizer instance that makes the update, with momentum.
        rho: Radius, >= 0. The authors' examples have 3 for image classification with SGD and with AdamW; the default is
            the smallest that their code suggests.
        **options: Options of `SharpnessAware`.

    Raises:
        ValueError: The base has no momentum.

    Reference:
        Becker, Altrock, Risse, "Momentum-SAM: Sharpness Aware Minimization without Computational Overhead",
        arXiv 2401.12033, algorithm 1; read in part, and the authors' code (github.com/MarlonBecker/MSAM).
    """

    climbs_gradients: ClassVar[bool] = False

    def __init__(self, base: torch.optim.Optimizer, *, rho: float = 0.3, **options: Any) -> None:
        super().__init__(base, rho=rho, **options)
        for i, group in enumerate(self.param_groups):
            if group.get("momentum", 1) == 0 and "betas" not in group:
                raise ValueError(
                    f"MSAM perturbs along the base's momentum, but {type(base).__name__} has momentum=0 in group {i}. "
                    f"Give momentum=0.9, or use Adam"
                )

    def plan(self) -> Plan:
        """Return one pass, perturbed as soon as there is momentum."""
        states = [state for state in self.state.values() if state]
        if any(self._momentum(state) is not None for state in states):
            return Plan.CARRIED
        if states:
            raise ValueError(
                f"MSAM needs {' or '.join(_BUFFERS)} in the state of its base, but {type(self.base).__name__} keeps "
                f"{', '.join(map(str, states[0]))}. Use SGD with momentum, or Adam"
            )
        return Plan.PLAIN

    def carried_direction(self, weights: list[Tensor]) -> Vector:
        """Return the momentum."""
        buffers = [self._momentum(self.state[w]) if w in self.state else None for w in weights]
        pairs = zip(weights, buffers, strict=True)
        return Vector([torch.zeros_like(w) if buffer is None else buffer for w, buffer in pairs])

    def unit_displacement(self, weights: list[Tensor], direction: Vector) -> tuple[Vector, float] | None:
        """Return the perturbation against the momentum."""
        unit = super().unit_displacement(weights, direction)
        return None if unit is None else (unit[0], -unit[1])

    @staticmethod
    def _momentum(state: dict[str, Any]) -> Tensor | None:
        return next((state[name] for name in _BUFFERS if state.get(name) is not None), None)
