"""Worker processes that are started before it is known what they will do."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from zoo.commands.main import main
from zoo.inference import processes
from zoo.inference.processes import count_early, end_process, started_early, take_process

STARTS = """
import sys
from zoo.commands.main import main
from zoo.inference import processes

def start(start=processes.start_process):
    print("torch" in sys.modules, file=sys.stderr)
    return start()

processes.start_process = start
main(sys.argv[1:])
"""


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(processes, "DEVICES_OF_GPUS", ())
    monkeypatch.setattr(processes, "available_cores", lambda: 4)


@pytest.fixture
def small(tmp_path):
    (tmp_path / "small.csv").write_text("smiles\nCCO\n")
    return str(tmp_path / "small.csv")


@pytest.fixture
def large(library, tmp_path):
    """5,000 rows, 300 kB."""
    rows = pd.concat([pd.read_csv(library)] * 20)
    rows.to_csv(tmp_path / "large.csv", index=False)
    return str(tmp_path / "large.csv")


@pytest.mark.parametrize(
    ("num_workers", "device", "number"),
    [(None, "auto", 3), (None, "cpu", 3), (2, "auto", 1), (1, "cpu", 0), (0, "cpu", 0), (8, "cuda", 0), (8, "mps", 0)],
)
def test_as_many_as_the_prediction_will_want(large, no_gpu, num_workers, device, number):
    assert count_early([large], num_workers, device) == number


def test_none_where_few_rows_or_none_of_a_file_are_predicted(small, large, no_gpu):
    for inputs in ([small], ["CCO"], ["-"], ["C\0C"], ["missing.csv"], [large, large]):
        assert count_early(inputs, None, "auto") == 0


def test_none_where_there_may_be_a_gpu(large, small, no_gpu, monkeypatch):
    monkeypatch.setattr(processes, "DEVICES_OF_GPUS", (small,))
    assert count_early([large], None, "auto") == 0
    assert count_early([large], None, "cpu") == 3


def test_no_more_than_the_size_of_the_file_is_worth(large, tmp_path, no_gpu):
    (tmp_path / "part.csv").write_bytes(Path(large).read_bytes()[: 2 * processes.BYTES_FOR_ONE + 1])
    assert count_early([str(tmp_path / "part.csv")], 16, "cpu") == 2


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ctrl_c_never_reaches_them():
    with started_early(1):
        status = Path(f"/proc/{processes._waiting[0].pid}/status").read_text()
    blocked = int(re.search(r"SigBlk:\s*(\w+)", status)[1], 16)
    assert blocked >> (signal.SIGINT - 1) & 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_processes_that_nobody_has_taken_end_with_the_block():
    with started_early(2):
        first, second = processes._waiting
        assert take_process() is second
    assert first.returncode is not None
    assert second.poll() is None
    end_process(second)
    assert processes._waiting == []


def test_a_process_that_has_ended_is_not_taken():
    with started_early(1):
        (dead,) = processes._waiting
        dead.kill()
        dead.wait()
        fresh = take_process()
        assert fresh is not dead
        end_process(fresh)


def test_a_process_that_waits_ends_with_its_input():
    process = take_process()
    process.stdin.close()
    assert process.wait(60) == 0
    end_process(process)


@pytest.mark.parametrize("command", ["predict", "embed"])
def test_a_command_starts_them_before_it_imports_torch(command, gcn, large, tmp_path):
    arguments = [command, str(gcn), large, "--num-workers", "2", "--device", "cpu", "--quiet", "--output"]
    code = [sys.executable, "-c", STARTS, *arguments, str(tmp_path / "early.csv")]
    found = subprocess.run(code, capture_output=True, text=True, check=True)
    assert found.stderr.split() == ["False"]
    arguments[4] = "0"
    main([*arguments, str(tmp_path / "alone.csv")])
    tables = [pd.read_csv(tmp_path / f"{name}.csv") for name in ("early", "alone")]
    pd.testing.assert_frame_equal(*tables, rtol=1e-4, atol=1e-4)
