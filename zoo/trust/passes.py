"""Repeated passes with random numbers that depend on the seed and the pass alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from zoo.training.randomness import keep_random_state, seed_generators


def require_passes(passes: int) -> None:
    """Raise a `ValueError` for fewer than two passes."""
    if passes < 2:
        raise ValueError(f"passes={passes}: give a number of at least 2")


def draw_passes(passes: int, seed: int) -> Iterator[Callable[..., Any]]:
    """Give a caller for each pass: it seeds torch's generators, calls a function and restores the caller's state.

    Every batch of a pass starts from the same numbers, so that predictions depend neither on other batches nor on the
    process that makes them.
    """
    for number in np.random.SeedSequence(seed).generate_state(passes, np.uint64):
        yield seeded(int(number) >> 1)  # torch takes signed integers


def seeded(number: int) -> Callable[..., Any]:
    """Return a caller of functions that begin with these random numbers."""

    def call(function: Callable[..., Any], *arguments: Any) -> Any:
        with keep_random_state():
            seed_generators(number)
            return function(*arguments)

    return call
