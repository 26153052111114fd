"""Faults while a file is predicted: processes that end, hang or cannot start, full disks, damaged models."""

import os
import resource
import shutil
import signal
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from support.processes import children, end_in_time, wait_until

import zoo
from zoo.commands.main import main
from zoo.data import DataError
from zoo.inference import InferenceError, predict_file
from zoo.inference import chunks as chunks_module
from zoo.inference.team import Worker
from zoo.registry.catalog import MODELS

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
OPTIONS = {"chunk_size": 25, "progress": False}
UNGUARDED = """
import sys
from zoo.inference import predict_file

print("the script runs", flush=True)
print(predict_file(*sys.argv[1:], chunk_size=50, num_workers=2, progress=False))
"""


TEAM = """
import sys, time
from zoo.inference.job import Job, Piece
from zoo.inference.team import Team

with Team(Job(sys.argv[1], "cpu", 64), 2, 1800.0) as team:
    team.take(Piece(0, ["CCO"]))
    print("started", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def large(library, tmp_path):
    """20,000 rows."""
    rows = pd.concat([pd.read_csv(library)] * 80)
    rows.to_csv(tmp_path / "large.csv", index=False)
    return tmp_path / "large.csv"


def wait_for_children(process, number):
    wait_until(lambda: len(children(process.pid)) >= number)
    return children(process.pid)


@linux
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_workers_end_with_their_parent(number, gcn):
    process = subprocess.Popen([sys.executable, "-c", TEAM, str(gcn)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "started\n"
        workers = children(process.pid)
        assert len(workers) == 2
        os.kill(process.pid, number)
        assert process.wait(30) == -number
        assert end_in_time(workers)
    finally:
        process.kill()
        process.stdout.close()


@linux
@pytest.mark.parametrize("at_work", [False, True])
def test_a_command_that_is_asked_to_stop_leaves_no_process_and_no_lock(at_work, gcn, large, tmp_path):
    command = [sys.executable, "-m", "zoo", "predict", str(gcn), str(large), "--output", str(tmp_path / "out.csv")]
    process = subprocess.Popen([*command, "--num-workers", "2", "--chunk-size", "200", "--quiet"])
    try:
        workers = wait_for_children(process, 1)
        assert workers
        if at_work:
            assert wait_until((tmp_path / ".out.csv.parts").exists)
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        assert end_in_time(workers)
        assert {path.name for path in tmp_path.iterdir()} == {"large.csv", *([".out.csv.parts"] if at_work else [])}
    finally:
        process.kill()


@linux
def test_a_stopped_worker_is_reported_with_its_rows(gcn, library, tmp_path, monkeypatch):
    start = Worker.__init__

    def start_stopped(self, *arguments):
        start(self, *arguments)
        os.kill(self.process.pid, signal.SIGSTOP)

    monkeypatch.setattr(Worker, "__init__", start_stopped)
    with pytest.raises(
        InferenceError, match=r"no answer for 2 s .* at rows \d+ to \d+ .counted from 0. of .*library.csv"
    ):
        predict_file(gcn, library, tmp_path / "out.csv", num_workers=2, patience=2, **OPTIONS)
    assert not children(os.getpid()) & set(workers_of(os.getpid()))
    monkeypatch.undo()
    assert predict_file(gcn, library, tmp_path / "out.csv", num_workers=0, **OPTIONS).continued >= 25


def workers_of(parent):
    """Processes of a parent that predict."""
    for pid in children(parent):
        with open(f"/proc/{pid}/cmdline") as file:
            if "zoo.inference.worker" in file.read():
                yield pid


def test_a_killed_worker_is_reported(gcn, library, tmp_path, monkeypatch):
    start = Worker.__init__

    def start_killed(self, *arguments):
        start(self, *arguments)
        self.process.kill()

    monkeypatch.setattr(Worker, "__init__", start_killed)
    with pytest.raises(InferenceError, match=r"ended with status -9 .* at rows"):
        predict_file(gcn, library, tmp_path / "out.csv", num_workers=2, **OPTIONS)


def test_a_script_needs_no_guard(gcn, library, tmp_path):
    (tmp_path / "script.py").write_text(UNGUARDED)
    output = tmp_path / "out.csv"
    command = [sys.executable, str(tmp_path / "script.py"), str(gcn), str(library), str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("the script runs") == 1
    assert "rows=250" in done.stdout
    assert len(pd.read_csv(output)) == 250


def test_a_model_that_only_this_process_knows_is_predicted_here(library, tmp_path):
    from zoo.models.gcn import GCN, GCNConfig

    with MODELS.restored():

        @zoo.register_model("known_here", featurizer="canonical")
        class KnownHere(GCN):
            config_class = GCNConfig

        zoo.build("known_here").save(tmp_path / "model")
        with pytest.warns(UserWarning, match="cannot load the model"):
            summary = predict_file(tmp_path / "model", library, tmp_path / "out.csv", num_workers=2, **OPTIONS)
    assert (summary.rows, summary.failed) == (250, 7)


@pytest.mark.parametrize("where", ["chunks", "output"])
def test_a_full_disk_gets_one_line(where, gcn, library, tmp_path, monkeypatch):
    if where == "output":  # only that one is too large
        monkeypatch.setattr(chunks_module.np, "savez", tiny_savez)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, hard))
    try:
        with pytest.raises((InferenceError, DataError), match=r"out\.csv.* cannot be written \(File too large\): make"):
            predict_file(gcn, library, tmp_path / "out.csv", chunk_size=250, num_workers=0, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.glob("*.part"))
    assert not list(tmp_path.glob("**/*.unfinished"))


def tiny_savez(file, **arrays):
    np.savez_compressed(file, **arrays)


def test_damaged_weights_get_one_line(gcn, library, tmp_path, capsys):
    model = tmp_path / "model"
    shutil.copytree(gcn, model)
    weights = model / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(SystemExit) as stopped:
        main(["predict", str(model), str(library), "--output", str(tmp_path / "out.csv"), "--quiet"])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "model.safetensors is damaged" in said


def test_no_prediction_at_all_is_a_failure(gcn, tmp_path, capsys):
    (tmp_path / "bad.csv").write_text("smiles\nxx\nyy(\n")
    with pytest.raises(SystemExit, match="no row could be predicted: not a SMILES"):
        main(
            ["predict", str(gcn), str(tmp_path / "bad.csv"), "--output", str(tmp_path / "o.csv"), "--num-workers", "0"]
        )
    assert "2 without a prediction" in capsys.readouterr().out
    assert (tmp_path / "o.csv").exists()


@pytest.mark.parametrize("options", [{"batch_size": 0}, {"num_workers": -1}, {"patience": -1.0}])
def test_numbers_out_of_range_are_refused(options, gcn, library, tmp_path):
    with pytest.raises(InferenceError, match="at least"):
        predict_file(gcn, library, tmp_path / "out.csv", **options)
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_cannot_be_started_is_reported(gcn, library, tmp_path, monkeypatch):
    started, start = [], Worker.__init__

    def start_one(self, *arguments):
        if started:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        start(self, *arguments)
        started.append(self.process)

    monkeypatch.setattr(Worker, "__init__", start_one)
    with pytest.raises(InferenceError, match="no worker process can be started"):
        predict_file(gcn, library, tmp_path / "out.csv", num_workers=3, **OPTIONS)
    assert started[0].poll() is not None


def test_rows_that_crash_the_reader_cost_only_themselves(gcn, tmp_path):
    ring = f"C1{'C' * 700}1"  # large enough to be tried in a child of the worker
    rows = ["CCO", "[#119]", "[CH999999999]", "C" * 12_000, "CCN", ring]
    (tmp_path / "in.csv").write_text("smiles\n" + "\n".join(rows) + "\n")
    summary = predict_file(gcn, tmp_path / "in.csv", tmp_path / "out.csv", chunk_size=2, num_workers=2, progress=False)
    found = pd.read_csv(tmp_path / "out.csv", keep_default_na=False)
    assert (found["reason"] != "").tolist() == [False, True, True, True, False, False]
    assert (summary.rows, summary.failed) == (6, 3)
