"""`Learner`: a featurizer, a model and an optimizer that were chosen to work together."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeDataset, MoleculeLoader, Split
from zoo.data.arrays import Float32, Floats
from zoo.learners import embedding, evaluation
from zoo.learners.batches import prediction_loader
from zoo.learners.evaluation import Validation
from zoo.learners.given_data import cut, describe_data, describe_features, scale_features
from zoo.learners.predictor import Predictor
from zoo.learners.targets import settle_targets
from zoo.learners.transfer import Transfer
from zoo.learners.watchers import watchers
from zoo.recipe.fitted import Fitted
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.runs.opening import run_folder, running, saved_parts
from zoo.runs.process import available_cores
from zoo.tasks import Objective, Supervised, objective_for
from zoo.training import distributed
from zoo.training.history import History
from zoo.training.loop import TrainingRun
from zoo.training.plan import plan_training
from zoo.training.randomness import keep_random_state, seed_generators

if TYPE_CHECKING:
    import pandas as pd


class Learner(Predictor):
    """Learner that trains, evaluates and applies one model; made by `zoo.build` and `zoo.load`.

    Args:
        recipe: What was asked for; `fit` leaves it as it is.
        fitted: What came of it.
        featurizer: Molecules to graphs.
        model: Graphs to scores (B, T).
        make_optimizer: Gives the optimizer over the model's parameters. It is called at the first use, so that a
            learner which only predicts does without (the first optimizer of a process costs a second in torch).
        transfer: What was taken from the checkpoint that the model starts from, if any.
    """

    def __init__(
        self,
        recipe: Recipe,
        fitted: Fitted,
        featurizer: Featurizer,
        model: nn.Module,
        make_optimizer: Callable[[], torch.optim.Optimizer],
        transfer: Transfer | None = None,
    ) -> None:
        super().__init__(recipe, fitted, featurizer)
        self.transfer = transfer
        self.model, self._make_optimizer = model, make_optimizer

    @cached_property
    def optimizer(self) -> torch.optim.Optimizer:
        """Optimizer over the model's parameters."""
        return self._make_optimizer()

    def __repr__(self) -> str:
        recipe, fitted = self.recipe, self.fitted
        return (
            f"Learner({recipe.model}, {self.num_parameters:,} parameters, optimizer={recipe.optimizer}, "
            f"featurizer={recipe.featurizer}, {fitted.num_tasks} {fitted.task} task{'s' * (fitted.num_tasks > 1)})"
        )

    @property
    def transfer_notes(self) -> list[str]:
        """Lines on what was taken from the checkpoint that the model starts from."""
        return self.transfer.lines() if self.transfer else []

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)

    @property
    def device(self) -> torch.device:
        """Device of the model."""
        return next(self.model.parameters()).device

    @property
    def encoding_workers(self) -> int:
        """One for every other core where a GPU predicts: it is much faster than one process encodes."""
        return 0 if self.device.type == "cpu" else available_cores() - 1

    @property
    def objective(self) -> Supervised:
        """Loss of the task, or the model's own, with the weights that tasks and classes had in training."""
        return objective_for(self.model, self.task, self.weighting)

    @keep_random_state()
    def fit(
        self,
        data: MoleculeDataset | str | pd.DataFrame,
        *,
        split: str | Split | None = "scaffold",
        split_seed: int | None = None,
        logdir: str | Path | RunFolder | None = None,
        resume: bool = False,
        callbacks: Sequence[object] = (),
        progress: bool | None = None,
        data_options: DataOptions | None = None,
        objective: Objective | None = None,
        **options: Any,
    ) -> History:
        """Train on the training part of a data set; the learner ends with the weights of the best validated epoch.

        The model trains in train mode, whatever its mode was, and is in eval mode afterwards. A loss that becomes NaN
        or infinite ends the training with a warning; `history.diverged` has the reason. The caller's random generators
        stay as they were.

        Args:
            data: A data set, or what `zoo.data.load` takes.
            split: Name of a split, a `Split`, or `None` to train on everything without validation.
            split_seed: Seed of the split; `None` takes the recipe's.
            logdir: Folder for TensorBoard, the recipe and checkpoints; `None` writes nothing.
            resume: Continue the run in `logdir` if there is one; it ends as if it had never stopped.
            callbacks: More callbacks, see `zoo.callbacks`.
            progress: Show the bar; `None` shows it in a terminal or notebook, `False` nothing at all.
            data_options: How `data` was loaded and is split, for the recipe; `None` notes its name and the split's.
            objective: What a training step minimises; `None` takes the task's loss, or the model's own. It is code, so
                that no recipe holds it: a resumed run needs it again.
            **options: Fields of `zoo.recipe.TrainingOptions`, such as `epochs=10`, `batch_size=32`, `patience=5`.

        Returns:
            One record per epoch, the best epoch, and the split (`history.split.test` for `evaluate`).
        """
        folder = run_folder(logdir, resume, writes=distributed.is_main())
        if folder is not None:
            checkpoint.refuse_other_options(folder.path, self.fitted)
        dataset, chosen = self.check_dataset(data), from_mapping(TrainingOptions, options)
        parts = saved_parts(folder, dataset, resume)
        parts = parts or cut(dataset, split, self.recipe.seed if split_seed is None else split_seed)
        train = parts.train if parts else dataset
        scaler, weighting = settle_targets(self.task, dataset, train, chosen)
        plan = plan_training(chosen, train, parts.valid if parts else None)
        features = scale_features(train)
        self.note(dataset, chosen, data_options or describe_data(dataset, parts), scaler, features, weighting)
        self.remember(train, parts)
        validation = self._validation(parts.valid, chosen, progress) if parts and plan.validated else None
        seed_generators(self.recipe.seed)
        run = TrainingRun(
            self.model,
            self.optimizer,
            self._training_loader(train, chosen, progress),
            objective=objective or self.objective,
            options=plan.options,
            recipe=self.request,
            fitted=self.fitted,
            metric=plan.metric,
            validate=validation,
            callbacks=[*watchers(plan.options, folder, progress), *callbacks],
        )
        run.history.split, run.history.notes = parts, (*plan.notes, *describe_features(features), *self.transfer_notes)
        with running(folder):
            self._train(run, folder, dataset, resume)
            if validation is not None and self.has_thresholds:
                self.choose_thresholds(validation.part, validation.predict(), chosen.threshold_metric, folder)
        return run.history

    def _train(self, run: TrainingRun, folder: RunFolder | None, dataset: MoleculeDataset, resume: bool) -> None:
        """Train, in the folder if there is one, and take the weights of the best epoch."""
        with running(folder):
            if folder is not None:
                folder.open(self.request, dataset, run.history.split, resume)
                distributed.barrier()
                run.log = folder.log
                run.restore(folder)
            try:
                run.fit()
            finally:
                self.model.eval()
            if folder is not None and folder.writes:
                self.keep_domain(folder.path)
        if run.best_weights:
            self.model.load_state_dict(run.best_weights)
        if run.history.diverged:
            kept = f"the weights of epoch {run.history.best_epoch}" if run.best_weights else "no weights"
            warnings.warn(f"training stopped, {kept} are kept: {run.history.diverged}", stacklevel=4)

    def predict_packed(self, packed: PackedMolecules, batch_size: int | None = None) -> Floats:
        """Predictions (n, T) of molecules that are featurized already, as `predict` gives them."""
        self.fitted.require_trained()
        loader = prediction_loader(self.model, self.featurizer, self.complete(packed), batch_size)
        return evaluation.to_predictions(evaluation.run_model(self.model, loader), self.task, self.scaler)

    def embed(
        self,
        molecules: object,
        *,
        batch_size: int | None = None,
        on_invalid: str = "nan",
        source: str | None = None,
    ) -> Float32:
        """Vectors of molecules before the head (n, D), float32, without their features.

        Args:
            molecules: As in `predict`.
            batch_size: As in `predict`.
            on_invalid: As in `predict`.
            source: What GROVER's vectors are made of: "atom", "bond" or "both"; `None` takes what the head reads.
        """
        embed = embedding.embed_function(self.model, self.recipe.model, source)

        def vectors(packed: PackedMolecules) -> np.ndarray:
            loader = prediction_loader(self.model, self.featurizer, packed, batch_size)
            return evaluation.run_model(self.model, loader, embed).numpy()

        return self.apply(molecules, vectors, on_invalid, features=False)[0]

    def embed_atoms(self, molecules: object, *, batch_size: int | None = None) -> list[Float32]:
        """States of the atoms of each molecule, (N_i, D) for n molecules; (0, D) for one that cannot be read."""
        name, workers = self.recipe.model, self.encoding_workers
        return embedding.embed_atoms(self.model, name, self.featurizer, molecules, batch_size, workers)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `zoo.load` reads; one that is there already is replaced."""
        checkpoint.write(path, self.request, self.fitted, self.model, {"optimizer": self.optimizer.state_dict()})
        self.keep_domain(Path(path))

    def load_weights(self, saved: checkpoint.Checkpoint) -> None:
        """Take the weights of a checkpoint."""
        saved.load_into(self.model)

    def _training_loader(
        self, train: MoleculeDataset, options: TrainingOptions, progress: bool | None
    ) -> MoleculeLoader:
        scaler = self.scaler
        train, packed = self.featurize_dataset(train, options, progress)
        return MoleculeLoader(
            packed,
            self.featurizer,
            train.targets if scaler is None else scaler.transform(train.targets),
            weights=train.weights,
            bounds=train.bounds,
            batch_size=options.batch_size,
            shuffle=True,
            seed=self.recipe.seed,
        )

    def _validation(self, part: MoleculeDataset, options: TrainingOptions, progress: bool | None) -> Validation:
        valid, packed = self.featurize_dataset(part, options, progress)
        loader = prediction_loader(self.model, self.featurizer, packed, None)
        return Validation(self.model, valid, loader, self.objective, self.scaler)
