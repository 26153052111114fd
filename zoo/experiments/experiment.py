"""One run from a recipe: load, split, train, test, and a folder that shows what came out."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo import data
from zoo.learners.estimator import Baseline
from zoo.learners.factory import assemble, with_dataset
from zoo.learners.learner import Learner
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.training import distributed
from zoo.training.callbacks import add_test_metrics
from zoo.training.history import History
from zoo.views import plots
from zoo.views import tensorboard_pages as boards


@dataclass(frozen=True)
class Outcome:
    """What a run gave.

    Args:
        learner: With the weights of the best validated epoch.
        history: Of the training.
        test: Metrics of the test part, the data set's own first.
        folder: Where everything was written, if anywhere.
    """

    learner: Learner | Baseline
    history: History
    test: dict[str, float]
    folder: Path | None = None

    @property
    def metric(self) -> str:
        """The data set's own metric."""
        return next(iter(self.test))

    def to_dict(self) -> dict[str, Any]:
        """Numbers only, for files and tables."""
        return {
            "test": self.test,
            f"valid_{self.history.metric}": self.history.best,
            "best_epoch": self.history.best_epoch,
            "epochs": len(self.history.epochs),
            "seconds": self.history.seconds,
            "molecules_per_second": self.history.molecules_per_second,
            "passes": self.history.passes,
            "parameters": self.learner.num_parameters,
        }


def load_dataset(options: DataOptions) -> data.MoleculeDataset:
    """The data set that a recipe names.

    Raises:
        DataError: It cannot be loaded, or there is nothing to learn in it.
    """
    values = dataclasses.asdict(options)
    dataset = data.load(**{name: value for name, value in values.items() if name not in ("split", "split_seed")})
    if not dataset.num_tasks:
        why = "".join(f" ({note})" for note in dataset.notes[-1:])
        raise data.DataError(f"{options.source}: there are no labels to learn{why}: name their columns with tasks=")
    return dataset


def load_part(options: DataOptions, part: str, seed: int) -> data.MoleculeDataset:
    """One part of the data set that a recipe names.

    Args:
        options: Data and split.
        part: "train", "valid", "test", or "all" for the whole set.
        seed: The recipe's, for a split that has none of its own.
    """
    dataset = load_dataset(options)
    if part == "all":
        return dataset
    return getattr(dataset.split(options.split, seed=seed if options.split_seed is None else options.split_seed), part)


def run(
    recipe: Recipe,
    *,
    dataset: data.MoleculeDataset | None = None,
    folder: str | Path | None = None,
    resume: bool = False,
    progress: bool | None = None,
    callbacks: Sequence[Any] = (),
    device: str = "auto",
    projector: int | None = None,
) -> Outcome:
    """Train and test what a recipe describes.

    Args:
        recipe: `recipe.data` and `recipe.training` fall back to their defaults (B3DB, 10 epochs).
        dataset: Already loaded; `None` loads what `recipe.data` names.
        folder: For TensorBoard, checkpoints, metrics, predictions and pictures; `None` writes nothing.
        resume: Continue the run in `folder`.
        progress: As in `Learner.fit`.
        callbacks: As in `Learner.fit`.
        device: As in `zoo.build`.
        projector: Show so many test molecules in TensorBoard's embedding projector, at most 1024; `None` leaves it out.
    """
    source, training = recipe.data or DataOptions(), recipe.training or TrainingOptions()
    dataset = load_dataset(source) if dataset is None else dataset
    recipe = dataclasses.replace(with_dataset(recipe, dataset), data=source, training=training)
    learner = assemble(recipe, device=device)
    if projector is not None and not hasattr(learner.model, "embed"):
        raise TypeError(f"model {recipe.model!r} gives no embedding for the projector: leave projector= out")
    seed = recipe.seed if source.split_seed is None else source.split_seed
    history = learner.fit(
        dataset,
        split=source.split,
        split_seed=seed,
        logdir=folder,
        resume=resume,
        progress=progress,
        callbacks=callbacks,
        data_options=source,
        **dataclasses.asdict(training),
    )
    assert history.split is not None
    test = history.split.test
    predictions = learner.predict(test.smiles)
    outcome = Outcome(learner, history, learner.score(test, predictions), None if folder is None else Path(folder))
    if outcome.folder is not None and distributed.is_main():
        write_outcome(outcome, test, predictions, projector)
    return outcome


def write_outcome(
    outcome: Outcome, test: data.MoleculeDataset, predictions: np.ndarray, projector: int | None = None
) -> None:
    """Write metrics, history, test predictions and pictures into the run's folder."""
    folder = outcome.folder
    assert folder is not None
    (folder / "metrics.json").write_text(json.dumps(outcome.to_dict(), indent=2), encoding="utf-8")
    outcome.history.to_frame().to_csv(folder / "history.csv", index=False)
    predicted = pd.DataFrame(predictions, columns=[f"predicted {name}" for name in test.task_names], index=test.rows)
    test.to_frame().join(predicted).to_csv(folder / "test_predictions.csv", index_label="row")
    plots.learning_curve(outcome.history).savefig(folder / "learning_curve.png", dpi=120)
    plots.quality(test, predictions).savefig(folder / "test.png", dpi=120)
    steps = outcome.history.steps
    add_test_metrics(folder, outcome.test, steps)
    boards.write_test_pages(folder, test, predictions, steps)
    if projector is not None and isinstance(outcome.learner, Learner):
        boards.write_projector(folder, test, predictions, outcome.learner.embed, steps, projector)
