"""Claims: one process at a time writes an output, and the lock leaves no file behind."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from zoo.data import DataError
from zoo.runs import locks


@contextmanager
def claim(target: Path, what: str, wait: bool = True) -> Iterator[bool]:
    """Reserve an output for this process in the block.

    The lock is the operating system's: it ends with its process, so that a file that a killed process or a machine that
    was switched off has left says nothing.

    Args:
        target: The output; the lock is a hidden file next to it.
        what: What messages call it.
        wait: Wait until it is free, and say so after two seconds; else the block gets `False` where it is not.

    Raises:
        DataError: There cannot be a file.
    """
    place = target.with_name(f".{target.name}.lock")
    lock = FileLock(place)
    try:
        taken = locks.take(lock, wait, what)
    except OSError as error:
        raise unwritable(target.parent, error) from error
    if not taken:
        yield False
        return
    try:
        yield True
    finally:
        if os.name != "nt":  # Windows removes no open files
            place.unlink(missing_ok=True)
        lock.release()


def can_lock(folder: Path) -> bool:
    """Return whether files in a folder can be locked; some network file systems, such as Lustre, may be without locks.

    Raises:
        DataError: There cannot be a file.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.name == "nt" or lock_for_a_moment(file.fileno())
    except OSError as error:
        raise unwritable(folder, error) from error


def lock_for_a_moment(descriptor: int) -> bool:
    """Return whether an open file can be locked."""
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    fcntl.flock(descriptor, fcntl.LOCK_UN)
    return True


def unwritable(folder: Path, error: OSError) -> DataError:
    """Return the error for a folder in which there cannot be a file."""
    return DataError(f"{folder} cannot be written ({error.strerror or error}): make room, or choose another place")
