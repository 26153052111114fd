"""`ordered_map`: a pure function of many items, in several processes that end with this one."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures import TimeoutError as NoAnswer
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TypeVar

from featurizers.blas import one_blas_thread
from zoo.data.errors import DataError

Item = TypeVar("Item")
Result = TypeVar("Result")

PATIENCE = 1800.0
"""Seconds without an answer after which a worker counts as hung; a chunk of large conformers takes minutes."""
PR_SET_PDEATHSIG = 1  # option of Linux's `prctl`
GUARD = "a script that starts processes needs `if __name__ == '__main__':` around what it runs, or num_workers=0"


def ordered_map(function: Callable[[Item], Result], items: Iterable[Item], num_workers: int) -> Iterator[Result]:
    """`map` in several processes, results in the order of the items.

    Unlike `Executor.map` it takes items only as fast as results are used, so that a million of them do not pile up.

    Args:
        function: Picklable, pure.
        items: Its arguments.
        num_workers: Processes; 0 works in this one.

    Raises:
        DataError: `num_workers` is negative, or a process was killed or gives no answer for `PATIENCE` seconds.
    """
    if num_workers < 0:
        raise DataError(f"num_workers={num_workers}: give 0 for this process alone, or how many processes to start")
    if num_workers == 0:
        yield from map(function, items)
        return
    if getattr(multiprocessing.current_process(), "_inheriting", False):  # a worker that imports the user's script
        raise DataError(GUARD)
    with one_blas_thread():  # what is limited here when a process is forked is limited there from the beginning
        yield from _map_in_processes(function, items, num_workers)


def _map_in_processes(function: Callable[[Item], Result], items: Iterable[Item], num_workers: int) -> Iterator[Result]:
    # Forked processes start at once and need no `if __name__ == "__main__"` in the user's script.
    method = "fork" if sys.platform.startswith("linux") else None
    context = multiprocessing.get_context(method)
    executor = ProcessPoolExecutor(num_workers, context, _start_worker, (os.getpid(),))
    waiting: deque[Future[Result]] = deque()
    try:
        for item in items:
            waiting.append(executor.submit(function, item))
            if len(waiting) > 2 * num_workers:
                yield _answer(waiting.popleft(), executor)
        while waiting:
            yield _answer(waiting.popleft(), executor)
    except BaseException:
        _kill(executor)
        raise
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _answer(future: Future[Result], executor: ProcessPoolExecutor) -> Result:
    """Wait for a result, but not for ever."""
    try:
        return future.result(PATIENCE)
    except BrokenProcessPool as error:
        remedy = "" if sys.platform.startswith("linux") else f"; {GUARD}"
        raise DataError(
            f"a worker process was killed, perhaps for memory: give fewer num_workers, or 0{remedy}"
        ) from error
    except NoAnswer as error:
        if future.done():  # the function itself ran out of some time
            raise
        raise DataError(
            f"a worker process has given no answer for {PATIENCE:.0f} s (stopped, or hung on a molecule): "
            "give num_workers=0 to see where"
        ) from error


def _kill(executor: ProcessPoolExecutor) -> None:
    """End the workers at once, also those that are stopped or hang."""
    for process in list((getattr(executor, "_processes", None) or {}).values()):
        process.kill()


def _start_worker(parent: int) -> None:
    """Prepare a worker: its parent ends it, Ctrl-C and signal handlers of the parent are none of its concern."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with(parent)


def end_with(parent: int) -> None:
    """End this process as soon as its parent has ended, however that happens.

    Linux sends a signal, which also ends a process that hangs in C++; elsewhere a thread asks every second.

    Args:
        parent: Number of the parent process; this process may have been orphaned before it could ask.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.name != "nt" and os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), name="end-with-parent", daemon=True).start()


def _watch(parent: int) -> None:
    process = multiprocessing.parent_process()
    while os.name == "nt" or os.getppid() == parent:
        if process is None:
            time.sleep(1.0)
        elif wait([process.sentinel], timeout=1.0):
            break
    os._exit(1)
