"""`Crew`: the processes of one run, which answer as many questions at a time as they are."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from zoo.serving.child import Child


class Crew:
    """Worker processes of one run.

    Args:
        members: At least one, all with the same start.
    """

    def __init__(self, members: Sequence[Child]) -> None:
        self.members = list(members)

    @property
    def ready(self) -> bool:
        """Whether all have loaded the run."""
        return all(child.ready for child in self.members)

    @property
    def waiting(self) -> int:
        """Questions that are not answered yet."""
        return sum(child.waiting for child in self.members)

    @property
    def restarts(self) -> int:
        """Number of times that a process was started again."""
        return sum(child.restarts for child in self.members)

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that run."""
        return [child.pid for child in self.members if child.pid]

    def pick(self) -> Child:
        """Return the least busy member; a job stays with the one that has opened its file."""
        return min(self.members, key=lambda child: child.waiting)

    async def ask(self, question: Any) -> Any:
        """Return the answer of the least busy member; errors as in `Child.ask`."""
        return await self.pick().ask(question)

    async def start(self) -> None:
        """Start the members that do not run; errors as in `Child.start`."""
        await asyncio.gather(*(child.start() for child in self.members if not child.ready))

    async def stop(self) -> None:
        """End all members."""
        await asyncio.gather(*(child.stop() for child in self.members))
