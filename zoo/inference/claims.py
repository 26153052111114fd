"""Claims: one process at a time writes an output, and the lock leaves no file behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from zoo.runs import locks


@contextmanager
def claim(target: Path, what: str, wait: bool = True) -> Iterator[bool]:
    """Reserve an output for this process in the block.

    Args:
        target: The output; the lock is a hidden file next to it.
        what: What messages call it.
        wait: Wait until it is free, and say so after two seconds; else the block gets `False` where it is not.
    """
    place = target.with_name(f".{target.name}.lock")
    lock = FileLock(place)
    while True:
        if not locks.take(lock, wait, what):
            yield False
            return
        if place.exists():
            break
        lock.release()  # its last owner has removed the file, so that this lock says nothing to others
    try:
        yield True
    finally:
        if os.name != "nt":  # Windows removes no open files
            place.unlink(missing_ok=True)
        lock.release()
