"""Worker processes: started when there is work for them, or earlier, while this process imports what it needs."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.runs.process import available_cores

PACKAGES = Path(__file__).resolve().parents[2]
BYTES_FOR_ONE = 2**16
"""Bytes of a file for which it is worth starting one more process, though its number of rows may not need it."""
DEVICES_OF_GPUS = ("/dev/nvidia0", "/dev/kfd")

Process = subprocess.Popen[bytes]
_waiting: list[Process] = []


def start_process() -> Process:
    """Start a process that imports what predicting takes, and then waits for a `Job`.

    Raises:
        OSError: It cannot be started.
    """
    paths = [str(PACKAGES), *filter(None, [os.environ.get("PYTHONPATH")])]
    settings = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONSAFEPATH": "1", "OMP_NUM_THREADS": "1"}
    with without_ctrl_c():
        process = subprocess.Popen(
            [sys.executable, "-m", "zoo.inference.worker", str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **settings},
        )
    with suppress(OSError):  # it has ended already, which whoever reads its answers will find
        pickle.dump(sys.path, process.stdin)  # type: ignore[arg-type]
        process.stdin.flush()  # type: ignore[union-attr]
    return process


@contextmanager
def without_ctrl_c() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach, from their first moment on: it is for this one, which ends them."""
    if not hasattr(signal, "pthread_sigmask"):  # on Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def take_process() -> Process:
    """Return a process that waits for its job, or else a new one.

    Raises:
        OSError: It cannot be started.
    """
    while _waiting:
        process = _waiting.pop()
        if process.poll() is None:
            return process
    return start_process()


def end_process(process: Process) -> None:
    """End a process, also one that is stopped, and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError, ValueError):
            pipe.close()  # type: ignore[union-attr]


@contextmanager
def started_early(number: int) -> Iterator[None]:
    """Start processes before it is known what they will do; those that nobody has taken end with the block."""
    try:
        with suppress(OSError):  # which is reported where they are needed
            for _ in range(number):
                _waiting.append(start_process())
        yield
    finally:
        while _waiting:
            end_process(_waiting.pop())


def count_early(inputs: Sequence[str], num_workers: int | None, device: str) -> int:
    """Return how many processes a prediction will want besides this one, as far as that can be told at a glance.

    Args:
        inputs: What is predicted: a file, or molecules.
        num_workers: As in `zoo.inference.FileOptions`, as is the next.
        device: Where there is a GPU, nothing is known before torch is imported.
    """
    on_cpu = device == "cpu" or (device == "auto" and not any(map(os.path.exists, DEVICES_OF_GPUS)))
    if not on_cpu or len(inputs) != 1:
        return 0
    try:
        size = os.stat(os.path.expanduser(inputs[0])).st_size
    except (OSError, ValueError):  # a molecule, or a mistake
        return 0
    workers = available_cores() if num_workers is None else num_workers
    return max(0, min(workers - 1, size // BYTES_FOR_ONE))
