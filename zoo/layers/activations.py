"""Activation functions by name, with a slope per channel where they learn one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

FUNCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": F.relu,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.1),
    "tanh": torch.tanh,
    "selu": F.selu,
    "elu": F.elu,
    "gelu": F.gelu,
    "linear": lambda x: x,
}
FIXED_SLOPES = {"relu": 0.0, "leaky_relu": 0.1, "linear": 1.0}
ACTIVATIONS = (*FUNCTIONS, "prelu")


class Activation(nn.Module):
    """An activation function chosen by name.

    Args:
        name: One of `ACTIVATIONS`. "leaky_relu" has slope 0.1; "prelu" learns a slope, 0.25 at first.
        num_channels: Number of slopes of "prelu", one for each index of axis 1; one slope serves any shape.

    Raises:
        ValueError: The name is unknown.

    Example:
        >>> Activation("prelu", num_channels=12)(torch.ones(5, 12, 8)).shape
        torch.Size([5, 12, 8])
    """

    def __init__(self, name: str, num_channels: int = 1) -> None:
        super().__init__()
        if name not in ACTIVATIONS:
            raise ValueError(f"unknown activation {name!r}: choose one of {', '.join(ACTIVATIONS)}")
        self.name = name
        self.weight = nn.Parameter(torch.full((num_channels,), 0.25)) if name == "prelu" else None

    def forward(self, x: Tensor) -> Tensor:
        """Apply the function element by element, to any shape; (n, C, ...) if there are several slopes."""
        if self.weight is None:
            return FUNCTIONS[self.name](x)
        alone = len(self.weight) == 1 and x.device.type == "cpu"
        return OneSlope.apply(x, self.weight) if alone and torch.is_grad_enabled() else F.prelu(x, self.weight)

    def slopes(self, like: Tensor, num_channels: int) -> Tensor | None:
        """Slopes below zero (C,), or `None` if the function is not linear on both sides of zero."""
        if self.weight is not None:
            return self.weight
        if self.name not in FIXED_SLOPES:
            return None
        return like.new_full((num_channels,), FIXED_SLOPES[self.name])

    def extra_repr(self) -> str:
        """Return what `print` shows."""
        return self.name if self.weight is None else f"{self.name}, num_channels={len(self.weight)}"


class OneSlope(torch.autograd.Function):
    """`F.prelu` with one slope on a CPU, whose gradient takes a tenth of the time of torch's."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: Tensor) -> Tensor:  # type: ignore[override]
        """Map x of any shape with a slope (1,)."""
        ctx.save_for_backward(x, slope)
        return F.leaky_relu(x, slope.item())

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """Gradients of x and of the slope."""
        x, slope = ctx.saved_tensors
        if torch.is_grad_enabled():  # somebody wants a second derivative
            of_x, parts = torch.ops.aten._prelu_kernel_backward(grad, x, slope.to(x.dtype))
        else:
            of_x = torch.ops.aten.leaky_relu_backward(grad, x, slope.item(), False)
            parts = x.clamp(max=0).mul_(grad)
        return of_x, parts.sum(dtype=slope.dtype).view(1)


def activated(name: str, x: Tensor, slopes: Tensor | None) -> Tensor:
    """The activation of x (C, n, D), without gradients, as one kernel; its memory is laid out as that of x.

    Args:
        name: Name of the activation.
        x: Input (C, n, D).
        slopes: Slope below zero of each channel (C,) in the type of x, or `None` of an activation that learns none.
    """
    if slopes is not None:
        return torch._prelu_kernel(x, slopes.view(-1, 1, 1))
    return F.leaky_relu(x, FIXED_SLOPES[name]) if name in FIXED_SLOPES else FUNCTIONS[name](x)


def activated_gradient(name: str, x: Tensor, slopes: Tensor | None, grad: Tensor) -> tuple[Tensor, Tensor | None]:
    """Gradient of `activated`, as one kernel where the function is linear on both sides of zero.

    Args:
        name: Name of the activation.
        x: Its input (C, n, D).
        slopes: As in `activated`.
        grad: Gradient of its output (C, n, D).

    Returns:
        Gradient of x (C, n, D), and what each number adds to the gradient of its channel's slope (C, n, D), if any.
    """
    if slopes is not None:
        return torch.ops.aten._prelu_kernel_backward(grad, x, slopes.view(-1, 1, 1))
    if name in FIXED_SLOPES:
        return torch.ops.aten.leaky_relu_backward(grad, x, FIXED_SLOPES[name], False), None
    with torch.enable_grad():
        leaf = x.detach().requires_grad_()
        return torch.autograd.grad(FUNCTIONS[name](leaf), leaf, grad)[0], None


def activate(name: str, x: Tensor, slopes: Tensor | None, out: Tensor) -> None:
    """Write the activation of x (C, n, D) to `out`, on a CPU and without gradients.

    Args:
        name: Name of the activation.
        x: Input (C, n, D).
        slopes: Slope below zero of each channel (C,), or `None`: see `Activation.slopes`.
        out: Where the result goes (C, n, D); any strides.
    """
    if slopes is None:
        out.copy_(FUNCTIONS[name](x))
    else:
        for channel, slope in enumerate(slopes.tolist()):  # one pass over memory, where prelu would need a new array
            torch.ops.aten.leaky_relu.out(x[channel], slope, out=out[channel])


def activation_gradient(
    name: str, x: Tensor, slopes: Tensor | None, grad: Tensor, out: Tensor, scratch: Tensor
) -> Tensor | None:
    """Write the gradient of x (C, n, D) to `out`, on a CPU.

    Args:
        name: Name of the activation.
        x: Input of the activation (C, n, D), contiguous.
        slopes: As in `activate`.
        grad: Gradient of its output (C, n, D), contiguous.
        out: Where the gradient of the input goes (C, n, D); any strides.
        scratch: Memory to overwrite (C, n, D), contiguous.

    Returns:
        Gradient of the slopes (C,), or `None` without slopes.
    """
    if slopes is None:
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            out.copy_(torch.autograd.grad(FUNCTIONS[name](leaf), leaf, grad)[0])
        return None
    for channel, slope in enumerate(slopes.tolist()):
        backward = torch.ops.aten.leaky_relu_backward.grad_input
        backward(grad[channel], x[channel], slope, False, grad_input=out[channel])
    torch.clamp(x, max=0, out=scratch)
    return scratch.mul_(grad).sum((1, 2), dtype=slopes.dtype)
