"""States of a run, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone

OPEN, RUNNING, FINISHED, FAILED = "open", "running", "finished", "failed"


@dataclass(frozen=True)
class RunState:
    """State of a run.

    Args:
        name: "open" (not started, or stopped on the way), "running", "finished" or "failed".
        reason: Why it failed or stopped, in one line.
        deaths: How often its process ended without a word, as one that is out of memory.
    """

    name: str = OPEN
    reason: str | None = None
    deaths: int = 0


def now() -> str:
    """Return the time in UTC, to the second (ISO 8601)."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def one_line(error: BaseException) -> str:
    """Return kind and message of an error in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")[:500]
