from __future__ import annotations

import dataclasses
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.invented_rows import invented

from zoo.experiments import ResultsStore, Sweep
from zoo.experiments.sweep import workers
from zoo.experiments.sweep.execute import execute

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
STUCK = """
import sys
from zoo.experiments import ResultsStore, Sweep
from zoo.experiments.sweep import workers

def stuck(run):
    print("started", flush=True)
    sys.stdin.read()

sweep = Sweep.read(sys.argv[1])
workers.work(sweep.runs(), ResultsStore(sys.argv[2]), stuck)
"""


def test_a_run_gives_everything_that_a_row_holds():
    sweep = Sweep.parse(TINY + "eigenvalue_molecules: 4")
    row = execute(sweep.runs()[0])
    assert (row.state, row.reason, row.metric, row.epochs, row.split) == ("finished", None, "roc_auc", 1, "random")
    assert 0 <= row.test <= 1
    assert row.steps == row.passes == 1
    assert row.molecules_per_second > 0
    assert row.wall_seconds > row.seconds > 0
    assert row.hessian_eigenvalue is not None
    assert row.recipe["data"]["source"] == "b3db"
    assert "data_dir" not in row.recipe["data"]
    assert row.split_report["parts"]["train"]["size"] == 32
    assert row.history[0]["valid"]
    assert row.versions["torch"]
    assert row.machine["cores"]


def test_a_failed_run_is_a_row_with_one_line():
    run = next(run for run in Sweep.parse(TINY).runs() if run.optimizer == "broken")
    row = execute(run)
    assert (row.state, row.reason) == ("failed", "ValueError: Invalid learning rate: -1")


def test_two_processes_share_the_runs_and_a_second_start_repeats_none(store):
    sweep = Sweep.parse(TINY.replace("  adam:\n", ""))
    lines: list[str] = []
    tally = workers.run_sweep(sweep, store, workers=2)
    assert (tally.finished, tally.failed, tally.open) == (2, 2, 0)
    assert sorted(row.run for row in store.rows()) == sorted(run.key for run in sweep.runs())
    assert not store.claims.exists()
    workers.run_sweep(sweep, store, report=lines.append)
    assert lines == []
    workers.run_sweep(sweep, store, report=lines.append, retry_failed=True)
    assert len(lines) == 2
    assert all("failed: ValueError" in line for line in lines)


def test_the_run_of_a_killed_worker_is_done_by_another(sweep, store, tmp_path):
    specification = tmp_path / "sweep.yaml"
    specification.write_text(sweep.text)
    command = [sys.executable, "-c", STUCK, str(specification), str(store.path)]
    root = Path(__file__).resolve().parents[2]
    runs, done = sweep.runs(), []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root) as worker:
        assert worker.stdout.readline() == "started\n"

        def do(run):
            done.append(run.key)
            return invented(run)

        other = threading.Thread(target=workers.work, args=(runs, store, do))
        other.start()
        other.join(1.0)
        worker.kill()
        other.join(60)
    assert sorted(done) == sorted(run.key for run in runs)
    assert done[-1] == runs[0].key
    assert store.deaths(runs[0].key) == 1


def test_a_run_that_kills_its_workers_is_given_up(sweep, store):
    run = sweep.runs()[0]
    for _ in range(workers.MOST_DEATHS):
        store.note_event(run.key, "started")
    workers.work([run], store, pytest.fail)
    assert store.rows()[0].reason == "its worker died 3 times (out of memory?)"


def test_stopping_by_hand_does_not_count_as_a_death(sweep, store):
    def stopped(run):
        raise KeyboardInterrupt

    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            workers.work(sweep.runs(), store, stopped)
    assert store.deaths(sweep.runs()[0].key) == 0
    assert store.rows() == []


def test_a_run_that_another_finished_meanwhile_is_not_done_again(sweep, store):
    run = sweep.runs()[0]
    store.append(dataclasses.replace(invented(run)))
    workers.work([run], store, pytest.fail)
    assert len(store.rows()) == 1


def test_worker_numbers_below_one_are_refused(sweep, store):
    with pytest.raises(ValueError, match="workers=0"):
        workers.run_sweep(sweep, ResultsStore(store.path), workers=0)
