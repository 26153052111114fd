"""What training chooses by itself: epochs, the metric that decides, and when to stop."""

import json

import numpy as np
import pytest
import torch

import zoo
from zoo.learners import molecule_reader
from zoo.recipe.options import TrainingOptions
from zoo.training.callbacks import Callback
from zoo.training.history import EpochRecord, History, old_history
from zoo.training.plan import choose_epochs, plan_training

SMILES = ["C" * n for n in range(1, 31)] + ["C" * n + "O" for n in range(1, 31)]
SMALL = {"hidden_size": 8, "ffn_hidden_size": 8}


def dataset(labels, names=("y",), task=None):
    columns = dict(zip(names, np.asarray(labels, float).reshape(len(names), -1), strict=True))
    return zoo.data.load({"smiles": SMILES, **columns}, tasks=list(names), task=task)


def gcn(data, **options):
    return zoo.build("gcn", dataset=data, model_args=SMALL, **options)


@pytest.fixture(scope="module")
def rare():
    """Three positives, none of them in the validation part."""
    labels = np.zeros(60)
    labels[[0, 10, 20]] = 1
    return dataset(labels)


@pytest.fixture(scope="module")
def parts(rare):
    rest = np.setdiff1d(np.arange(60), [0, 10, 20])
    return rare.split([[0, 10, *rest[:40]], rest[40:48], [20, *rest[48:]]])


def test_without_a_usable_metric_the_validation_loss_decides(rare, parts):
    history = gcn(rare).fit(rare, split=parts, epochs=4, progress=False)
    losses = [record.valid["loss"] for record in history.epochs]
    assert history.metric == "loss"
    assert history.best == min(losses)
    assert history.best_epoch == 1 + int(np.argmin(losses))
    assert "roc_auc has no value on the validation part (labels of one class only)" in history.notes[0]
    assert all("roc_auc" not in record.valid for record in history.epochs)
    json.dumps([record.valid for record in history.epochs], allow_nan=False)


def test_a_validation_part_without_labels_decides_nothing():
    labels = np.arange(60.0)
    labels[40:50] = np.nan
    data = dataset(labels)
    cut = data.split([range(40), range(40, 50), range(50, 60)])
    history = gcn(data).fit(data, split=cut, epochs=2, progress=False)
    assert (history.best_epoch, history.best) == (2, None)
    assert "no labels" in history.notes[0]


@pytest.mark.parametrize("monitor", ["loss", "mae", "r2"])
def test_other_metrics_decide_on_demand(monitor):
    data = dataset(np.arange(60.0))
    history = gcn(data).fit(data, split="random", epochs=3, monitor=monitor, progress=False)
    values = [record.valid[monitor] for record in history.epochs]
    assert history.metric == monitor
    assert history.best == (max if monitor == "r2" else min)(values)
    assert next(iter(history.epochs[0].valid)) == monitor


def test_unknown_monitors_are_found_before_anything_is_featurized(rare, parts, monkeypatch):
    monkeypatch.setattr(molecule_reader, "featurize", lambda *_, **__: pytest.fail("featurized"))
    with pytest.raises(ValueError, match=r"'rocauc' is not one for classification.*roc_auc.*or loss"):
        gcn(rare).fit(rare, split=parts, monitor="rocauc")


def test_epochs_follow_from_the_number_of_molecules():
    for molecules, epochs in ((240, 125), (903, 35), (6246, 10), (40_000, 10), (40, 200)):
        chosen, notes = choose_epochs(TrainingOptions(), molecules, validated=True)
        assert chosen.epochs == epochs
        assert chosen.patience == max(5, epochs // 4)
        assert f"{epochs} epochs" in notes[0]
    assert choose_epochs(TrainingOptions(patience=3), 240, validated=True)[0].patience == 3
    assert choose_epochs(TrainingOptions(), 240, validated=False)[0].patience is None


def test_epochs_that_were_asked_for_stay():
    options = TrainingOptions(epochs=2)
    assert choose_epochs(options, 240, validated=True) == (options, ())


def test_a_run_trains_the_epochs_of_its_plan(rare, parts):
    plan = plan_training(TrainingOptions(batch_size=32), parts.train, parts.valid)
    history = gcn(rare).fit(rare, split=parts, progress=False)
    assert plan.options.epochs == 200
    assert plan.options.patience == 50
    assert len(history.epochs) == min(200, history.best_epoch + 50)


def test_several_tasks_choose_the_epoch_by_comparable_units():
    lengths = np.array([len(smiles) for smiles in SMILES], float)
    data = dataset([lengths, np.sin(lengths) * 1e6], ("small", "large"))
    history = gcn(data).fit(data, split="random", epochs=4, progress=False)
    std = history.split.train.targets.std(axis=0)
    by_task = [record.per_task["rmse"] for record in history.epochs]
    scores = [(values["small"] / std[0] + values["large"] / std[1]) / 2 for values in by_task]
    assert [record.score for record in history.epochs] == pytest.approx(scores)
    assert history.best_epoch == 1 + int(np.argmin(scores))
    assert history.best == history.epochs[history.best_epoch - 1].valid["rmse"]
    assert {"valid_rmse[small]", "valid_rmse[large]", "valid_score"} <= set(history.to_frame().columns)


def record(epoch, value, unpredicted=0):
    numbers = {"loss": 1.0, "learning_rate": 0.1, "passes": 1, "steps": 1, "molecules": 1, "seconds": 1.0}
    return EpochRecord(epoch=epoch, valid={"roc_auc": value}, unpredicted=unpredicted, **numbers)


def test_fewer_predictions_are_never_better():
    history = History("roc_auc")
    assert [history.add(record(1, 0.69)), history.add(record(2, 1.0, unpredicted=3)), history.add(record(3, 0.7))] == [
        True,
        False,
        True,
    ]
    assert (history.best_epoch, history.best) == (3, 0.7)


def test_histories_that_count_from_zero_are_renumbered():
    rows = [{**record(0, 0.6).__dict__}, {**record(1, 0.7).__dict__}]
    history = History("roc_auc")
    history.load_state_dict(old_history(rows, [1, 0.7]))
    assert [each.epoch for each in history.epochs] == [1, 2]
    assert (history.best_epoch, history.best) == (2, 0.7)
    again = History("roc_auc")
    again.load_state_dict(history.state_dict())
    assert again == history


class Spoil(Callback):
    """Makes the weights useless from an epoch on."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_step_end(self, run):
        if run.epoch + 1 >= self.epoch:
            with torch.no_grad():
                for parameter in run.model.parameters():
                    parameter.fill_(float("nan"))


def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    data = dataset(np.arange(60.0))
    learner = gcn(data)
    with pytest.warns(UserWarning, match=r"training stopped, the weights of epoch \d are kept"):
        history = learner.fit(data, split="random", epochs=6, logdir=tmp_path, callbacks=[Spoil(3)], progress=False)
    assert len(history.epochs) == 2
    assert "training loss became nan" in history.diverged
    assert "lower the learning rate" in history.diverged
    kept = zoo.load(tmp_path, device="cpu")
    np.testing.assert_array_equal(kept.predict(SMILES), learner.predict(SMILES))
    assert np.isfinite(kept.predict(SMILES)).all()
    last = zoo.checkpoint.read(tmp_path / "checkpoints" / "last")
    assert last.training_state()["progress"]["epoch"] == 2


def test_a_molecule_with_an_extreme_label_is_hinted_at():
    data = dataset(np.arange(60.0))
    learner = gcn(data)

    class Poison(Callback):
        def on_fit_start(self, run):
            run.loader._targets = run.loader._targets.copy()
            run.loader._targets[3] = np.inf

    with pytest.warns(UserWarning, match=r"1 of \d+ molecules have no finite loss"):
        learner.fit(data, split="random", epochs=2, callbacks=[Poison()], progress=False)


@pytest.mark.parametrize("model", ["gcn", "random_forest", "gradient_boosting"])
@pytest.mark.parametrize(("unit", "offset"), [(1e-25, 0.0), (1e19, 0.0), (1.0, 1e9)])
def test_models_learn_labels_of_any_size(model, unit, offset):
    lengths = np.array([len(smiles) for smiles in SMILES], float)
    found = []
    for labels in (lengths, lengths * unit + offset):
        data = dataset(labels, task="regression")
        learner = zoo.build(model, dataset=data, model_args=SMALL if model == "gcn" else {"num_trees": 20})
        history = learner.fit(data, split="random", epochs=6, progress=False)
        with np.errstate(all="ignore"):
            found.append(learner.evaluate(history.split.train))
    # The labels differ by rounding, which six epochs of Adam enlarge.
    assert found[1]["r2"] == pytest.approx(found[0]["r2"], abs=2e-2)
    assert found[1]["rmse"] / unit == pytest.approx(found[0]["rmse"], rel=2e-2)
