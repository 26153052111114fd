"""Products of the Hessian of a loss surface with vectors, by two routes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from optim import Vector
from zoo.layers.message_passing import use_torch
from zoo.sharpness.surface import LossSurface


class NoSecondDerivative(RuntimeError):
    """A function in the model cannot be differentiated twice."""


def derivative_product(surface: LossSurface, vector: Vector) -> Vector:
    r"""Product as the gradient of :math:`\langle \nabla L, v \rangle`; right only where `twice_differentiable`.

    Raises:
        NoSecondDerivative: A function in the model says that it has none.
    """
    total = [torch.zeros_like(w, requires_grad=False) for w in surface.weights]

    def add(loss: Tensor) -> None:
        gradient = torch.autograd.grad(loss, surface.weights, create_graph=True, materialize_grads=True)
        pairs = zip(gradient, vector.tensors, strict=True)
        products = [(g * v).sum() for g, v in pairs if g.requires_grad]
        if products:
            product = torch.autograd.grad(torch.stack(products).sum(), surface.weights, materialize_grads=True)
            torch._foreach_add_(total, product)

    try:
        with plain_operations():
            surface.each_batch(add)
    except RuntimeError as error:
        if "not implemented" in str(error):
            raise NoSecondDerivative(f"{type(surface.model).__name__}: {error}") from error
        raise
    return Vector(total)


def difference_product(surface: LossSurface, vector: Vector, step: float = 1e-9) -> Vector:
    r"""Product as :math:`\lVert v \rVert\, (g(w + h u) - g(w - h u)) / 2h` with the gradient g and u = v/‖v‖.

    Activations such as ReLU have kinks, where the gradient jumps. A Hessian leaves them out, and so does a difference
    over a step so small that it meets none. That takes float64: use `LossSurface.in_double`.

    Args:
        surface: In float64.
        vector: v, not zero.
        step: h, > 0. At the default rounding leaves five digits.
    """
    gradients = []
    for sign in (1, -1):
        with surface.kept_weights():
            with torch.no_grad():
                torch._foreach_add_(surface.weights, vector.tensors, alpha=sign * step / vector.norm)
            gradients.append(surface.gradient()[1])
    return gradients[0].plus(gradients[1], -1).scaled(vector.norm / (2 * step))


def twice_differentiable(surface: LossSurface) -> bool:
    """Return whether all gradients are torch's own, which have a right second derivative or say that they have none.

    A gradient that was written in Python mostly has a wrong one that raises no error: DGL's softmax over edges forgets
    terms, and torch's `once_differentiable` warns only of paths that a gradient by weights never takes. A
    `torch.autograd.Function` that is right says so by `twice_differentiable = True`.
    """
    found: list[bool] = []
    with plain_operations():
        surface.each_batch(lambda loss: found.append(all(map(is_trusted, nodes_behind(loss)))))
    return all(found)


@contextmanager
def plain_operations() -> Iterator[None]:
    """Let the zoo's layers and torch's attention use twice differentiable operations inside this block."""
    with use_torch(), sdpa_kernel(SDPBackend.MATH):
        yield


def nodes_behind(loss: Tensor) -> Iterator[Any]:
    """The functions of the graph that a gradient of the loss runs through."""
    waiting: list[Any] = [loss.grad_fn]
    seen: set[Any] = {None}
    while waiting:
        node = waiting.pop()
        if node not in seen:
            seen.add(node)
            yield node
            waiting += [following for following, _ in node.next_functions]


def is_trusted(node: Any) -> bool:
    """Return whether a function of the graph is torch's own, or says of itself that it can be differentiated twice."""
    if not isinstance(node, torch.autograd.function.BackwardCFunction):
        return True
    return getattr(node._forward_cls, "twice_differentiable", False)  # type: ignore[attr-defined]
