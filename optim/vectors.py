"""Vectors over many parameters: the arithmetic of the rules in fused ``torch._foreach_*`` calls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import Enum
from functools import cached_property

import torch
from torch import Tensor
from torch._utils import _flatten_dense_tensors

from optim.arithmetic import global_norm, inner_product, norms_of, widen


class Flaw(Enum):
    """Reasons why a vector has no direction, the worse the higher."""

    NONE = 0
    TOO_SHORT = 1
    NOT_FINITE = 2


class Vector:
    """One vector over a list of parameters: a tensor for each of them, and its norm, computed at most once.

    Whoever changes ``tensors`` in place must make a new ``Vector`` of them.

    Args:
        tensors: One tensor a parameter, each of the parameter's shape.
        compact: Compute norms over a copy of all tensors in one, as their `optim.layout.Layout` advises.
        whole: The tensor (entries,) of which the tensors are views, one after the other; None: they lie apart.

    Example:
        >>> v = Vector([torch.tensor([3.0]), torch.tensor([[4.0]])])
        >>> v.norm, v.unit().norm
        (5.0, 1.0)
    """

    def __init__(self, tensors: list[Tensor], *, compact: bool = False, whole: Tensor | None = None) -> None:
        self.tensors, self.compact, self.whole = tensors, compact, whole

    @cached_property
    def flat(self) -> Tensor | None:
        """All entries in one tensor, `whole` or a copy; None for a vector that is neither whole nor compact."""
        if self.whole is not None or not self.compact:
            return self.whole
        return _flatten_dense_tensors(self.tensors)  # type: ignore[no-any-return]

    def joined(self) -> Vector:
        """Return an equal vector whose tensors are views of one, its ``whole``, in memory of its own if it is new."""
        if self.flat is None or self.whole is not None:
            return self
        parts = self.flat.split([t.numel() for t in self.tensors])
        views = [part.view(t.shape) for part, t in zip(parts, self.tensors, strict=True)]
        return Vector(views, compact=True, whole=self.flat)

    @cached_property
    def norm(self) -> float:
        """Global Euclidean norm. Reading it waits for the device once."""
        return float(global_norm(self.tensors) if self.flat is None else torch.linalg.vector_norm(self.flat))

    @property
    def finite(self) -> bool:
        """Whether there is no NaN, no infinity, and no overflow in the sum of squares."""
        return math.isfinite(self.norm)

    @property
    def flaw(self) -> Flaw:
        """Flaw of the vector: not finite; too short, where 1/norm overflows float32; or none."""
        if not self.finite:
            return Flaw.NOT_FINITE
        return Flaw.NONE if self.norm > torch.finfo(torch.float32).tiny else Flaw.TOO_SHORT

    @property
    def usable(self) -> bool:
        """Whether the vector has a direction."""
        return self.flaw is Flaw.NONE

    def clone(self) -> Vector:
        """Return an equal vector in memory of its own."""
        return Vector([t.clone() for t in self.tensors], compact=self.compact)

    def wide(self) -> Vector:
        """Return the vector in the dtype of its sums: half precision as float32, anything else in the same memory.

        Moving averages need it: in bfloat16, a hundredth of a number is lost when it is added to that number.
        """
        tensors = widen(self.tensors)
        return self if tensors is self.tensors else Vector(tensors)

    def scaled(self, factor: float) -> Vector:
        """Return ``factor * self`` in new memory."""
        return Vector(list(torch._foreach_mul(self.tensors, factor)), compact=self.compact)

    def unit(self) -> Vector:
        """Return ``self / norm`` in new memory; the vector must be `usable`."""
        return Vector(list(torch._foreach_div(self.tensors, self.norm)))

    def plus(self, other: Vector, factor: float = 1.0) -> Vector:
        """Return ``self + factor * other`` in new memory."""
        return Vector(list(torch._foreach_add(self.tensors, other.tensors, alpha=factor)))

    def averaged(self, other: Vector, share: float) -> Vector:
        """Return ``(1 - share) * self + share * other`` in new memory, in the dtype of `wide`."""
        return Vector(list(torch._foreach_lerp(self.wide().tensors, other.wide().tensors, share)))

    def move_towards(self, other: Vector, share: float) -> None:
        """Replace the vector by ``(1 - share) * self + share * other``, in its own memory, which must be `wide`."""
        if self.whole is not None and other.flat is not None:
            self.whole.lerp_(other.flat, share)
        else:
            torch._foreach_lerp_(self.tensors, other.wide().tensors, share)

    def times(self, factors: Sequence[Tensor]) -> Vector:
        """Return the elementwise product with one factor tensor a parameter, in new memory."""
        return Vector(list(torch._foreach_mul(self.tensors, list(factors))))

    def clipped(self, radius: float) -> Vector:
        """Return every tensor whose own norm exceeds ``radius`` shrunk to that norm, in new memory."""
        norms = norms_of(self.tensors)
        # Where radius and norm are both below the normal numbers, their quotient would be 0 / 0.
        shrunk = [radius / norm.clamp(min=torch.finfo(norm.dtype).tiny) for norm in norms]
        factors = [torch.where(norm > radius, s, torch.ones_like(norm)) for norm, s in zip(norms, shrunk, strict=True)]
        return self.times(factors)

    def dot(self, other: Vector) -> Tensor:
        """Return the inner product over all parameters, 0-d, on the device of the first one."""
        return inner_product(self.tensors, other.tensors)

    def orthogonal_to(self, other: Vector) -> Vector:
        r"""Return the part orthogonal to another vector, :math:`a - (\langle a, b \rangle / \lVert b \rVert^2) b`.

        It is computed in the dtype of `wide`, so that rounding of half precision does not drown a small part.

        Returns:
            A new vector: exactly zero where the result would be rounding error, equal to this one where the other is
            zero.
        """
        if not other.usable:
            return self.clone()
        a, b = self.wide(), other.wide()
        part = a.plus(b, -float(a.dot(b)) / other.norm**2)
        rounding = 16 * max(torch.finfo(t.dtype).eps for t in a.tensors) * self.norm
        if part.norm <= rounding:
            return self.scaled(0.0)
        if a is self:
            return part
        return Vector([t.to(own.dtype) for t, own in zip(part.tensors, self.tensors, strict=True)])

    def split(self) -> list[Vector]:
        """Return a vector for each parameter, over the same memory."""
        return [Vector([t]) for t in self.tensors]

    def cosine(self, other: Vector) -> Tensor:
        """Return the cosine of the angle to another vector, 0-d; 0 where either has no direction."""
        tiny = torch.finfo(torch.float32).tiny
        lengths = torch.stack([global_norm(self.tensors), global_norm(other.tensors)])
        cosine = (self.dot(other) / lengths[0].clamp_min(tiny) / lengths[1].clamp_min(tiny)).clamp(-1, 1)
        return torch.where((lengths > tiny).all(), cosine, torch.zeros_like(cosine))
