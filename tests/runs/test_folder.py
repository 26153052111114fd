"""The run folder: states, claims, one event file, nothing written too early, JSON without NaN."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zoo.experiments import experiment
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs import json_files, locks
from zoo.runs.checkpoint import CheckpointError
from zoo.runs.folder import RunFolder
from zoo.runs.lifetime import Stopped, hold_signals, stop_on_signals
from zoo.runs.log import RunLog
from zoo.runs.state import RunState
from zoo.training.callbacks import Callback

ROOT = Path(__file__).resolve().parents[2]
GCN = Recipe(
    "gcn",
    featurizer="canonical",
    model_args={"hidden_size": 8, "num_layers": 1},
    data=DataOptions(split="random"),
    training=TrainingOptions(epochs=2, batch_size=16),
)
HOLD = """
import sys
from zoo.runs.folder import RunFolder
folder = RunFolder(sys.argv[1])
assert folder.claim()
folder.set_state("running")
print("claimed", flush=True)
sys.stdin.read()
"""


class Stop(Callback):
    """Ends the run with an error after the first epoch."""

    def __init__(self, error):
        self.error = error

    def on_epoch_end(self, run, record):
        raise self.error


@pytest.fixture(scope="module")
def few(b3db):
    return b3db.subset(range(0, len(b3db), 130))


def event_files(folder):
    return list(folder.glob("events.out.tfevents.*"))


def test_a_run_leaves_one_event_file_and_is_finished(few, tmp_path):
    outcome = experiment.run(GCN, dataset=few, folder=tmp_path / "run", progress=False)
    folder = RunFolder(tmp_path / "run")
    assert folder.state == RunState("finished")
    (file,) = event_files(folder.path)
    tags = EventAccumulator(str(file)).Reload().Tags()
    assert {"test/roc_auc", "train/epoch_loss", "best/valid_roc_auc"} <= set(tags["scalars"])
    assert {"test/roc", "test/worst_predictions"} <= set(tags["images"])
    assert folder.metrics["test"] == pytest.approx(outcome.test)
    assert folder.metrics["test_per_task"][few.task_names[0]]["roc_auc"] == pytest.approx(outcome.test["roc_auc"])
    assert len(folder.read_history()) == 2
    assert folder.facts["wall_seconds"] > 0


def test_an_interrupted_run_continues_its_event_file(few, tmp_path):
    whole = experiment.run(GCN, dataset=few, folder=tmp_path / "whole", progress=False)
    with pytest.raises(RuntimeError):
        experiment.run(
            GCN, dataset=few, folder=tmp_path / "broken", progress=False, callbacks=[Stop(RuntimeError("no luck"))]
        )
    assert RunFolder(tmp_path / "broken").state == RunState("failed", "RuntimeError: no luck")
    experiment.run(GCN, dataset=few, folder=tmp_path / "broken", progress=False, resume=True)
    assert RunFolder(tmp_path / "broken").state == RunState("finished")
    found = []
    for name in ("whole", "broken"):
        (file,) = event_files(tmp_path / name)
        events = EventAccumulator(str(file)).Reload()
        found.append({tag: [(e.step, e.value) for e in events.Scalars(tag)] for tag in ("train/epoch_loss", "test/mae")
                      if tag in events.Tags()["scalars"]})  # fmt: skip
    assert found[0] == found[1]
    assert len(found[0]["train/epoch_loss"]) == len(whole.history.epochs)


def test_stopping_by_hand_is_no_failure(few, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        experiment.run(GCN, dataset=few, folder=tmp_path, progress=False, callbacks=[Stop(KeyboardInterrupt())])
    state = RunFolder(tmp_path).state
    assert (state.name, state.deaths) == ("open", 0)


def test_the_state_of_a_killed_process_is_open_with_a_death(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    folder = RunFolder(tmp_path)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout.readline() == "claimed\n"
        assert folder.state.name == "running"
        assert not folder.claim()
        with pytest.raises(CheckpointError, match="is locked: another process"):
            folder.open(GCN, None, None)
        process.kill()
    assert (folder.state.name, folder.state.deaths) == ("open", 1)
    assert folder.claim()
    assert folder.facts["deaths"] == 1


def test_waiting_for_a_lock_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PATIENCE", 0.05)
    first, second = RunFolder(tmp_path), RunFolder(tmp_path)
    first.claim()

    def say(line):
        assert "which another process has" in line
        assert str(tmp_path) in line
        first.release()

    assert second.claim(wait=True, say=say)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"training": TrainingOptions(monitor="rmse")}, "'rmse'"),
        ({"model_args": {"hiden": 3}}, "'hiden'"),
        ({"optimizer_args": {"lr": -1}}, "Invalid learning rate"),
        ({"data": DataOptions(split="scafold")}, "scafold"),
        ({"featurizer_args": {"nothing": 3}}, "'nothing'"),
    ],
)
def test_what_can_be_checked_is_checked_before_anything_is_written(few, tmp_path, monkeypatch, changes, message):
    monkeypatch.setattr("zoo.learners.predictor.Predictor.featurize_dataset", lambda *a, **k: pytest.fail("encoded"))
    with pytest.raises((ValueError, TypeError, LookupError), match=message):
        experiment.run(dataclasses.replace(GCN, **changes), dataset=few, folder=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_wrong_metric_is_found_before_anything_is_encoded(few, tmp_path):
    wrong = dataclasses.replace(few, metric="rmse")
    with pytest.raises(ValueError, match="'rmse' is not one for"):
        experiment.run(GCN, dataset=wrong, folder=tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_start_that_came_to_nothing_does_not_bar_the_next(few, tmp_path):
    class Early(Callback):
        def on_step_end(self, run):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        experiment.run(GCN, dataset=few, folder=tmp_path, progress=False, callbacks=[Early()])
    experiment.run(dataclasses.replace(GCN, seed=1), dataset=few, folder=tmp_path, progress=False)
    assert RunFolder(tmp_path).recipe.seed == 1
    (file,) = event_files(tmp_path)
    assert "best/valid_roc_auc" in EventAccumulator(str(file)).Reload().Tags()["scalars"]


def test_an_empty_recipe_file_does_not_bar_a_run(few, tmp_path):
    (tmp_path / "recipe.json").touch()
    folder = RunFolder(tmp_path)
    assert folder.recipe is None
    folder.open(GCN, few, None)
    assert folder.recipe == GCN


def test_only_complete_runs_have_hyperparameters(few, tmp_path):
    with pytest.raises(RuntimeError):
        experiment.run(GCN, dataset=few, folder=tmp_path, progress=False, callbacks=[Stop(RuntimeError("x"))])
    tags = EventAccumulator(str(tmp_path)).Reload().Tags()
    assert not [tag for tag in tags["scalars"] if tag.startswith("best/")]


def test_a_log_without_entries_makes_no_file(tmp_path):
    log = RunLog(tmp_path / "a")
    log.scalars({"nothing": float("nan"), "missing": None}, 1)
    log.close()
    assert not (tmp_path / "a").exists()
    RunLog(None).text("a", "b", 0)


def test_json_never_holds_nan_and_cut_files_are_missing_ones(tmp_path):
    file = tmp_path / "deep" / "a.json"
    json_files.write_json(file, {"a": [np.float32("nan"), float("inf"), np.int64(3)], "b": {"c": (1.5, None)}})
    assert json.loads(file.read_text()) == {"a": [None, None, 3], "b": {"c": [1.5, None]}}
    assert [path.name for path in file.parent.iterdir()] == ["a.json"]
    file.write_text('{"a": ')
    assert json_files.read_json(file) is None


def test_an_old_run_folder_has_a_state_too(tmp_path):
    assert RunFolder(tmp_path).state.name == "open"
    (tmp_path / "metrics.json").write_text("{}")
    assert RunFolder(tmp_path).state.name == "finished"
    assert RunFolder(tmp_path).split is None


def test_a_checkpoint_knows_its_run(tmp_path, monkeypatch):
    assert RunFolder.of(tmp_path / "checkpoints" / "best").path == tmp_path
    monkeypatch.chdir(tmp_path)
    assert RunFolder.of(".").path == tmp_path


def test_a_signal_that_arrives_in_a_destructor_is_not_lost():
    class Destroyed:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGTERM)

    def destroy_and_go_on():
        Destroyed()
        for _ in range(200):
            threading.Event().wait(0.05)

    with pytest.raises(Stopped), stop_on_signals():
        destroy_and_go_on()


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, Stopped), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_waits_until_an_entry_is_handed_over(tmp_path, monkeypatch, number, error):
    log = RunLog(tmp_path)
    log.scalars({"loss": 1.0}, 0)
    log.flush()
    notice = log.writer().file_writer.event_writer._async_writer._byte_queue.not_empty
    notify = notice.notify

    def notify_after_a_signal():
        os.kill(os.getpid(), number)
        notify()

    monkeypatch.setattr(notice, "notify", notify_after_a_signal)
    with pytest.raises(error), stop_on_signals():
        log.scalars({"loss": 2.0}, 1)
    monkeypatch.undo()
    closing = threading.Thread(target=log.close, daemon=True)
    closing.start()
    closing.join(10)
    assert not closing.is_alive()  # it would wait for the writer's next turn, up to two minutes
    (file,) = event_files(tmp_path)
    assert [event.value for event in EventAccumulator(str(file)).Reload().Scalars("loss")] == [1.0, 2.0]


def test_a_second_signal_does_not_wait():
    reached = []

    def ask_three_times():
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append(1)

    with pytest.raises(Stopped), stop_on_signals(), hold_signals():
        ask_three_times()
    assert reached == [1]


def test_a_command_that_is_asked_to_stop_leaves_an_open_run(tmp_path, b3db):
    few = b3db.subset(range(0, len(b3db), 130))
    few.to_frame().to_csv(tmp_path / "few.csv", index=False)
    command = [sys.executable, "-u", "-m", "zoo", "train", "--data", str(tmp_path / "few.csv"), "--model", "gcn"]
    command += ["--split", "random", "--epochs", "100000", "--output", str(tmp_path / "run")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        for line in process.stdout:
            if line.startswith("epoch"):
                process.send_signal(signal.SIGTERM)
                break
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "stopped by SIGTERM" in errors
    state = RunFolder(tmp_path / "run").state
    assert (state.name, state.reason, state.deaths) == ("open", "Stopped: SIGTERM", 0)
