"""Record of a sharpness-aware step, for logs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from optim.vectors import Vector


@dataclass(frozen=True)
class StepRecord:
    """The last step of an optimizer, as ``optimizer.last``.

    Attributes:
        passes: Closure calls of the step.
        rho: Radius of the perturbation, the largest one where parameter groups have their own; 0.0 without one.
        perturbed: The updating gradient was taken at perturbed weights.
        updated: The base optimizer made its update; False when the gradient was not finite.
        grad_norm: Global norm of the updating gradient, of all parameters, after unscaling and before clipping.
        perturbation: The perturbation, where ``optimizer.keep_perturbation`` asks for it.
    """

    passes: int
    rho: float
    perturbed: bool
    updated: bool
    grad_norm: float
    _cosine: Any = field(default=None, repr=False, compare=False)
    _loss: Any = field(default=None, repr=False, compare=False)
    _gap: Any = field(default=None, repr=False, compare=False)
    perturbation: Vector | None = field(default=None, repr=False, compare=False)

    @property
    def cosine(self) -> float | None:
        """Cosine of the angle between the perturbation and the updating gradient, in [-1, 1].

        None when ``optimizer.diagnostics`` is False or the step was not perturbed. Reading it waits for the device.
        """
        return None if self._cosine is None else float(self._cosine)

    @property
    def loss(self) -> float | None:
        """Loss that the last closure call returned; None where the step called no closure. Reading it waits."""
        return None if self._loss is None else float(self._loss)

    @property
    def gap(self) -> float | None:
        """Rise of the loss of this batch from the weights to the perturbed weights. Reading it waits for the device.

        None unless the step had a pass at both.
        """
        return None if self._gap is None else float(self._gap)
