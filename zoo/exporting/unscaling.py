"""The way back from scaled predictions, in operations of torch that ONNX has: in float64, as `TargetScaler.inverse`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.tasks import TargetScaler
from zoo.tasks.transforms import Log10, TargetTransform, YeoJohnson


class Unscaling(nn.Module):
    """Scaled predictions (B, K) to the targets' unit (B, K), float64.

    Args:
        scaler: Scaling of the K numbers.

    Raises:
        NotImplementedError: A transform that is written for NumPy alone.

    Example:
        >>> Unscaling(TargetScaler((2.0,), (4.0,)))(torch.ones(1, 1))
        tensor([[6.]], dtype=torch.float64)
    """

    mean: Tensor
    std: Tensor

    def __init__(self, scaler: TargetScaler) -> None:
        super().__init__()
        for transform in scaler.transforms:
            if transform is not None and type(transform) not in (Log10, YeoJohnson):
                raise NotImplementedError(f"the transform {transform.name!r} has no form for a trace")
        self.transforms: Sequence[TargetTransform | None] = scaler.transforms
        self.register_buffer("mean", torch.tensor(scaler.mean, dtype=torch.float64))
        self.register_buffer("std", torch.tensor(scaler.std, dtype=torch.float64))

    def forward(self, scaled: Tensor) -> Tensor:
        """Bring predictions back."""
        values = scaled.double() * self.std + self.mean
        if not any(self.transforms):
            return values
        columns = zip(self.transforms, values.unbind(1), strict=True)
        return torch.stack([invert(transform, column) for transform, column in columns], dim=1)


def invert(transform: TargetTransform | None, values: Tensor) -> Tensor:
    """Invert a transform (B,), float64."""
    if isinstance(transform, Log10):
        return torch.pow(torch.full_like(values, 10.0), values)
    if isinstance(transform, YeoJohnson):
        values = values.clamp(transform.low, transform.high)
        size, below = values.abs(), values < 0
        grown = torch.where(below, _grown(size, 2 - transform.power), _grown(size, transform.power))
        return values.sign() * (grown - 1)
    return values


def _grown(size: Tensor, power: float) -> Tensor:
    """`(1 + power * size) ** (1 / power)`, and its limit `e ** size` for a power of 0."""
    if power == 0:
        return size.exp()
    inside = 1 + power * size
    # Where the other branch is taken, this one may be without a value.
    return (torch.where(inside > 0, inside, 1.0).log() / power).exp()
