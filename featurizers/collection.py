"""`without_collection`: blocks that make many objects, none of which is garbage."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """Pause the search for garbage in the block.

    It looks through all objects of the process again and again while many are made: it takes a fifth of the time in
    which torch's modules are imported, and as long as reading the atoms and bonds of molecules where torch is loaded.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
