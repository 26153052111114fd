from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from zoo.experiments import ResultsFolder, Sweep
from zoo.experiments.sweep import workers
from zoo.experiments.sweep.execute import execute
from zoo.experiments.sweep.rows import row_of, to_frame
from zoo.runs import lifetime

TINY = """
seeds: [0, 1]
split: random
models:
  grover: {args: {hidden_size: 8, num_layers: 2}}
  random_forest: {args: {num_trees: 5, num_jobs: 1}}
optimizers:
  adam:
  broken: {name: adam, args: {lr: -1}}
datasets: {b3db: {max_molecules: 40}}
training: {epochs: 1}
"""
WORK = """
import sys
from zoo.experiments import ResultsFolder, Sweep
from zoo.experiments.sweep import workers

def stuck(run, folder):
    with folder.running():
        folder.note(planned=run.to_plan())
        folder.set_state("running")
        print("started", flush=True)
        sys.stdin.read()

sweep = Sweep.read(sys.argv[1])
with workers.stop_on_signals():
    workers.work(sweep.runs(), ResultsFolder(sys.argv[2]), stuck)
"""
PARENT = """
import sys, time
from zoo.experiments import ResultsFolder, Sweep
from zoo.experiments.sweep import workers

def stuck(run, folder):
    print("worker", workers.os.getpid(), flush=True)
    time.sleep(600)

if __name__ == "__main__":
    sweep = Sweep.read(sys.argv[1])
    workers.start_workers(2, (sweep.runs(), ResultsFolder(sys.argv[2]), stuck))
"""
ROOT = Path(__file__).resolve().parents[2]


def finish(run, folder):
    """Ends a run without doing it."""
    folder.note(planned=run.to_plan())
    folder.set_state("finished")


@pytest.fixture
def specification(sweep, tmp_path):
    path = tmp_path / "sweep.yaml"
    path.write_text(sweep.text)
    return path


def started(code, *arguments):
    command = [sys.executable, *(["-c", code] if code else []), *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def test_a_run_gives_everything_that_a_row_holds(results):
    sweep = Sweep.parse(TINY + "eigenvalue_molecules: 4")
    run = sweep.runs()[0]
    execute(run, results.folder(run))
    row = row_of(results.folder(run))
    assert (row.state, row.reason, row.metric, row.epochs, row.split) == ("finished", None, "roc_auc", 1, "random")
    assert (row.run, row.model, row.optimizer, row.dataset, row.seed) == (run.key, "grover", "adam", "b3db", 0)
    assert 0 <= row.test <= 1
    assert row.steps == row.passes == 1
    assert row.molecules_per_second > 0
    assert row.wall_seconds > row.seconds > 0
    assert row.hessian_eigenvalue is not None
    assert row.recipe["data"]["source"] == "b3db"
    assert "data_dir" not in row.recipe["data"]
    assert row.split_report["parts"]["train"]["size"] == 32
    assert row.history[0]["valid"]["roc_auc"] is not None
    assert row.versions["torch"]
    assert row.machine["cores"]


def test_the_run_of_a_sweep_is_a_run_folder_like_any_other(results, capsys):
    from zoo.commands.main import main

    run = Sweep.parse(TINY).runs()[0]
    execute(run, results.folder(run))
    folder = results.folder(run)
    assert {
        "recipe.json",
        "split.json",
        "metrics.json",
        "history.csv",
        "test_predictions.csv",
        "run.json",
        "test.png",
    } <= {path.name for path in folder.path.iterdir()}
    main(["evaluate", str(folder.path)])
    assert f"roc_auc {folder.metrics['test']['roc_auc']:.4f}" in capsys.readouterr().out


def test_a_failed_run_is_a_row_with_one_line(results):
    run = next(run for run in Sweep.parse(TINY).runs() if run.optimizer == "broken")
    execute(run, results.folder(run))
    row = row_of(results.folder(run))
    assert (row.state, row.reason) == ("failed", "ValueError: Invalid learning rate: -1")
    assert (row.model, row.optimizer, row.split) == ("grover", "broken", "random")


def test_two_processes_share_the_runs_and_a_second_start_repeats_none(results):
    sweep = Sweep.parse(TINY.replace("  adam:\n", ""))
    lines: list[str] = []
    tally = workers.run_sweep(sweep, results, workers=2)
    assert (tally.finished, tally.failed, tally.open) == (2, 2, 0)
    assert sorted(row.run for row in results.rows()) == sorted(run.key for run in sweep.runs())
    workers.run_sweep(sweep, results, report=lines.append)
    assert lines == []
    workers.run_sweep(sweep, results, report=lines.append, retry_failed=True)
    assert len(lines) == 2
    assert all("failed: ValueError" in line for line in lines)


def test_the_first_to_finish_leaves_the_claims_of_the_others(sweep, results, specification):
    done = []
    with started(WORK, specification, results.path) as other:
        assert other.stdout.readline() == "started\n"
        runs = sweep.runs()
        for _ in range(2):  # a sweep that ends here, and one that is started meanwhile
            workers.work(runs[1:], results, lambda run, folder: (done.append(run.key), finish(run, folder)))
        assert results.folder(runs[0]).state.name == "running"
        assert not results.folder(runs[0]).claim()
        other.kill()
    assert sorted(done) == sorted(run.key for run in runs[1:])


def test_the_run_of_a_killed_worker_is_done_by_another(sweep, results, specification):
    runs, done = sweep.runs(), []
    with started(WORK, specification, results.path) as worker:
        assert worker.stdout.readline() == "started\n"

        def do(run, folder):
            done.append((run.key, folder.state.deaths))
            finish(run, folder)

        other = threading.Thread(target=workers.work, args=(runs, results, do, lambda line: None))
        other.start()
        other.join(0.5)
        worker.kill()
        other.join(60)
    assert sorted(key for key, _ in done) == sorted(run.key for run in runs)
    assert done[-1] == (runs[0].key, 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_being_asked_to_stop_is_no_death(sweep, results, specification, number):
    with started(WORK, specification, results.path) as worker:
        assert worker.stdout.readline() == "started\n"
        worker.send_signal(number)
        assert worker.wait(60) == 128 + number
    state = results.folder(sweep.runs()[0]).state
    assert (state.name, state.deaths) == ("open", 0)
    assert results.rows() == []


def test_a_run_that_kills_its_workers_is_given_up(sweep, results):
    run = sweep.runs()[0]
    results.folder(run).set_state("open", deaths=workers.MOST_DEATHS)
    workers.work([run], results, pytest.fail)
    (row,) = results.rows()
    assert (row.run, row.reason) == (run.key, "its worker died 3 times (out of memory?)")


def test_workers_end_with_their_parent(results, specification, tmp_path):
    script = tmp_path / "parent.py"  # workers import the functions of a file
    script.write_text(PARENT)
    with started(None, script, specification, results.path) as parent:
        pids = [int(parent.stdout.readline().split()[1]) for _ in range(2)]
        parent.kill()
        deadline = time.monotonic() + 30
        while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
def test_a_suspended_process_is_noticed():
    with started("import sys; print('started', flush=True); sys.stdin.read()") as process:
        process.stdout.readline()
        assert not lifetime.is_suspended(process.pid)
        os.kill(process.pid, signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)
        assert lifetime.is_suspended(process.pid)
        process.kill()


def test_a_run_that_another_finished_meanwhile_is_not_done_again(filled, sweep):
    workers.work(sweep.runs(), filled, pytest.fail)
    assert len(to_frame(filled.rows())) == len(sweep.runs())


def test_runs_on_some_data_sets_leave_the_others_open(tmp_path):
    sweep = Sweep.parse(
        "models: {random_forest: {args: {num_trees: 5, num_jobs: 1}}}\n"
        "datasets: {few: {name: b3db, max_molecules: 60}, more: {name: b3db, max_molecules: 80}}"
    )
    results = ResultsFolder(tmp_path)
    assert str(workers.run_sweep(sweep, results, datasets=["more"])) == "1 finished, 0 failed, 0 open"
    assert str(workers.count(sweep.runs(), results)) == "1 finished, 0 failed, 1 open"
    assert [row.dataset for row in results.rows()] == ["more"]
    with pytest.raises(ValueError, match="no data set 'fw': choose among few, more"):
        workers.run_sweep(sweep, results, datasets=["fw"])


def test_worker_numbers_below_one_are_refused(sweep, results):
    with pytest.raises(ValueError, match="workers=0"):
        workers.run_sweep(sweep, results, workers=0)
