"""`ordered_map`: a pure function of many items, in several processes."""

from __future__ import annotations

import multiprocessing
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from zoo.data.errors import DataError

Item = TypeVar("Item")
Result = TypeVar("Result")


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], num_workers: int) -> Iterator[Result]:
    """`map` in several processes, results in the order of the items.

    Unlike `Executor.map` it takes items only as fast as results are used, so that a million of them do not pile up.

    Args:
        function: Picklable, pure.
        items: Its arguments.
        num_workers: Processes; 0 works in this one.

    Raises:
        DataError: `num_workers` is negative, or a process was killed.
    """
    if num_workers < 0:
        raise DataError(f"num_workers={num_workers}: give 0 for this process alone, or how many processes to start")
    if num_workers == 0:
        yield from map(function, items)
        return
    # Forked processes start at once and need no `if __name__ == "__main__"` in the user's script.
    method = "fork" if sys.platform.startswith("linux") else None
    executor = ProcessPoolExecutor(num_workers, mp_context=multiprocessing.get_context(method))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > 2 * num_workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise DataError("a worker process was killed, perhaps for memory: give fewer num_workers, or 0") from error
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
