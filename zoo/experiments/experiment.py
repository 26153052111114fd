"""One run from a recipe: load, split, train, test, and write the results to a folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zoo import data
from zoo.experiments.card import CardOptions, CardSource, try_card
from zoo.experiments.certainty import calibrate_run
from zoo.experiments.outcome import Outcome, TrainingDiverged, measure_on_test, write_outcome
from zoo.experiments.testing import choose_test
from zoo.learners.estimator import Baseline
from zoo.learners.factory import assemble, with_dataset
from zoo.learners.learner import Learner
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.recipe.trust import require_trust
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.runs.opening import run_folder, running, saved_parts
from zoo.tasks import Evaluation
from zoo.tasks.metrics import check_metric
from zoo.training import distributed
from zoo.training.plan import check_monitor
from zoo.views import tensorboard_pages as boards

DRAW_SEED = 0


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
    card: CardOptions | None = None,
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
        card: Write the card of the run into its folder; `None` writes none.

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
    test = choose_test(split, source)
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
        outcome, predictions = measure_on_test(learner, history, split, test, place)
        if place is not None and place.writes:
            write_outcome(place, outcome, test, predictions, projector)
            calibrate_run(place, learner, split, test, history.steps)
            if card is not None:
                scores = outcome.test if isinstance(outcome.test, Evaluation) else None
                source_of_card = CardSource(learner, split, test, predictions, scores, place)
                outcome = dataclasses.replace(outcome, card=try_card(source_of_card, card))
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
