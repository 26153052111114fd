"""`Team`: worker processes and the threads that talk with them."""

from __future__ import annotations

import pickle
import queue
import subprocess
import threading
import time
import warnings
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any

from zoo.inference.errors import InferenceError
from zoo.inference.job import Failure, Job, Piece
from zoo.inference.processes import end_process, take_process

if TYPE_CHECKING:
    import pandas as pd

POLL = 0.5  # seconds between looks at workers that do not answer
GRACE = 10.0  # seconds for a process that has closed its output to end
QUEUED = 2  # pieces that a worker has at most, so that it need not wait for the next one


class Worker:
    """One process and the thread that hands it pieces and brings its answers.

    Args:
        job: What it does.
        answers: Where (worker, piece, answer) go; without a piece and an answer when the process has ended.
    """

    def __init__(self, job: Job, answers: queue.SimpleQueue[Any]) -> None:
        self.process = take_process()
        self.job, self.answers = job, answers
        self.running: deque[Piece] = deque()
        self.taken_back: set[int] = set()
        self.since = time.monotonic()
        self._pieces: queue.SimpleQueue[Piece | None] = queue.SimpleQueue()
        threading.Thread(target=self._talk, name="predict", daemon=True).start()

    def give(self, piece: Piece) -> None:
        """Let the worker predict a piece."""
        if not self.running:
            self.since = time.monotonic()
        self.running.append(piece)
        self._pieces.put(piece)

    def _talk(self) -> None:
        """Write and read in a thread, since either may block for ever where the process is stopped."""
        requests, replies = self.process.stdin, self.process.stdout
        try:
            pickle.dump(self.job, requests)  # type: ignore[arg-type]
            while (piece := self._pieces.get()) is not None:
                pickle.dump(piece.molecules, requests)  # type: ignore[arg-type]
                requests.flush()  # type: ignore[union-attr]
                self.answers.put((self, piece, pickle.load(replies)))  # type: ignore[arg-type]
        except Exception:  # of a pipe that is closed, or of half an answer: the process has ended, or will be ended
            self.answers.put((self, None, None))

    def status(self) -> int | None:
        """Return the exit status of a process that has closed its output; `None` if it has not ended all the same."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(GRACE)
        return None

    def end(self) -> None:
        """End the process, also one that is stopped, and the thread."""
        self._pieces.put(None)
        end_process(self.process)


class Team:
    """Worker processes that predict pieces; they end with the block.

    Args:
        job: What they do.
        number: How many there are.
        patience: Seconds after which a worker without an answer counts as hung.
    """

    def __init__(self, job: Job, number: int, patience: float) -> None:
        self.job, self.patience = job, patience
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.workers: list[Worker] = []
        try:
            for _ in range(number):
                self.workers.append(Worker(job, self._answers))
        except OSError as error:
            self.end()
            raise InferenceError(f"no worker process can be started ({error}): give fewer num_workers, or 0") from error

    def __enter__(self) -> Team:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End all workers at once."""
        for worker in self.workers:
            worker.end()

    def take(self, piece: Piece) -> bool:
        """Give a piece to the least busy worker; `False` if all have enough."""
        free = min(self.workers, key=lambda worker: len(worker.running), default=None)
        if free is None or len(free.running) >= QUEUED:
            return False
        free.give(piece)
        return True

    def take_back(self) -> Piece | None:
        """Return a piece that a worker has not begun, to be predicted elsewhere; its answer will not be waited for."""
        busiest = max(self.workers, key=lambda worker: len(worker.running), default=None)
        if busiest is None or len(busiest.running) < 2:
            return None
        piece = busiest.running.pop()
        busiest.taken_back.add(piece.start)
        return piece

    def collect(self, wait: bool) -> list[tuple[Piece, pd.DataFrame | None]]:
        """Return what has been predicted since the last call; `None` for pieces that are given back.

        Args:
            wait: Wait for the first one.

        Raises:
            InferenceError: A worker has ended, hangs, or cannot do its piece.
        """
        found: list[tuple[Piece, pd.DataFrame | None]] = []
        while True:
            try:
                worker, piece, answer = self._answers.get(wait and not found, POLL)
            except queue.Empty:
                self._look_after()
                if found or not wait:
                    return found
                continue
            found += self._accept(worker, piece, answer)

    def _accept(self, worker: Worker, piece: Piece | None, answer: Any) -> list[tuple[Piece, pd.DataFrame | None]]:
        if worker not in self.workers:  # dismissed
            return []
        if piece is None:
            status = worker.status()
            raise self._error(worker, f"a worker process ended with status {status} (out of memory?)")
        if isinstance(answer, Failure) and answer.loaded:
            raise self._error(worker, f"a worker process failed ({answer.reason})")
        if isinstance(answer, Failure):
            warnings.warn(f"a worker process cannot load the model and is left out: {answer.reason}", stacklevel=2)
            self.workers.remove(worker)
            worker.end()
            return [(given, None) for given in worker.running]
        worker.since = time.monotonic()
        if piece.start in worker.taken_back:
            worker.taken_back.remove(piece.start)
            return []
        worker.running.popleft()
        return [(piece, answer)]

    def _look_after(self) -> None:
        for worker in self.workers:
            if worker.running and time.monotonic() - worker.since > self.patience:
                raise self._error(
                    worker,
                    f"a worker process has given no answer for {self.patience:.0f} s (stopped, or hung on a molecule)",
                )

    def _error(self, worker: Worker, what: str) -> InferenceError:
        where = f" at {worker.running[0].rows} of {self.job.label}" if worker.running else ""
        return InferenceError(
            f"{what}{where}: repeat the call to go on with what is done, with num_workers=0 or a smaller chunk_size "
            "if it happens again"
        )
