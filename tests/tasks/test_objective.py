"""Objectives: supervised, a model's own loss, and its parts."""

import numpy as np
import pytest
import torch

import zoo
from zoo.registry.catalog.targets import METRICS, TASKS
from zoo.tasks import Binary, Multiclass, Regression, Supervised, Task, objective_for
from zoo.training.callbacks import Callback

SMILES = ["C" * n for n in range(1, 31)]


def test_per_sample_losses_are_means_over_the_labels_of_a_molecule():
    scores, targets = torch.randn(5, 3), torch.randn(5, 3)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0], [0, 1, 1], [1, 1, 0]]).float()
    loss = Supervised(Regression()).of_scores(scores, targets, mask)
    squares = (scores - targets) ** 2
    expected = torch.stack(
        [squares[row][mask[row] > 0].mean() if mask[row].any() else torch.tensor(0.0) for row in range(5)]
    )
    torch.testing.assert_close(loss.per_sample, expected)
    torch.testing.assert_close(loss.total, squares[mask > 0].mean())
    assert loss.parts == {}


def test_cross_entropy_of_several_tasks_of_classes():
    task, scores = Multiclass(num_classes=3), torch.randn(4, 6)
    targets = torch.tensor([[0.0, 2.0], [1.0, 1.0], [2.0, 0.0], [0.0, 0.0]])
    found = task.elementwise_loss(scores, targets)
    for row in range(4):
        for column in range(2):
            logits = scores[row, 3 * column : 3 * column + 3].log_softmax(0)
            torch.testing.assert_close(found[row, column], -logits[int(targets[row, column])])
    torch.testing.assert_close(task.to_predictions(scores).sum(-1), torch.ones(4, 2))


class OwnLoss(torch.nn.Module):
    """A model in the style of plugins that define their loss themselves."""

    def elementwise_loss(self, scores, targets):
        return (scores - targets).abs()


def test_a_models_own_loss_takes_the_place_of_the_tasks():
    scores, targets, mask = torch.randn(4, 2), torch.randn(4, 2), torch.ones(4, 2)
    loss = objective_for(OwnLoss(), Regression()).of_scores(scores, targets, mask)
    torch.testing.assert_close(loss.total, (scores - targets).abs().mean())
    torch.testing.assert_close(loss.per_sample, (scores - targets).abs().mean(1))


def test_the_parts_of_grovers_loss_reach_the_run(grover):
    data = zoo.data.load((SMILES, [n % 2 for n in range(30)]))
    seen = []

    class Watch(Callback):
        def on_step_end(self, run):
            seen.append((run.loss, {name: float(part) for name, part in run.parts.items()}))

    grover(dataset=data).fit(data, split=None, epochs=1, progress=False, callbacks=[Watch()])
    for loss, parts in seen:
        assert parts.keys() == {"from_atom", "from_bond", "distance"}
        assert sum(parts.values()) == pytest.approx(loss, rel=1e-5)


def test_a_new_kind_of_target_is_one_class(tmp_path):
    with TASKS.restored(), METRICS.restored():

        @zoo.register_metric("worst_error", fits=["regression"], higher_is_better=False)
        def worst_error(targets, predictions, share=1.0):
            return np.quantile(np.abs(targets - predictions), share)

        @zoo.register_task("median", summary="A number: its median")
        class Median(Task):
            labels, default_metric, metrics, scaled = "numbers", "mae", ("worst_error", "rmse"), True

            def elementwise_loss(self, scores, targets):
                return (scores - targets).abs()

            def to_predictions(self, scores):
                return scores

        data = zoo.data.load((SMILES, np.arange(30.0)), task="median")
        assert data.metric == "mae"
        learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
        history = learner.fit(data, split="random", epochs=2, monitor="worst_error", progress=False)
        assert history.best == min(record.valid["worst_error"] for record in history.epochs)
        learner.save(tmp_path / "saved")
        again = zoo.load(tmp_path / "saved", device="cpu")
        np.testing.assert_array_equal(again.predict(SMILES), learner.predict(SMILES))
        assert set(learner.evaluate(data)) == {"mae", "rmse", "worst_error"}


def test_metrics_take_arguments_from_the_data_options():
    labels = [n % 2 for n in range(30)]
    strict = zoo.data.load((SMILES, labels), metric="accuracy", metric_args={"threshold": 2.0})
    learner = zoo.build("gcn", dataset=strict, model_args={"hidden_size": 8})
    assert learner.evaluate(strict)["accuracy"] == 0.5  # nothing reaches 2, half of the labels are 0


def test_names_of_one_kind_are_one_kind():
    data = zoo.data.load((SMILES, [n % 2 for n in range(30)]), task="binary")
    learner = zoo.build("gcn", task="classification", model_args={"hidden_size": 8})
    assert isinstance(learner.task, Binary)
    assert learner.check_dataset(data) is data
