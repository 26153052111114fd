"""Bounded resident memory of memory-mapped arrays."""

from __future__ import annotations

import mmap
from collections.abc import Sequence

import numpy as np

# Reading one molecule maps up to 64 KiB around it in each array.
MOLECULES_HELD = 512
SMALL_BYTES = 64 * 2**20


class MappedPages:
    """Lets go of the pages of memory-mapped arrays now and then.

    A page that was read once counts as resident memory of the process until it is let go, so an epoch over a store of
    any size would end with all of it resident. The file stays in the system's cache, from where the pages come back at
    once. Arrays of up to 64 MiB together are left alone, and so are those that are not mapped.

    Args:
        arrays: Arrays, mapped or not.
    """

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        bases = [array.base for array in arrays if isinstance(array.base, np.memmap)]
        large = sum(base.nbytes for base in bases) > SMALL_BYTES and hasattr(mmap, "MADV_DONTNEED")
        self.maps: list[mmap.mmap] = [base._mmap for base in bases] if large else []  # type: ignore[attr-defined]
        self.used = 0

    def note_use(self, molecules: int) -> None:
        """Count molecules that were read, and release the pages after `MOLECULES_HELD` of them."""
        self.used += molecules
        if self.used >= MOLECULES_HELD and self.maps:
            self.let_go()

    def let_go(self) -> None:
        """Give back all pages."""
        for mapped in self.maps:
            mapped.madvise(mmap.MADV_DONTNEED)
        self.used = 0
