"""Gradients that a backward outside the closure left: a step must neither train on them nor drop them in silence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


class ForeignGradients:
    """Distinction of the gradients that a step left behind from those of a later backward.

    Args:
        weights: Parameters whose gradients the step left.
    """

    def __init__(self, weights: Sequence[Tensor] = ()) -> None:
        left = _first_gradient(weights)
        self._left = None if left is None else (left, left._version)

    def are_there(self, weights: Sequence[Tensor]) -> bool:
        """Return whether there are gradients of a later backward; cheap where the first one has not changed."""
        found = _first_gradient(weights)
        if found is None or (self._left is not None and found is self._left[0] and found._version == self._left[1]):
            return False
        return any(bool(w.grad.abs().sum() != 0) for w in weights if w.grad is not None)


def refuse_unless_cleared(weights: Sequence[Tensor], closure: Callable[[], Any]) -> Any:
    """Call a closure, and check that it clears gradients before it makes its own.

    The first weight gets a gradient of zeros. A closure that clears gradients takes it away, or writes to it more often
    than gradients are accumulated in it.

    Raises:
        ValueError: It does not, so that nobody can know what the foreign gradients were for.
    """
    weight = next(w for w in weights if w.requires_grad)
    witness = weight.grad = torch.zeros_like(weight, requires_grad=False)
    before, accumulated = witness._version, 0

    def count(_: Tensor) -> None:
        nonlocal accumulated
        accumulated += 1

    handle = weight.register_post_accumulate_grad_hook(count)  # type: ignore[attr-defined]
    try:
        loss = closure()
    finally:
        handle.remove()
    if weight.grad is witness and witness._version - before <= accumulated:
        raise ValueError(
            "there were gradients from a backward before step(closure), and the closure does not clear them, so that "
            "it is not known whether they belong to this step. step(closure) makes all of its gradients itself: remove "
            "the backward before it; or begin the closure with optimizer.zero_grad(); or, to accumulate, run all "
            "micro-batches inside the closure; or use optimizer.first_step() and optimizer.second_step()"
        )
    return loss


def _first_gradient(weights: Sequence[Tensor]) -> Tensor | None:
    return next((w.grad for w in weights if w.grad is not None), None)
