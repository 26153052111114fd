"""Ending processes: signals that stop a run cleanly, children that do not outlive their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
GRACE = 10.0  # seconds to stop cleanly

_holds = 0
_waiting: BaseException | None = None


class Stopped(SystemExit):
    """Request to stop by a signal; its exit status is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.signal = signal.Signals(number).name

    def __str__(self) -> str:
        return self.signal


@contextmanager
def stop_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `Stopped` in the block, so that it ends as after Ctrl-C; only in a main thread.

    All three wait for the end of `hold_signals`. Python drops exceptions of destructors and weak references; a signal
    that arrives in one is sent again.
    """

    def stop(number: int, frame: Any) -> None:
        global _waiting
        error = KeyboardInterrupt() if number == signal.SIGINT else Stopped(number)
        if not _holds or _waiting is not None:  # whoever asks twice does not want to wait
            raise error
        _waiting = error

    def send_again(dropped: Any) -> None:
        if isinstance(dropped.exc_value, Stopped | KeyboardInterrupt):
            number = signal.Signals[getattr(dropped.exc_value, "signal", "SIGINT")]
            threading.Timer(0.05, os.kill, (os.getpid(), number)).start()
        else:
            sys.__unraisablehook__(dropped)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ctrl_c = [signal.SIGINT] if signal.getsignal(signal.SIGINT) is signal.default_int_handler else []
    before = {number: signal.signal(number, stop) for number in [*SIGNALS, *ctrl_c]}
    hook, sys.unraisablehook = sys.unraisablehook, send_again
    try:
        yield
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def hold_signals() -> Iterator[None]:
    """Let the signals of `stop_on_signals` wait for the end of the block, which another thread's work depends on.

    An exception between an entry of a queue and the notice of it, say, would leave the thread that empties the queue
    asleep.
    """
    global _holds, _waiting
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _holds += 1
    try:
        yield
    finally:
        _holds -= 1
        if not _holds and _waiting is not None:
            error, _waiting = _waiting, None
            raise error


def end_with_parent() -> None:
    """Stop this process of `multiprocessing` when its parent ends, however that happens."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), name="end-with-parent", daemon=True).start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(128 + signal.SIGTERM)


def end(processes: list[Any]) -> None:
    """Stop processes of `multiprocessing`: cleanly, and by force those that do not react."""
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + GRACE
    for process in processes:
        process.join(max(0.1, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()


def is_suspended(pid: int) -> bool:
    """Return whether a process was suspended (SIGSTOP), as far as the system reports it."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[0] in ("T", "t")
