"""Torch's global random generators: seeded for a run, then restored for the caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def keep_random_state() -> Iterator[None]:
    """Restore the state of torch's generators, on the CPU and on every GPU in use, when the block or function ends.

    Example:
        >>> before = torch.get_rng_state()
        >>> with random_state_kept():
        ...     seed_generators(0)
        >>> torch.equal(before, torch.get_rng_state())
        True
    """
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        yield


def seed_generators(seed: int) -> None:
    """Seed torch's generators; those of GPUs that nobody uses yet are left alone."""
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
