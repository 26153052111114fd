"""Layout of the perturbed weights: their dtypes, devices and shapes, looked at once a step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from optim.arithmetic import copy_, wide_dtype

MOST_ENTRIES = 2**18
"""Number of entries up to which weights and their gradients fit a processor's cache together."""


class Layout:
    """Forms of some weights, and a buffer of these forms.

    Attributes:
        compact: The weights are a few small tensors, so that copying their gradients into one tensor costs less than
            calling a kernel for each of them: there, small graph networks spend most of what a rule costs.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self._forms = _forms(weights)
        self._buffer: list[Tensor] | None = None
        self.compact = _are_compact(weights)

    def fits(self, weights: Sequence[Tensor]) -> bool:
        """Return whether weights have these forms."""
        return self._forms == _forms(weights)

    def copy_of(self, weights: list[Tensor]) -> list[Tensor]:
        """Copy weights that fit into the buffer, whose tensors are the same ones at every call."""
        if self._buffer is None:
            self._buffer = [w.detach().clone() for w in weights]
        else:
            copy_(self._buffer, weights)
        return self._buffer


def _forms(weights: Sequence[Tensor]) -> list[tuple[Any, ...]]:
    return [(w.dtype, w.device, w.shape) for w in weights]


def _are_compact(weights: Sequence[Tensor]) -> bool:
    """Return whether weights are ordinary, dense, of one dtype that norms are computed in, on a CPU, and few."""
    dtypes = {w.dtype for w in weights}
    return (
        len(weights) > 1
        and len(dtypes) == 1
        and all(dtype.is_floating_point and dtype is wide_dtype(dtype) for dtype in dtypes)
        and all(type(w) in (Tensor, torch.nn.Parameter) for w in weights)
        and all(w.device.type == "cpu" and w.layout is torch.strided for w in weights)
        and sum(w.numel() for w in weights) <= MOST_ENTRIES
    )
