"""`Child`: the server's end of a worker process, started anew when it hangs or crashes."""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from zoo.serving.refusal import Refusal
from zoo.serving.work import Failure
from zoo.serving.worker import LENGTH, pack_message

LOG = logging.getLogger("molzoo.serve")
PACKAGES = Path(__file__).resolve().parents[2]
LOADING = 600.0
MOST_WAITING = 64
AGAIN = 5


class Child:
    """A worker process and the queue before it; questions are answered one at a time, in the order of their coming.

    Args:
        name: For messages and metrics.
        start: What the process begins with, see `zoo.serving.work`.
        seconds: Time for one answer.

    Attributes:
        restarts: How often the process was started again.
        waiting: Questions that are not answered yet.
        ready: Whether the process has loaded what it needs.
    """

    def __init__(self, name: str, start: Any, seconds: float) -> None:
        self.name, self.start_with, self.seconds = name, start, seconds
        self.restarts = self.waiting = 0
        self.ready = False
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    @property
    def pid(self) -> int | None:
        """Number of the process, None where there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start the process and wait until it has loaded.

        Raises:
            ValueError: It cannot load, in one line.
        """
        async with self._lock:
            await self._start()

    async def ask(self, question: Any) -> Any:
        """Return the answer to a question.

        Raises:
            Refusal: 503 where too many wait, 400 for a question that cannot be answered, 504 for an answer that takes
                too long, 500 for a fault of the process.
        """
        if self.waiting >= MOST_WAITING:
            raise Refusal(503, f"{self.name} has {self.waiting} requests to answer: ask again later", AGAIN)
        self.waiting += 1
        try:
            async with self._lock:
                found = await self._exchange(question)
        finally:
            self.waiting -= 1
        if isinstance(found, Failure):
            raise Refusal(400 if found.asker else 500, found.message if found.asker else f"{self.name} failed at this")
        return found

    async def stop(self) -> None:
        """End the process."""
        process, self._process, self.ready = self._process, None, False
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()

    async def _start(self) -> None:
        paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "zoo.serving.worker", str(os.getpid())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1"},
        )
        try:
            self._write(sys.path)
            self._write(self.start_with)
            problem = await asyncio.wait_for(self._read(), LOADING)
        except (asyncio.TimeoutError, asyncio.IncompleteReadError, OSError) as error:
            await self.stop()
            raise ValueError(
                f"{self.name}: its worker process ended or hangs while it loads (out of memory?)"
            ) from error
        if problem is not None:
            await self.stop()
            text = problem.message
            raise ValueError(text if text.startswith(self.name) else f"{self.name}: {text}")
        self.ready = True

    async def _exchange(self, question: Any) -> Any:
        if self._process is None:
            self.restarts += 1
            try:
                await self._start()
            except ValueError as error:
                LOG.error("%s", error)
                raise Refusal(503, f"{self.name} cannot be started anew", AGAIN) from error
        try:
            self._write(question)
            return await asyncio.wait_for(self._read(), self.seconds)
        except asyncio.TimeoutError:
            LOG.warning("%s gave no answer for %g s: its process is started anew", self.name, self.seconds)
            await self.stop()
            raise Refusal(504, f"{self.name} gave no answer for {self.seconds:g} s: ask for fewer or smaller "
                          "molecules") from None  # fmt: skip
        except (asyncio.IncompleteReadError, OSError):
            LOG.error("the process of %s has ended: it is started anew", self.name)
            await self.stop()
            raise Refusal(500, f"the process of {self.name} ended at this (out of memory, or a molecule that crashes "
                          "it): ask for fewer or smaller molecules") from None  # fmt: skip
        except BaseException:  # cancelled: the next question must not get this one's answer
            await self.stop()
            raise

    def _write(self, content: Any) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: PT018 - for the type checker
        self._process.stdin.write(pack_message(content))

    async def _read(self) -> Any:
        assert self._process is not None and self._process.stdout is not None  # noqa: PT018 - for the type checker
        size = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))[0]
        return pickle.loads(await self._process.stdout.readexactly(size))
