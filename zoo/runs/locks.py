"""Locks between processes that are given up with their process, and that say so when they are waited for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

PATIENCE = 2.0  # seconds of waiting in silence
POLL = 0.5


def take(lock: FileLock, wait: bool, what: str, say: Callable[[str], None] | None = None) -> bool:
    """Acquire a lock; `False` if another process holds it and `wait` is false.

    Args:
        lock: An operating-system lock: it is free again as soon as its process has ended, however.
        wait: Wait until it is free, and say so after two seconds.
        what: What is waited for, such as "the run runs/a".
        say: Called with the line; `None` prints it on standard error.
    """
    Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=PATIENCE if wait else 0, poll_interval=min(POLL, PATIENCE / 4))
    except Timeout:
        if not wait:
            return False
        line = f"waiting for {what}, which another process has ({lock.lock_file})"
        print(line, file=sys.stderr, flush=True) if say is None else say(line)
        lock.acquire(poll_interval=POLL)
    return True


def is_held(path: Path) -> bool:
    """Return whether a process (also this one) holds the lock on a file."""
    if not path.exists():
        return False
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
