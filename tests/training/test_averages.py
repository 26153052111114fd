"""Averaged weights and measurements of the ascent in the training loop."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import zoo
from zoo.runs import checkpoint


@pytest.fixture(scope="module")
def data():
    smiles = ["C" * n + end for n in range(1, 9) for end in ("O", "N")]
    return zoo.data.load((smiles, [len(s) + 0.1 * n for n, s in enumerate(smiles)]), task="regression")


def train(data, optimizer="adam", optimizer_args=None, epochs=4, **options):
    learner = zoo.build("gcn", optimizer=optimizer, dataset=data, optimizer_args={"lr": 0.01, **(optimizer_args or {})})
    history = learner.fit(data, split="random", epochs=epochs, batch_size=8, progress=False, **options)
    return learner, history


def weights(learner):
    return torch.cat([t.detach().double().reshape(-1) for t in learner.model.state_dict().values()])


@pytest.mark.parametrize("average", ["ema", "swa"])
def test_an_average_leaves_the_training_alone_and_is_kept(data, average):
    plain, without = train(data)
    averaged, history = train(data, average=average, average_start=0.4)
    assert [e.loss for e in history.epochs] == [e.loss for e in without.epochs]
    begun = [e for e in history.epochs if e.unaveraged]
    assert len(begun) == 3
    for mine, theirs in zip(history.epochs, without.epochs, strict=True):
        assert (mine.unaveraged or mine.valid) == theirs.valid
    assert any(e.valid != e.unaveraged for e in begun)
    assert not torch.equal(weights(averaged), weights(plain))
    table = history.to_frame()
    assert table["unaveraged_rmse"].notna().sum() == len(begun)


@pytest.mark.parametrize(
    ("average", "optimizer", "options"), [("ema", "adam", {}), ("swa", "graphsam", {"rise": 0.03, "gamma": 1.0})]
)
def test_a_resumed_average_is_bit_identical(data, tmp_path, average, optimizer, options):
    class CutOff(zoo.callbacks.Callback):
        def on_step_end(self, run):
            if run.step == 7:  # within an epoch, after the last checkpoint
                raise KeyboardInterrupt

    def run(**more):
        return train(data, optimizer, options, average=average, average_start=0.2, ascent_every=2, **more)

    whole, expected = run()
    with pytest.raises(KeyboardInterrupt):
        run(logdir=tmp_path / "cut", checkpoint_every=5, callbacks=[CutOff()])
    resumed, found = run(logdir=tmp_path / "cut", checkpoint_every=5, resume=True)
    assert torch.equal(weights(resumed), weights(whole))
    kept = [(e.valid, e.unaveraged, e.measured) for e in expected.epochs]
    assert [(e.valid, e.unaveraged, e.measured) for e in found.epochs] == kept


def test_best_holds_the_average_and_last_the_weights_to_train_on(data, tmp_path):
    learner, _ = train(data, average="ema", logdir=tmp_path)
    smiles = ["CCO", "CCCCN"]
    np.testing.assert_array_equal(zoo.load(tmp_path).predict(smiles), learner.predict(smiles))
    last = zoo.load(tmp_path / "checkpoints" / "last")
    assert not np.array_equal(last.predict(smiles), learner.predict(smiles))
    assert checkpoint.read(tmp_path / "checkpoints" / "last").training_state()["average"] is not None


def test_a_measured_ascent_changes_nothing_and_is_in_the_history(data):
    options = {"rho": 0.05, "gamma": 1.0, "beta": 0.0}
    plain, _ = train(data, "graphsam", options)
    watched, history = train(data, "graphsam", options, ascent_every=2)
    assert torch.equal(weights(plain), weights(watched))
    for record in history.epochs:
        assert -1 <= record.measured["ascent_cosine"] <= 1
        assert 0 <= record.measured["ascent_positive"] <= 1
    assert {"ascent_cosine", "ascent_rise", "ascent_positive"} <= set(history.to_frame().columns)
    assert "ascent_cosine" not in train(data, ascent_every=2)[1].to_frame()


def test_measurements_are_written_for_tensorboard(data, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    _, history = train(data, "sam", ascent_every=2, average="ema", logdir=tmp_path, epochs=2)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert {"sharpness/ascent_cosine", "sharpness/ascent_rise", "valid_unaveraged/rmse"} <= set(
        events.Tags()["scalars"]
    )
    assert len(events.Scalars("sharpness/ascent_cosine")) == -(-history.steps // 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"average": "mean"}, "average='mean': choose one of ema, swa"),
        ({"average_decay": 1.0}, "average_decay=1.0: give a number between 0 and 1"),
        ({"average_start": 1.0}, "average_start=1.0: give a share"),
        ({"ascent_every": 0}, "ascent_every=0: give at least 1 step"),
    ],
)
def test_impossible_options_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        zoo.recipe.TrainingOptions(**options)
