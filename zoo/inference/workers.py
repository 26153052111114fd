"""Processes that predict chunks of rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import numpy as np
import torch

from zoo.learners import factory
from zoo.learners.predictor import Predictor
from zoo.runs import tune_process

_learner: Predictor | None = None  # of a worker process


@dataclass(frozen=True)
class Job:
    """What a worker needs to predict."""

    run: str
    device: str
    batch_size: int
    trust: bool = False

    def load(self) -> Predictor:
        """The learner."""
        return factory.load(self.run, device=self.device, trust=self.trust)


def map_chunks(
    job: Job, chunks: Iterable[tuple[int, list[str]]], workers: int
) -> Iterator[tuple[int, np.ndarray, list[str]]]:
    """Predict chunks in any order; this process is one of the workers.

    The others are started only if there is more than one chunk. They load the learner while this process works
    already; at most two chunks for each are under way, which bounds the memory.
    """
    learner, chunks, waiting = job.load(), iter(chunks), deque[tuple[int, list[str]]]()
    if workers <= 1:
        for number, smiles in chunks:
            yield number, *predict_rows(learner, smiles, job.batch_size)
        return
    helpers, running = workers - 1, dict[Future, int]()
    with ProcessPoolExecutor(helpers, get_context("spawn"), start_worker, (job,)) as pool, one_thread():
        while True:
            waiting.extend(islice(chunks, 2 * helpers + 1 - len(running) - len(waiting)))
            while len(waiting) > 1 and len(running) < 2 * helpers:
                number, smiles = waiting.pop()
                running[pool.submit(predict_chunk, smiles, job.batch_size)] = number
            busy = bool(waiting)
            if busy:
                number, smiles = waiting.popleft()
                yield number, *predict_rows(learner, smiles, job.batch_size)
            elif not running:
                return
            done, _ = wait(running, timeout=0 if busy else None, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), *future.result()


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread for each process, since the processes share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def start_worker(job: Job) -> None:
    """Load the learner once."""
    global _learner
    tune_process()
    torch.set_num_threads(1)
    _learner = job.load()


def predict_chunk(smiles: list[str], batch_size: int) -> tuple[np.ndarray, list[str]]:
    """Predict a chunk with this worker's learner."""
    assert _learner is not None
    return predict_rows(_learner, smiles, batch_size)


def predict_rows(learner: Predictor, smiles: list[str], batch_size: int) -> tuple[np.ndarray, list[str]]:
    """Predictions (n, T) and, for the rows that cannot be read, why."""
    found = learner.predictions(smiles, batch_size=batch_size)
    return found.values, found.reasons.tolist()
