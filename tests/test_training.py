"""The loop: passes, equal windows, resuming bit for bit, early stopping, lower precision."""

import dataclasses

import numpy as np
import pytest
import torch

import optim
import zoo
from zoo.recipe.options import TrainingOptions
from zoo.training.callbacks import Callback


class Killed(Exception):
    pass


class Killer(Callback):
    """Raises after a number of steps, as a killed process would."""

    def __init__(self, step):
        self.step = step

    def on_step_end(self, run):
        if run.step == self.step:
            raise Killed


class Recorder(Callback):
    def __init__(self):
        self.losses, self.passes = [], []

    def on_step_end(self, run):
        self.losses.append(run.loss)
        self.passes.append(run.optimizer.passes)


def weights(learner):
    return {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize(("optimizer", "passes"), [("adam", 20), ("sam", 40), ("graphsam", 22)])
def test_passes_are_those_of_the_rule(small, grover, optimizer, passes):
    learner = grover(optimizer=optimizer)
    history = learner.fit(small.subset(range(80)), split=None, epochs=2, batch_size=8, progress=False)
    assert history.passes == passes
    assert [record.molecules for record in history.epochs] == [80, 80]


@pytest.mark.parametrize("optimizer", ["adam", "graphsam", "looksam", "ae_sam", "rst", "esam"])
@pytest.mark.parametrize("every", [None, 3], ids=["killed in an epoch", "checkpoints within epochs"])
def test_resumed_run_is_bit_equal(small, grover, tmp_path, optimizer, every):
    options = {"split": "random", "epochs": 3, "batch_size": 16, "progress": False, "checkpoint_every": every}
    model_args = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "dropout": 0.1}

    whole = grover(optimizer=optimizer, model_args=model_args)
    history = whole.fit(small, logdir=tmp_path / "whole", **options)

    broken = grover(optimizer=optimizer, model_args=model_args)
    with pytest.raises(Killed):
        broken.fit(small, logdir=tmp_path / "broken", callbacks=[Killer(13)], **options)
    resumed = grover(optimizer=optimizer, model_args=model_args)
    continued = resumed.fit(small, logdir=tmp_path / "broken", resume=True, **options)

    assert same(weights(whole), weights(resumed))
    ours, theirs = (
        [dataclasses.replace(e, seconds=0.0, cpu_seconds=0.0) for e in h.epochs] for h in (history, continued)
    )
    assert ours == theirs
    last = [zoo.checkpoint.read(tmp_path / name / "checkpoints" / "last") for name in ("whole", "broken")]
    states = [checkpoint.training_state()["optimizer"] for checkpoint in last]
    assert str(states[0]) == str(states[1])


def test_a_run_is_not_overwritten_and_not_mixed(small, grover, tmp_path):
    options = {"split": "random", "epochs": 1, "progress": False, "logdir": tmp_path / "run"}
    grover().fit(small, **options)
    with pytest.raises(zoo.runs.checkpoint.CheckpointError, match="holds a run already"):
        grover().fit(small, **options)
    with pytest.raises(zoo.runs.checkpoint.CheckpointError, match="another recipe"):
        grover().fit(small, resume=True, batch_size=8, **options)


def test_finished_run_resumes_to_itself(small, grover, tmp_path):
    options = {"split": "random", "epochs": 2, "progress": False, "logdir": tmp_path / "run"}
    first = grover()
    first.fit(small, **options)
    again = grover()
    history = again.fit(small, resume=True, **options)
    assert len(history.epochs) == 2
    assert same(weights(first), weights(again))


def test_accumulated_batches_equal_one_large_batch(small, grover):
    data = small.subset(range(64))
    results = []
    for options in ({"batch_size": 16, "accumulate": 2}, {"batch_size": 32}):
        learner = grover(model_args={"hidden_size": 16, "num_layers": 2, "num_heads": 2, "dynamic_depth": None})
        learner.model.double()
        learner.fit(data, split=None, epochs=2, schedule="constant", progress=False, **options)
        results.append(weights(learner))
    for name in results[0]:
        torch.testing.assert_close(results[0][name], results[1][name], rtol=1e-6, atol=1e-8)


def test_weights_of_the_best_epoch_are_kept(small, grover):
    class Spoil(Callback):
        """Makes the model useless before the last epoch ends."""

        def on_step_end(self, run):
            if run.epoch == 2:
                with torch.no_grad():
                    for parameter in run.model.parameters():
                        parameter.fill_(float("nan"))

    learner = grover()
    history = learner.fit(small, split="random", epochs=3, progress=False, callbacks=[Spoil()])
    assert history.best_epoch in (1, 2)
    assert "loss became nan" in history.diverged
    valid = learner.evaluate(history.split.valid)[history.metric]
    assert valid == pytest.approx(history.best)


def test_early_stopping_counts_epochs_since_the_best(small, grover):
    class Worse(Callback):
        def on_step_end(self, run):
            run.validate = lambda: {"roc_auc": 1.0 - 0.1 * run.epoch}

    history = grover().fit(
        small, split="random", epochs=9, batch_size=64, patience=2, progress=False, callbacks=[Worse()]
    )
    assert [record.epoch for record in history.epochs] == [1, 2, 3]


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("optimizer", ["adam", "sam", "graphsam"])
def test_lower_precision_trains(small, grover, precision, optimizer):
    learner = grover(optimizer=optimizer)
    recorder = Recorder()
    learner.fit(small, split=None, epochs=6, batch_size=64, precision=precision, progress=False, callbacks=[recorder])
    assert np.isfinite(recorder.losses).all()
    assert np.mean(recorder.losses[-3:]) < np.mean(recorder.losses[:3])
    assert all(p.dtype is torch.float32 for p in learner.model.parameters())


def test_clipping_bounds_the_updating_gradient(small, grover):
    norms = []

    class Norms(Callback):
        def on_step_end(self, run):
            total = torch.stack([p.grad.norm() for p in run.model.parameters() if p.grad is not None]).norm()
            norms.append(float(total))

    grover(optimizer="graphsam").fit(
        small, split=None, epochs=1, max_grad_norm=0.1, progress=False, callbacks=[Norms()]
    )
    assert max(norms) <= 0.1 + 1e-5


def test_esam_chooses_molecules(small, grover):
    learner = grover(optimizer="esam")
    recorder = Recorder()
    learner.fit(small, split=None, epochs=1, progress=False, callbacks=[recorder])
    assert recorder.passes[-1] == 2 * len(recorder.passes)
    assert isinstance(learner.optimizer, optim.ESAM)


@pytest.mark.parametrize("optimizer", ["adam", "graphsam"])
def test_every_closure_knows_the_loss_of_each_molecule(small, grover, optimizer, monkeypatch):
    """Mean over the labels of a molecule; the loop does not ask which rule wants it."""
    learner, found = grover(optimizer=optimizer), []
    learner.model.eval()
    step = optim.SharpnessAware.step

    def watched(self, closure, **options):
        assert isinstance(closure, optim.ChoosesSamples)
        closure()
        found.append((closure.losses, closure.per_sample(), closure(torch.tensor([0, 2]))))
        return step(self, closure, **options)

    monkeypatch.setattr(optim.Unperturbed if optimizer == "adam" else optim.GraphSAM, "step", watched)
    learner.fit(small, split=None, epochs=1, progress=False)
    for losses, again, of_two in found:
        torch.testing.assert_close(losses, again)
        assert of_two.item() == pytest.approx(losses[[0, 2]].mean().item(), rel=1e-4)


def test_ae_sam_knows_the_length_of_the_run(small, grover):
    learner = grover(optimizer="ae_sam")
    learner.fit(small, split=None, epochs=2, progress=False)
    assert learner.optimizer.horizon == learner.optimizer.steps
    assert learner.optimizer.threshold == pytest.approx(learner.optimizer.lambda_1)


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "graphsam"])
def test_the_base_is_fused_unless_an_option_says_otherwise(grover, optimizer):
    assert grover(optimizer=optimizer).optimizer.param_groups[0]["fused"] is True
    other = grover(optimizer=optimizer, optimizer_args={"foreach": True}).optimizer
    assert other.param_groups[0]["foreach"] is True
    assert not other.param_groups[0]["fused"]


def test_regression_is_scaled_and_predicted_in_its_own_unit(small, grover):
    data = zoo.data.load((small.smiles, np.array([float(len(s)) for s in small.smiles]) * 100 + 5000))
    learner = zoo.build("grover", dataset=data, model_args={"hidden_size": 16, "num_layers": 2, "num_heads": 2})
    history = learner.fit(data, split="random", epochs=2, progress=False)
    assert learner.predict(data.smiles).mean() == pytest.approx(data.targets.mean(), rel=0.3)
    assert history.metric == "rmse"


def test_options_out_of_range_are_named(small, grover):
    with pytest.raises(TypeError, match="no field 'epoch'"):
        grover().fit(small, epoch=3)
    assert TrainingOptions(patience=3).patience == 3
    with pytest.raises(ValueError, match="patience=0"):
        grover().fit(small, patience=0, progress=False)


def test_task_count_that_does_not_fit(small, grover):
    with pytest.raises(ValueError, match=r"has 1 classification task.*built for 3 classification.*num_tasks=1"):
        grover(num_tasks=3).fit(small)


class Rates(Callback):
    """Records the learning rates that each step was made with."""

    def __init__(self):
        self.rates = []

    def on_fit_start(self, run):
        self.on_step_end(run)

    def on_step_end(self, run):
        self.rates.append([group["lr"] for group in run.optimizer.param_groups])


@pytest.mark.parametrize(
    ("schedule", "rule", "encoder_rate"),
    [
        ("noam", None, 1e-4),
        ("noam", None, 2e-3),
        ("noam", None, 0.0),
        ("noam", "graphsam", 1e-4),
        ("constant", "graphsam", 1e-4),
    ],
)
def test_each_parameter_group_keeps_its_own_rate(small, grover, schedule, rule, encoder_rate):
    head_rate = 1e-3
    model = grover().model
    parts = [{"params": model.encoder.parameters(), "lr": encoder_rate}, {"params": model.head.parameters()}]
    optimizer = torch.optim.Adam(parts, lr=head_rate)
    if rule:
        optimizer = optim.GraphSAM(optimizer, rho=0.05)
    learner, rates = zoo.build(model, optimizer=optimizer, featurizer="grover"), Rates()
    before, few = [p.clone() for p in model.encoder.parameters()], small.subset(range(24))
    learner.fit(
        few, split=None, epochs=2, batch_size=8, warmup_epochs=1, schedule=schedule, progress=False, callbacks=[rates]
    )
    encoder, head = np.array(rates.rates).T
    expected = 1.0 if schedule == "constant" else 0.1
    np.testing.assert_allclose([encoder[0], head[0]], [encoder_rate * expected, head_rate * expected])
    np.testing.assert_allclose(encoder, head * encoder_rate / head_rate)
    assert max(head) == pytest.approx(head_rate)
    still = all(torch.equal(p, old) for p, old in zip(model.encoder.parameters(), before, strict=True))
    assert still == (encoder_rate == 0)


def test_a_run_killed_between_its_first_best_and_its_first_last_starts_again_from_its_first_weights(
    small, grover, tmp_path, monkeypatch
):
    options = {"split": "random", "epochs": 2, "batch_size": 64, "progress": False}
    whole = grover()
    whole.fit(small, logdir=tmp_path / "whole", **options)

    def write_best_only(checkpointing, name, run):
        original(checkpointing, name, run)
        raise Killed

    original = zoo.callbacks.Checkpointing.write
    monkeypatch.setattr(zoo.callbacks.Checkpointing, "write", write_best_only)
    with pytest.raises(Killed):
        grover().fit(small, logdir=tmp_path / "broken", **options)
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "broken" / "checkpoints").iterdir()] == ["best"]
    resumed = grover()
    resumed.fit(small, logdir=tmp_path / "broken", resume=True, **options)
    assert same(weights(whole), weights(resumed))
