"""The signed square root, `sign(x) sqrt(|x|)`."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo.layers.tracing import is_exported


def signed_root(x: Tensor, eps: float = 0.0) -> Tensor:
    """Signed square root of every element.

    Args:
        x: Any shape.
        eps: With 0 the exact root, whose slope `1 / (2 sqrt(|x|))` grows without bound towards 0 and is 0 at 0. Else
            `x / sqrt(|x| + eps)`, whose slope is at most `eps ** -0.5`.

    Example:
        >>> signed_root(torch.tensor([-4.0, 0.0, 9.0])).tolist()
        [-2.0, 0.0, 3.0]
    """
    if not eps and is_exported():
        return x.sign() * x.abs().sqrt()
    if not eps:
        return _SignedRoot.apply(x)
    wide = x.float() if x.dtype.itemsize < 4 else x  # float16 overflows in the slope of the reciprocal root
    return (wide * (wide.abs() + eps).rsqrt()).to(x.dtype)


class _SignedRoot(torch.autograd.Function):
    """The exact root; keeps only its result for the backward pass, where a chain of operations keeps four tensors."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        root = x.abs().sqrt_().copysign_(x)
        ctx.save_for_backward(root)
        return root

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        (root,) = ctx.saved_tensors
        # Division by infinity gives the slope at 0 a derivative of 0; a slope that is replaced there would have NaN.
        return (grad * 0.5).div_(root.abs().masked_fill_(root == 0, torch.inf))
