"""What Linux says about processes."""

import time
from pathlib import Path


def is_at_work(pid):
    """Whether a process exists and has not ended; one that nobody has collected yet has."""
    return _facts(pid)[:1] not in ([], ["Z"], ["X"])


def children(parent):
    """Numbers of the processes that a process has started."""
    pids = [int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit()]
    return {pid for pid in pids if _facts(pid)[1:2] == [str(parent)]}


def end_in_time(pids, seconds=20):
    """Whether processes end within some seconds."""
    return wait_until(lambda: not any(map(is_at_work, pids)), seconds)


def wait_until(condition, seconds=60):
    """What a condition gives in the end: it is asked until it holds, for some seconds."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def _facts(pid):
    """State, parent and what else Linux says behind the name of a process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
