"""WSAM."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.gradients import perturbable
from optim.sam import SAM
from optim.vectors import Vector


class WSAM(SAM):
    r"""Weighted SAM: sharpness is a regularization term with a weight of its own.

    .. math:: L(w) + \frac{\gamma}{1 - \gamma} (L(w + \epsilon) - L(w))

    with SAM's epsilon. gamma = 0 is the base optimizer with a pass wasted, 1/2 is SAM, above 1/2 sharpness counts more
    than the loss. With ``decouple`` the base optimizer sees the gradient g of the loss alone, and the sharpness moves
    the weights directly, by :math:`- lr\, \gamma / (1 - \gamma)\, (g_s - g)` of each group's learning rate, as AdamW
    decouples weight decay. Two passes a step.

    Args:
        base: Optimizer instance that makes the update.
        gamma: Weight of the sharpness, in [0, 1).
        decouple: Keep the sharpness out of the base optimizer; ``max_grad_norm`` then clips g only.
        **options: Options of `SAM`.

    Raises:
        ValueError: gamma is 1.

    Reference:
        Yue et al., "Sharpness-Aware Minimization Revisited: Weighted Sharpness as a Regularization Term", KDD 2023,
        arXiv 2305.15817, algorithms 1 and 2; read in the authors' description and in the code of pytorch_optimizer.
    """

    keeps_gradient: ClassVar[bool] = True
    ascent_decides: ClassVar[bool] = True

    def __init__(
        self, base: torch.optim.Optimizer, *, gamma: float = 0.9, decouple: bool = True, **options: Any
    ) -> None:
        super().__init__(base, **options)
        self.gamma = checks.fraction("gamma", gamma)
        if self.gamma == 1:
            raise ValueError("gamma must lie in [0, 1), got 1: the loss itself would have no weight")
        self.decouple = decouple
        self._sharpness: Vector | None = None

    def correct(self, weights: list[Tensor], gradient: Vector | None, updating: Vector, perturbed: bool) -> Vector:
        """Return the gradient with its weighted sharpness, or without any, which is then kept for `after_update`."""
        self._sharpness = None
        if gradient is None or not perturbed:
            return updating
        if not self.decouple:
            return gradient.plus(updating.plus(gradient, -1.0), self.gamma / (1 - self.gamma))
        self._sharpness = updating.plus(gradient, -1.0)
        return gradient

    def after_update(self, weights: list[Tensor]) -> None:
        """Descend along the sharpness."""
        sharpness, self._sharpness = self._sharpness, None
        if sharpness is None:
            return
        start = 0
        for group in self.param_groups:
            moved = perturbable([group])
            part = sharpness.tensors[start : start + len(moved)]
            start += len(moved)
            if moved:
                sign = 1 if group.get("maximize") else -1
                rate = float(group["lr"]) * self.gamma / (1 - self.gamma)
                torch._foreach_add_(moved, part, alpha=sign * rate)
