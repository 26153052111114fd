"""Vectors over many parameters: the arithmetic of the rules in fused ``torch._foreach_*`` calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from functools import cached_property

import torch
from torch import Tensor

_HALF = (torch.float16, torch.bfloat16)


def global_norm(tensors: list[Tensor]) -> Tensor:
    """Euclidean norm of all tensors read as one long vector.

    Half-precision tensors are summed in float32, so that the norm of many small entries is not rounded to three digits.

    Args:
        tensors: Any shapes, dtypes and devices.

    Returns:
        A 0-d tensor on the device of the first tensor; 0.0 for an empty sequence.
    """
    if not tensors:
        return torch.zeros(())
    wide = [t for t in tensors if t.dtype not in _HALF]
    half = [t for t in tensors if t.dtype in _HALF] if len(wide) < len(tensors) else []
    norms = list(torch._foreach_norm(wide)) if wide else []
    norms += [torch.linalg.vector_norm(t, dtype=torch.float32) for t in half]
    device = tensors[0].device
    return torch.linalg.vector_norm(torch.stack([n.to(device) for n in norms]))


class Flaw(Enum):
    """Why a vector has no direction, the worse the higher."""

    NONE = 0
    TOO_SHORT = 1
    NOT_FINITE = 2


class Vector:
    """One vector over a list of parameters: a tensor for each of them, and its norm, computed at most once.

    Whoever changes ``tensors`` in place must make a new ``Vector`` of them.

    Args:
        tensors: One tensor a parameter, each of the parameter's shape.

    Example:
        >>> v = Vector([torch.tensor([3.0]), torch.tensor([[4.0]])])
        >>> v.norm, v.unit().norm
        (5.0, 1.0)
    """

    def __init__(self, tensors: list[Tensor]) -> None:
        self.tensors = tensors

    @cached_property
    def norm(self) -> float:
        """Global Euclidean norm. Reading it waits for the device once."""
        return float(global_norm(self.tensors))

    @property
    def finite(self) -> bool:
        """No NaN, no infinity, no overflow in the sum of squares."""
        return math.isfinite(self.norm)

    @property
    def flaw(self) -> Flaw:
        """Not finite; or too short, which is when 1/norm is no float32; or none."""
        if not self.finite:
            return Flaw.NOT_FINITE
        return Flaw.NONE if self.norm > torch.finfo(torch.float32).tiny else Flaw.TOO_SHORT

    @property
    def usable(self) -> bool:
        """It has a direction."""
        return self.flaw is Flaw.NONE

    def clone(self) -> Vector:
        """An equal vector in memory of its own."""
        return Vector([t.clone() for t in self.tensors])

    def scaled(self, factor: float) -> Vector:
        """``factor * self`` in new memory."""
        return Vector(list(torch._foreach_mul(self.tensors, factor)))

    def unit(self) -> Vector:
        """``self / norm`` in new memory; the vector must be `usable`."""
        return Vector(list(torch._foreach_div(self.tensors, self.norm)))

    def plus(self, other: Vector, factor: float = 1.0) -> Vector:
        """``self + factor * other`` in new memory."""
        return Vector(list(torch._foreach_add(self.tensors, other.tensors, alpha=factor)))

    def times(self, factors: Sequence[Tensor]) -> Vector:
        """Elementwise product with one factor tensor a parameter, in new memory."""
        return Vector(list(torch._foreach_mul(self.tensors, list(factors))))

    def clipped(self, radius: float) -> Vector:
        """Every tensor whose own norm exceeds ``radius`` shrunk to that norm, in new memory."""
        norms = torch._foreach_norm(self.tensors)
        # Where radius and norm are both below the normal numbers, their quotient would be 0 / 0.
        shrunk = [radius / norm.clamp(min=torch.finfo(norm.dtype).tiny) for norm in norms]
        factors = [torch.where(norm > radius, s, torch.ones_like(norm)) for norm, s in zip(norms, shrunk, strict=True)]
        return self.times(factors)

    def dot(self, other: Vector) -> Tensor:
        """Inner product over all parameters.

        Returns:
            A 0-d tensor on the device of the first parameter.
        """
        device = self.tensors[0].device
        pairs = zip(self.tensors, other.tensors, strict=True)
        return torch.stack([torch.dot(a.flatten(), b.flatten()).to(device) for a, b in pairs]).sum()

    def orthogonal_to(self, other: Vector) -> Vector:
        r"""Part orthogonal to another vector, :math:`a - (\langle a, b \rangle / \lVert b \rVert^2) b`.

        Returns:
            A new vector: exactly zero where the result would be rounding error, equal to this one where the other is
            zero.
        """
        if not other.usable:
            return self.clone()
        part = self.plus(other, -float(self.dot(other)) / other.norm**2)
        rounding = 16 * torch.finfo(self.tensors[0].dtype).eps * self.norm
        return part if part.norm > rounding else part.scaled(0.0)

    def split(self) -> list[Vector]:
        """A vector for each parameter, over the same memory."""
        return [Vector([t]) for t in self.tensors]

    def cosine(self, other: Vector) -> Tensor:
        """Cosine of the angle to another vector, 0-d; 0 where either is zero."""
        lengths = global_norm(self.tensors) * global_norm(other.tensors)
        return self.dot(other) / lengths.clamp_min(torch.finfo(lengths.dtype).tiny)
