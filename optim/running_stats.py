"""BatchNorm statistics that count a batch once, however many passes a step makes over it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase


class RunningStats:
    """Buffers in which the normalisation layers of a model accumulate statistics.

    Args:
        model: Any module; batch, synchronised batch and instance normalisation are found at any depth. None has none.

    Attributes:
        buffers: ``running_mean``, ``running_var`` and ``num_batches_tracked`` of every layer that tracks them.
    """

    def __init__(self, model: nn.Module | None) -> None:
        layers = [] if model is None else [module for module in model.modules() if isinstance(module, _NormBase)]
        self.buffers = [buffer for layer in layers for buffer in layer.buffers(recurse=False)]

    def copy(self) -> list[Tensor]:
        """Return copies of the buffers."""
        return [buffer.clone() for buffer in self.buffers]

    @torch.no_grad()
    def put_back(self, kept: list[Tensor]) -> None:
        """Copy the result of `copy` into the buffers, bit for bit."""
        for buffer, value in zip(self.buffers, kept, strict=True):
            buffer.copy_(value)


@contextmanager
def frozen_running_stats(model: nn.Module | None) -> Iterator[None]:
    """Keep the running statistics of ``model`` unchanged inside this block.

    The layers still normalise with the statistics of the batch. The buffers are copied back when the block ends, also
    by an exception, so they are equal bit for bit whatever their momentum and even after a batch with NaN (setting the
    momentum to zero would let NaN in, and ``num_batches_tracked`` go on).

    Args:
        model: The model, or None for a block that does nothing.

    Example:
        >>> model = nn.BatchNorm1d(1)
        >>> with frozen_running_stats(model):
        ...     _ = model(torch.ones(4, 1))
        >>> model.num_batches_tracked.item()
        0
    """
    statistics = RunningStats(model)
    kept = statistics.copy()
    try:
        yield
    finally:
        statistics.put_back(kept)
