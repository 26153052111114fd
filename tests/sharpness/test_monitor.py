"""Sharpness over the epochs of a run."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
from zoo.learners.watchers import watchers
from zoo.recipe.options import TrainingOptions
from zoo.sharpness import SharpnessMonitor, monitor
from zoo.training.callbacks import Callback

WATCHED = "sharpness/largest_eigenvalue", "sharpness/loss_rise", "sharpness/random_rise", "sharpness/trace"


@pytest.fixture
def train(dataset):
    """Trains a small GROVER with dropout for four epochs of three steps; gives the learner and its history."""

    def run(**options):
        args = {"hidden_size": 8, "num_layers": 2, "dropout": 0.2}
        learner = zoo.build("grover", optimizer="graphsam", model_args=args, device="cpu")
        options = {"split": "random", "epochs": 4, "batch_size": 4, "progress": False} | options
        return learner, learner.fit(dataset, **options)

    return run


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values that TensorBoard shows, without times and without what is not a number."""
    events = EventAccumulator(str(folder)).Reload()
    names = [name for name in events.Tags()["scalars"] if "per_second" not in name]
    return {name: [(e.step, e.value) for e in events.Scalars(name) if not math.isnan(e.value)] for name in names}


def same_weights(a, b) -> bool:
    return all(torch.equal(p, q) for p, q in zip(a.model.parameters(), b.model.parameters(), strict=True))


def test_the_monitor_watches_without_changing_the_run(train, tmp_path) -> None:
    watcher = SharpnessMonitor(every=2, max_molecules=6, directions=1, stochastic=True)
    watched, _ = train(callbacks=[watcher], logdir=tmp_path / "watched")
    state = torch.get_rng_state()
    alone, _ = train(logdir=tmp_path / "alone")
    assert same_weights(watched, alone)
    assert torch.equal(state, torch.get_rng_state())
    assert sorted(watcher.reports) == [2, 4]
    shown = scalars(tmp_path / "watched")
    assert shown["sharpness/loss_rise"] == [(6, watcher.reports[2].loss_rise), (12, watcher.reports[4].loss_rise)]
    assert len(shown["sharpness/largest_eigenvalue"]) == len(shown["sharpness/trace"]) == 2


def test_impossible_monitors() -> None:
    with pytest.raises(ValueError, match="every=0"):
        SharpnessMonitor(every=0)
    with pytest.raises(TypeError, match="probes"):
        SharpnessMonitor(probes=3)


def test_the_option_shows_sharpness_and_changes_nothing_else(train, tmp_path, capsys) -> None:
    watched, _ = train(sharpness_every=3, logdir=tmp_path / "watched", progress=None)
    state = torch.get_rng_state()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("sharpness")]
    alone, _ = train(logdir=tmp_path / "alone")
    assert same_weights(watched, alone)
    assert torch.equal(state, torch.get_rng_state())
    shown, plain = scalars(tmp_path / "watched"), scalars(tmp_path / "alone")
    assert {name: values for name, values in shown.items() if name not in WATCHED} == plain
    assert all([step for step, _ in shown[name]] == [9, 12] for name in WATCHED)  # after the third and the last epoch
    values = zip(shown[WATCHED[0]], shown[WATCHED[1]], strict=True)
    assert lines == [
        f"sharpness  largest Hessian eigenvalue {curvature:.4g}  loss rise {rise:.4g} (rho 0.05)"
        for (_, curvature), (_, rise) in values
    ]


@pytest.mark.parametrize("checkpoint_every", [None, 2])
def test_a_resumed_run_shows_what_a_whole_one_shows(train, tmp_path, checkpoint_every) -> None:
    class Killer(Callback):
        def on_step_end(self, run) -> None:
            if run.step == 9:
                raise KeyboardInterrupt

    options = {"sharpness_every": 2, "log_every": 1, "checkpoint_every": checkpoint_every}
    whole, _ = train(logdir=tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        train(logdir=tmp_path / "broken", callbacks=[Killer()], **options)
    resumed, _ = train(logdir=tmp_path / "broken", resume=True, **options)
    assert same_weights(whole, resumed)
    assert scalars(tmp_path / "broken") == scalars(tmp_path / "whole")


def test_the_epoch_at_which_training_stops_early_is_the_last(train, tmp_path) -> None:
    class Worse(Callback):
        def on_step_end(self, run) -> None:
            run.validate = lambda: {"roc_auc": -float(run.epoch)}

    _, history = train(sharpness_every=4, patience=2, logdir=tmp_path, callbacks=[Worse()])
    assert len(history.epochs) == 3
    assert [step for step, _ in scalars(tmp_path)["sharpness/loss_rise"]] == [9]


def test_measuring_is_no_training_time(train, tmp_path, monkeypatch) -> None:
    clock = SimpleNamespace(now=0.0)
    measured = monitor.measure_surface

    def slow(*args, **options):
        clock.now += 100.0
        return measured(*args, **options)

    monkeypatch.setattr(monitor, "measure_surface", slow)
    monkeypatch.setattr("time.perf_counter", lambda: clock.now)
    _, history = train(sharpness_every=2, logdir=tmp_path)
    assert clock.now == 200.0
    assert history.seconds == 0.0


def test_a_measurement_that_fails_costs_nothing_but_itself(train, tmp_path, monkeypatch) -> None:
    def failing(*args, **options):
        raise ValueError("0 of 1 eigenvalues converged")

    monkeypatch.setattr(monitor, "measure_surface", failing)
    with pytest.warns(UserWarning, match="no sharpness after epoch 4: 0 of 1 eigenvalues converged"):
        _, history = train(sharpness_every=4, logdir=tmp_path)
    assert len(history.epochs) == 4
    assert "sharpness/loss_rise" not in scalars(tmp_path)


def test_where_nobody_sees_it_nothing_is_measured(tmp_path) -> None:
    options = TrainingOptions(sharpness_every=1)
    found = [
        any(isinstance(watcher, SharpnessMonitor) for watcher in watchers(options, logdir, progress))
        for logdir, progress in ((None, False), (None, None), (tmp_path, False))
    ]
    assert found == [False, True, True]
