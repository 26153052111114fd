"""One run from a recipe: load, split, train, test, and write the results to a folder."""

from __future__ import annotations

import dataclasses
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
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.trust import require_trust
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.runs.machine import describe_machine, describe_versions
from zoo.runs.opening import run_folder, running, saved_parts
from zoo.tasks import Evaluation
from zoo.tasks.metrics import check_metric
from zoo.training import distributed
from zoo.training.history import History
from zoo.training.plan import check_monitor
from zoo.views import plots
from zoo.views import tensorboard_pages as boards

DRAW_SEED = 0


@dataclass(frozen=True)
class Outcome:
    """Outcome of a run.

    Args:
        learner: With the weights of the best validated epoch.
        history: The training, epoch by epoch.
        test: Metrics of the test part, the data set's own first; empty without a test part.
        folder: Where everything was written, if anywhere.
        per_task: Metrics of the test part by task.
        split_report: What is in the parts.
    """

    learner: Learner | Baseline
    history: History
    test: dict[str, float]
    folder: Path | None = None
    per_task: dict[str, dict[str, float]] = dataclasses.field(default_factory=dict)
    split_report: dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def metric(self) -> str:
        """The data set's own metric."""
        return next(iter(self.test), self.history.metric)

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files and tables."""
        by_steps = isinstance(self.learner, Learner)
        return {
            "metric": self.metric,
            "test": self.test,
            "test_per_task": self.per_task,
            f"valid_{self.history.metric}": self.history.best,
            "valid": self.history.best,
            "best_epoch": self.history.best_epoch,
            "diverged": self.history.diverged or None,
            "notes": list(self.history.notes),
            "unpredicted": self.test.unpredicted if isinstance(self.test, Evaluation) else {},
            "epochs": len(self.history.epochs),
            "steps": self.history.steps if by_steps else None,
            "seconds": self.history.seconds,
            "molecules_per_second": self.history.molecules_per_second,
            "passes": self.history.passes if by_steps else None,
            "parameters": self.learner.num_parameters,
            "split_report": self.split_report,
        }


class TrainingDiverged(RuntimeError):
    """The training of a run ended because its loss was no number any more.

    Args:
        outcome: What the best epoch before gave.
    """

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"training diverged: {outcome.history.diverged}")
        self.outcome = outcome


def load_dataset(options: DataOptions) -> data.MoleculeDataset:
    """The data set that a recipe names.

    Raises:
        DataError: It cannot be loaded, or there is nothing to learn in it.
    """
    dataset = data.load(options.source, options)
    if not dataset.num_tasks:
        why = "".join(f" ({note})" for note in dataset.notes[-1:])
        raise data.DataError(f"{options.source}: there are no labels to learn{why}: name their columns with tasks=")
    return dataset


def load_part(options: DataOptions, part: str, seed: int) -> data.MoleculeDataset:
    """One part of the data set that a recipe names.

    Args:
        options: Data and split.
        part: "train", "valid", "test", or "all" for the complete set.
        seed: The recipe's, for a split that has none of its own.
    """
    dataset = load_dataset(options)
    return dataset if part == "all" else getattr(data.split_by_options(dataset, options, seed), part)


def draw(dataset: data.MoleculeDataset, max_molecules: int | None) -> data.MoleculeDataset:
    """Draw this many molecules, always the same ones; `None` takes all."""
    if max_molecules is None or max_molecules >= len(dataset):
        return dataset
    if max_molecules < 1:
        raise ValueError(f"max_molecules={max_molecules}: give a whole number of at least 1")
    drawn = np.sort(np.random.default_rng(DRAW_SEED).permutation(len(dataset))[:max_molecules])
    return dataclasses.replace(dataset.subset(drawn), name=f"{dataset.name}, {max_molecules} molecules")


def run(
    recipe: Recipe,
    *,
    dataset: data.MoleculeDataset | None = None,
    split: data.Split | None = None,
    folder: str | Path | RunFolder | None = None,
    resume: bool = False,
    progress: bool | None = None,
    callbacks: Sequence[Any] = (),
    device: str = "auto",
    projector: int | None = None,
    trust: bool = False,
) -> Outcome:
    """Train and test as a recipe describes.

    Everything that can be checked is checked before molecules are encoded and before the folder is made.

    Args:
        recipe: `recipe.data` and `recipe.training` fall back to their defaults (B3DB, as many epochs as
            its size asks for).
        dataset: Already loaded; `None` loads what `recipe.data` names.
        split: Its parts; `None` cuts them as `recipe.data` says, or as the run to resume did.
        folder: For TensorBoard, checkpoints, metrics, predictions and pictures; `None` writes nothing.
        resume: Continue the run in `folder`.
        progress: As in `Learner.fit`.
        callbacks: As in `Learner.fit`.
        device: As in `zoo.build`.
        projector: Show so many test molecules in TensorBoard's embedding projector, at most 1024; `None` leaves it out.
        trust: Import and build what the recipe names by `package.module:Class`; only for recipes whose code may run.

    Raises:
        TrainingDiverged: The loss became NaN or infinite; the best epoch before was measured, and is written.
        CheckpointError: The folder holds a run already, or one of another recipe.
        DataChanged: The run to resume was trained on other data.
    """
    require_trust(recipe, trust)
    source, training = recipe.data or DataOptions(), recipe.training or TrainingOptions()
    place = run_folder(folder, resume, writes=distributed.is_main())
    dataset = load_dataset(recipe.asked_data) if dataset is None else dataset
    recipe = dataclasses.replace(with_dataset(recipe, dataset), data=source, training=training)
    saved = checkpoint.fitted_of_run(place.path) if place is not None and resume else None
    learner = prepare(recipe, dataset, device, projector, saved, trust)
    split = split or saved_parts(place, dataset, resume) or data.split_by_options(dataset, source, recipe.seed)
    with running(place):
        history = learner.fit(
            dataset,
            split=split,
            logdir=place,
            resume=resume,
            progress=progress,
            callbacks=callbacks,
            data_options=source,
            **dataclasses.asdict(training),
        )
        outcome, predictions = measure_on_test(learner, history, split, place)
        if place is not None and place.writes:
            write_outcome(place, outcome, split.test, predictions, projector)
        if history.diverged:
            raise TrainingDiverged(outcome)
    return outcome


def prepare(
    recipe: Recipe,
    dataset: data.MoleculeDataset,
    device: str,
    projector: int | None,
    saved: Fitted | None = None,
    trust: bool = False,
) -> Learner | Baseline:
    """Build the learner, as in `saved` of the run to resume, and find what cannot work before anything slow is done."""
    training = recipe.training or TrainingOptions()
    check_metric(dataset.metric, dataset.task)
    if training.monitor is not None:
        check_monitor(training.monitor, dataset.task)
    learner = assemble(recipe, device=device, fitted=saved, trust=trust)
    if isinstance(learner, Learner):
        _ = learner.optimizer  # made now, so that a wrong option is found here
    if projector is not None:
        if not hasattr(learner.model, "embed"):
            raise TypeError(f"model {recipe.model!r} gives no embedding for the projector: leave projector= out")
        boards.check_number(projector)
    return learner


def measure_on_test(
    learner: Learner | Baseline, history: History, split: data.Split, place: RunFolder | None
) -> tuple[Outcome, np.ndarray]:
    """Measure a learner on the test part; also returns the predictions (n, T)."""
    test, folder, report = split.test, None if place is None else place.path, split.report().to_dict()
    if not len(test):
        return Outcome(learner, history, {}, folder, {}, report), np.empty((0, test.num_tasks), np.float32)
    predictions = learner.predict(test.smiles)
    metrics = learner.score(test, predictions)
    return Outcome(learner, history, metrics, folder, metrics.by_task, report), predictions


def write_outcome(
    place: RunFolder,
    outcome: Outcome,
    test: data.MoleculeDataset,
    predictions: np.ndarray,
    projector: int | None = None,
) -> None:
    """Write metrics, history, test predictions and pictures into the run's folder."""
    device = outcome.learner.device if isinstance(outcome.learner, Learner) else None
    place.note(versions=describe_versions(), machine=describe_machine(device))
    place.write_metrics(outcome.to_dict())
    place.write_history(outcome.history.to_frame())
    if isinstance(outcome.learner, Learner):  # one that trains itself has no curve
        plots.learning_curve(outcome.history).savefig(place.picture("learning_curve"), dpi=120)
    if len(test):
        carried = test.to_frame(extras=True)
        columns = outcome.learner.fitted.column_names
        names = [data.free_name(f"predicted_{name}", carried.columns) for name in columns]
        flat = predictions.reshape(len(predictions), -1)
        place.write_test_predictions(carried.join(pd.DataFrame(flat, columns=names, index=test.rows)))
        plots.quality(test, predictions).savefig(place.picture("test"), dpi=120)
        steps = outcome.history.steps
        place.log.scalars({f"test/{name}": value for name, value in outcome.test.items()}, steps)
        boards.write_test_pages(place.log, test, predictions, steps)
        if projector is not None and isinstance(outcome.learner, Learner):
            boards.write_projector(place.log, test, predictions, outcome.learner.embed, steps, projector)
