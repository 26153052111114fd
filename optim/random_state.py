"""The state of torch's global generators, from which dropout draws."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class GlobalRandomState:
    """State of the generators of the CPU and of the CUDA devices of some tensors, as it was at construction.

    Example:
        >>> state = GlobalRandomState([])
        >>> first = torch.rand(1)
        >>> state.restore()
        >>> torch.equal(torch.rand(1), first)
        True
    """

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._cpu = torch.get_rng_state()
        devices = {t.device for t in tensors if t.device.type == "cuda"}
        self._cuda = {device: torch.cuda.get_rng_state(device) for device in devices}

    def restore(self) -> None:
        """Set the generators back."""
        torch.set_rng_state(self._cpu)
        for device, state in self._cuda.items():
            torch.cuda.set_rng_state(state, device)
