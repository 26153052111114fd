"""`silence`: no complaints of RDKit on standard error, also in blocks within blocks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rdkit import rdBase

_state = threading.local()


@contextmanager
def silence() -> Iterator[None]:
    """Keep RDKit silent in the block; a block within another one costs a fraction of the outer one."""
    if getattr(_state, "silent", False):
        yield
        return
    _state.silent = True
    try:
        with rdBase.BlockLogs():
            yield
    finally:
        _state.silent = False
