"""`map_pieces`: pieces of a file are predicted in this process and in others, results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING

import pandas as pd
import torch

from zoo.inference.job import Job, Piece, predict_rows
from zoo.inference.team import Team

if TYPE_CHECKING:
    from zoo.learners.predictor import Predictor

PATIENCE = 1800.0
"""Seconds without an answer after which a worker counts as hung."""
SHARE = 256
"""Rows that a process takes at a time where several share the work."""
AHEAD = 4
"""Pieces for each process that may be under way, or done before an earlier one; they bound the memory."""


def map_pieces(
    job: Job, pieces: Iterable[Piece], workers: int, patience: float = PATIENCE
) -> Generator[tuple[Piece, pd.DataFrame], None, None]:
    """Predict pieces in their order; this process is one of the workers.

    The others are started only if there is more than one piece. All load the learner at the same time.

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
    pieces = chain(first, pieces)
    if workers <= 1 or len(first) < 2:
        learner = job.load()
        for piece in pieces:
            yield piece, predict_rows(learner, piece.molecules, job)
        return
    with Team(job, workers - 1, patience) as team, one_thread():
        ahead = AHEAD * workers * max(1, len(first[0].molecules) // SHARE)
        yield from join(predict_with_team(team, job.load(), divide(pieces), ahead))


def divide(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Divide pieces into shares for the processes, so that none waits long for the last one of another."""
    for piece in pieces:
        start = piece.start
        for molecules in piece.molecules.chunks(SHARE):
            yield Piece(start, molecules, piece)
            start += len(molecules)


def join(shares: Iterable[tuple[Piece, pd.DataFrame]]) -> Iterator[tuple[Piece, pd.DataFrame]]:
    """Join the tables of shares, in their order, to those of the pieces that were divided."""
    tables: list[pd.DataFrame] = []
    for share, table in shares:
        piece, offset = share.of, share.start - share.of.start
        table.index += offset
        tables.append(table)
        if offset + len(share.molecules) == len(piece.molecules):
            yield piece, tables[0] if len(tables) == 1 else pd.concat(tables)
            tables = []


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
        mine = waiting.popleft() if waiting else team.take_back()
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
