"""Memory that a function holds at most, counted by the tensors that it makes."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


def held_at_most(function: Callable[[], None]) -> int:
    """Most bytes that are held at once by tensors which a function makes."""
    with Allocations() as allocations:
        function()
    return allocations.peak


class Allocations(TorchDispatchMode):
    """Bytes of the storages that operations made and that are still alive, and their peak."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {t.untyped_storage()._cdata for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        result = func(*args, **(kwargs or {}))
        storages = [t.untyped_storage() for t in tree_leaves(result) if isinstance(t, Tensor)]
        for storage in {s._cdata: s for s in storages if s._cdata not in given}.values():
            self.held += storage.nbytes()
            weakref.finalize(storage, self.free, storage.nbytes())
        self.peak = max(self.peak, self.held)
        return result

    def free(self, size: int) -> None:
        """A storage is gone."""
        self.held -= size
