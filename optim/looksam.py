"""LookSAM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.sam_k import SAMK
from optim.vectors import Vector


class LookSAM(SAMK):
    r"""SAM every k-th step; in between, its sharpness-reducing part is reused.

    At a k-th step :math:`g_v = g_s - (\langle g_s, g \rangle / \lVert g \rVert^2)\, g` is stored and the update made
    with g_s. At the others it is made with

    .. math:: g + \alpha\, (\lVert g \rVert / \lVert g_v \rVert)\, g_v

    All products and norms are global, as in the paper. Some published implementations (that released with GraphSAM,
    that of pytorch_optimizer) project every tensor by itself: in a tensor with one element nothing is orthogonal to g,
    so they divide zero by zero. Here a g_v that is rounding error is not used. ``1 + 1/every`` passes a step.

    Args:
        base: Optimizer instance that makes the update.
        alpha: Strength of the reused part, >= 0.
        projection: ``"global"``; or ``"tensor"`` for products and norms tensor by tensor, as in some published code.
        **options: Options of `SAMK`, such as ``every``.

    Reference:
        Liu, Mai, Chen, Hsieh, You, "Towards Efficient and Scalable Sharpness-Aware Minimization", arXiv 2203.02714,
        algorithm 1; read in secondary sources and in the code released with GraphSAM.
    """

    keeps_gradient: ClassVar[bool] = True
    ascent_decides: ClassVar[bool] = True
    remembers: ClassVar[tuple[str, ...]] = ("sharpness_gradient",)

    def __init__(
        self, base: torch.optim.Optimizer, *, alpha: float = 0.7, projection: str = "global", **options: Any
    ) -> None:
        super().__init__(base, **options)
        self.alpha = checks.nonnegative("alpha", alpha)
        self.projection = checks.one_of("projection", projection, ("global", "tensor"))

    def correct(self, weights: list[Tensor], gradient: Vector | None, updating: Vector, perturbed: bool) -> Vector:
        """Store g_v after an ascent, add it otherwise."""
        if gradient is not None:
            if perturbed:
                sharp = self._apply(Vector.orthogonal_to, updating, gradient)
                self.memory.store("sharpness_gradient", weights, sharp)
            return updating
        known = self.memory.recall("sharpness_gradient", weights)
        return updating if known is None else self._apply(self._with_sharp_part, updating, known)

    def _apply(self, function: Callable[[Vector, Vector], Vector], a: Vector, b: Vector) -> Vector:
        """Return ``function`` of both vectors, of all of their tensors at once or of one after the other."""
        if self.projection == "global":
            return function(a, b)
        return Vector([t for x, y in zip(a.split(), b.split(), strict=True) for t in function(x, y).tensors])

    def _with_sharp_part(self, gradient: Vector, sharp: Vector) -> Vector:
        return gradient.plus(sharp, self.alpha * gradient.norm / sharp.norm) if sharp.usable else gradient
