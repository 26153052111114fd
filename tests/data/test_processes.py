"""Processes that featurize: they end with their parent, and one that hangs is reported."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.processes import end_in_time

from zoo.data import DataError
from zoo.data.packing import processes
from zoo.data.packing.processes import ordered_map

SCRIPT = """
import os, time
from zoo.data.packing.processes import ordered_map

def work(item):
    if item < 2:
        os.write(1, f"{os.getpid()}\\n".encode())
    time.sleep(600 if item >= 4 else 0.2)

print("started", flush=True)
list(ordered_map(work, range(20), 2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent(number):
    parent = subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True)
    try:
        assert parent.stdout.readline() == "started\n"
        pids = {int(parent.stdout.readline()) for _ in range(2)}
        os.kill(parent.pid, number)
        parent.wait(20)
        assert end_in_time(pids)
    finally:
        parent.kill()
        parent.stdout.close()


def stop_at_two(item):
    if item == 2:
        os.kill(os.getpid(), signal.SIGSTOP)
    return item


def die_at_two(item):
    if item == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def test_a_worker_that_is_stopped_is_reported(monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 1.0)
    with pytest.raises(DataError, match="no answer for 1 s"):
        list(ordered_map(stop_at_two, range(6), 1))


def test_a_worker_that_is_killed_is_reported():
    with pytest.raises(DataError, match="was killed"):
        list(ordered_map(die_at_two, range(6), 2))


def test_an_error_of_the_function_keeps_its_kind_and_ends_the_workers_at_once():
    start = time.monotonic()
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(divide, range(6), 2))
    assert time.monotonic() - start < 60


def divide(item):
    if item:
        time.sleep(300)
    return 1 / item
