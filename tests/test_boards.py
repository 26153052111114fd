"""TensorBoard pages about the test part, read back from the event files."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from zoo.data import MoleculeDataset
from zoo.experiments import experiment
from zoo.recipe.options import TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.log import RunLog
from zoo.training.history import EpochRecord, History
from zoo.views import drawings, plots
from zoo.views import tensorboard_pages as boards

SMILES = ["CCO", "c1ccccc1", "CCN", "CC(=O)O", "C1CCCCC1", "N#N"]


def dataset(task: str = "classification") -> MoleculeDataset:
    targets = np.array([[0, np.nan], [1, 5], [0, 30], [1, 10], [0, 20], [1, 20]], dtype=np.float32)
    if task == "classification":
        targets[:, 1] = [0, 0, np.nan, 0, 0, 0]
    return MoleculeDataset("six", SMILES, targets, ("a", "b"), task)


def with_log(folder, write, *arguments):
    log = RunLog(folder)
    write(log, *arguments)
    log.close()


def tags(folder) -> dict:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events.Tags()


def test_classification_has_roc_and_pr_curves_where_both_classes_are(tmp_path):
    with_log(tmp_path, boards.write_test_pages, dataset(), np.full((6, 2), 0.4, np.float32), 7)
    found = tags(tmp_path)
    assert set(found["images"]) == {"test/roc", "test/calibration", "test/worst_predictions"}
    assert found["tensors"] == ["test/a"]


def test_regression_has_a_parity_plot(tmp_path):
    with_log(tmp_path, boards.write_test_pages, dataset("regression"), np.zeros((6, 2), np.float32), 7)
    assert set(tags(tmp_path)["images"]) == {"test/parity", "test/worst_predictions"}


def test_each_task_of_a_regression_has_its_own_panel():
    figure = plots.quality(dataset("regression"), np.zeros((6, 2), np.float32))
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]
    assert [len(axes.collections[0].get_offsets()) for axes in figure.axes] == [6, 5]


def test_the_worst_come_first_and_missing_labels_and_predictions_never():
    predictions = np.array([[0.9, 0.1], [0.8, 0.0], [np.nan, 0.5], [0.3, 0.0], [0.2, 0.6], [0.9, 0.0]], np.float32)
    assert boards.worst(dataset(), predictions, most=3) == [(0, 0), (3, 0), (4, 1)]
    assert len(boards.worst(dataset(), predictions, most=50)) == 10


def test_errors_of_tasks_are_compared_in_their_own_spread():
    predictions = dataset("regression").targets.copy()
    predictions[1] += [0.9, 3.0]
    assert boards.worst(dataset("regression"), predictions, most=1) == [(1, 0)]


def test_without_anything_to_compare_nothing_is_drawn():
    assert boards.draw_worst(dataset(), np.full((6, 2), np.nan, np.float32)) is None


def test_drawings_show_something_and_differ():
    sprites = drawings.draw_sprites(SMILES[:3], size=32)
    assert sprites.shape == (3, 3, 32, 32)
    assert (sprites.min(axis=(1, 2, 3)) < 0.6).all()
    assert not np.array_equal(sprites[0], sprites[1])
    assert drawings.draw_grid(SMILES[:4], ["x"] * 4, columns=2).shape == (520, 640, 3)


def test_the_projector_gets_vectors_labels_and_drawings(tmp_path):
    predictions = np.full((6, 2), 0.25, np.float32)
    predictions[5] = np.nan
    with_log(tmp_path, boards.write_projector, dataset(), predictions, lambda smiles: np.ones((len(smiles), 4)), 7, 6)
    (folder,) = tmp_path.glob("00007/test")
    lines = (folder / "metadata.tsv").read_text().splitlines()
    assert lines[:2] == ["smiles\ta measured\ta predicted\tb measured\tb predicted", "CCO\t0\t0.25\t0\t0.25"]
    assert "CCN\t0\t0.25\tmissing\t0.25" in lines
    assert len(lines) == 6
    assert len((folder / "tensors.tsv").read_text().splitlines()) == 5
    assert (folder / "sprite.png").exists()


def test_the_epochs_of_a_short_run_are_whole_numbers():
    epochs = [EpochRecord(number, 1 / number, 1e-3, 4, 4, 100, 1.0, {"loss": 1 / number}) for number in (1, 2, 3)]
    figure = plots.learning_curve(History("loss", epochs, best_epoch=3, best=1 / 3))
    for axes in figure.axes:
        assert all(tick == round(tick) for tick in axes.get_xticks())


@pytest.mark.parametrize("number", [0, 1, 1025])
def test_impossible_numbers_of_molecules_are_refused(tmp_path, number):
    with pytest.raises(ValueError, match=f"projector={number}"):
        boards.write_projector(RunLog(tmp_path), dataset(), np.zeros((6, 2)), np.ones, 0, number)


def test_a_run_writes_them_and_the_projector_on_request(tmp_path, b3db):
    recipe = Recipe("gcn", featurizer="canonical", training=TrainingOptions(epochs=1))
    small = b3db.subset(range(0, 400, 5))
    experiment.run(recipe, dataset=small, folder=tmp_path / "run", progress=False, projector=5)
    assert {"test/roc", "test/worst_predictions"} <= set(tags(tmp_path / "run")["images"])
    assert list((tmp_path / "run").glob("*/test/sprite.png"))
    forest = dataclasses.replace(recipe, model="random_forest", featurizer="fingerprint")
    with pytest.raises(TypeError, match="'random_forest' gives no embedding"):
        experiment.run(forest, dataset=small, folder=tmp_path / "forest", progress=False, projector=5)
