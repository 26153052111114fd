"""The perturbation of a step: one vector, and how far each parameter group goes along it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from optim.vectors import Vector


@dataclass(frozen=True)
class Stretch:
    """Consecutive weights that move by the same factor.

    Attributes:
        count: Number of weights, in the order of the parameter groups.
        radius: Radius of their groups, >= 0.
        sign: 1 to climb, -1 where the base maximizes.
    """

    count: int
    radius: float
    sign: int = 1


@dataclass(frozen=True)
class Displacement:
    """A perturbation epsilon, as a vector times a factor for each stretch of its tensors.

    Attributes:
        vector: Direction, in any length.
        factors: Pairs of a number of tensors and the factor of these tensors; the numbers add up to all tensors.
    """

    vector: Vector
    factors: list[tuple[int, float]]

    def add_to(self, weights: list[Tensor]) -> None:
        """Move the weights by the perturbation, in place."""
        if len(self.factors) == 1:
            torch._foreach_add_(weights, self.vector.tensors, alpha=self.factors[0][1])
            return
        start = 0
        for count, factor in self.factors:
            stop = start + count
            torch._foreach_add_(weights[start:stop], self.vector.tensors[start:stop], alpha=factor)
            start = stop

    def scaled(self) -> Vector:
        """Return epsilon itself, in new memory."""
        return self._times(1.0)

    def in_proportion(self) -> Vector:
        """Return epsilon over its largest factor, in new memory: its direction, however small the radius."""
        largest = max(abs(factor) for _, factor in self.factors)
        return self._times(1 / largest) if largest > 0 else self._times(0.0)

    def _times(self, scale: float) -> Vector:
        tensors: list[Tensor] = []
        for count, factor in self.factors:
            part = self.vector.tensors[len(tensors) : len(tensors) + count]
            tensors += torch._foreach_mul(part, factor * scale)
        return Vector(tensors)
