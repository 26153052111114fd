"""`map_pieces`: pieces of a file are predicted in this process and in others, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING

import torch

from zoo.inference.job import Job, Piece, predict_rows
from zoo.inference.team import Team

if TYPE_CHECKING:
    import pandas as pd

    from zoo.learners.predictor import Predictor

PATIENCE = 1800.0
"""Seconds without an answer after which a worker counts as hung."""
AHEAD = 4
"""Pieces for each process that may be under way, or done before an earlier one; they bound the memory."""


def map_pieces(
    job: Job, pieces: Iterable[Piece], workers: int, patience: float = PATIENCE
) -> Generator[tuple[Piece, pd.DataFrame], None, None]:
    """Predict pieces in their order; this process is one of the workers.

    The others are started only if there is more than one piece. They load the learner while this process works already.

    Args:
        job: What is predicted, and how.
        pieces: Taken only as fast as they are predicted.
        workers: Processes, this one among them.
        patience: Seconds without an answer after which a worker counts as hung.

    Raises:
        InferenceError: A worker ended, hangs or failed.
    """
    pieces = iter(pieces)
    first = list(islice(pieces, 2))
    if not first:
        return
    learner, pieces = job.load(), chain(first, pieces)
    if workers <= 1 or len(first) < 2:
        for piece in pieces:
            yield piece, predict_rows(learner, piece.molecules, job)
        return
    with Team(job, workers - 1, patience) as team, one_thread():
        yield from predict_with_team(team, learner, pieces, AHEAD * workers)


def predict_with_team(
    team: Team, learner: Predictor, pieces: Iterator[Piece], ahead: int
) -> Iterator[tuple[Piece, pd.DataFrame]]:
    """Predict pieces together with a team, results in order."""
    order, waiting = deque[Piece](), deque[Piece]()
    done: dict[int, pd.DataFrame] = {}
    while True:
        taken = list(islice(pieces, ahead - len(order)))
        order.extend(taken)
        waiting.extend(taken)
        while len(waiting) > 1 and team.take(waiting[-1]):
            waiting.pop()
        mine = waiting.popleft() if waiting else None
        if mine is not None:
            done[mine.start] = predict_rows(learner, mine.molecules, team.job)
        elif not order:
            return
        for piece, table in team.collect(wait=mine is None):
            if table is None:
                waiting.appendleft(piece)
            else:
                done[piece.start] = table
        while order and order[0].start in done:
            piece = order.popleft()
            yield piece, done.pop(piece.start)


@contextmanager
def one_thread() -> Iterator[None]:
    """Use one thread for each process, since the processes share the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
