"""`prefetch`: batches are made and copied to a GPU while it computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import torch

from zoo.data.packing.loader import Batch

AHEAD = 3
"""Batches that are made before they are asked for."""


def prefetch(batches: Iterator[Batch], device: torch.device, ahead: int = AHEAD) -> Iterator[Batch]:
    """Give the batches on a device, in their order.

    For a GPU a thread makes the next batches, in pinned memory, from where they are copied while kernels run. The CPU
    gets each batch when it is asked for: there is nothing to overlap.

    Args:
        batches: Made on the CPU.
        device: Where they go.
        ahead: Batches that are made before they are asked for, at least 1.
    """
    if device.type == "cpu":
        yield from (batch.to(device) for batch in batches)
        return
    pins, context = device.type == "cuda", copy_context()

    def make() -> Batch | None:
        batch = next(batches, None)
        return batch if batch is None or not pins else batch.pin_memory()

    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as pool:
        waiting = deque(pool.submit(context.run, make) for _ in range(ahead))
        try:
            while (batch := waiting.popleft().result()) is not None:
                waiting.append(pool.submit(context.run, make))
                yield batch.to(device, non_blocking=pins)
        finally:
            for future in waiting:
                future.cancel()
