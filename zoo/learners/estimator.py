"""`Baseline`: a learner whose model trains itself at once, such as a random forest."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeDataset, Split
from zoo.data.arrays import Floats
from zoo.learners import evaluation
from zoo.learners.baselines import TaskEstimators
from zoo.learners.given_data import cut, describe_data, describe_features, scale_features
from zoo.learners.predictor import Predictor
from zoo.learners.saved_trees import check_trees
from zoo.learners.targets import fit_scaler, settle_targets
from zoo.recipe.fitted import Fitted
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.runs.opening import run_folder, running, saved_parts
from zoo.tasks import TargetScaler, Task, Weighting
from zoo.tasks.metrics import LOSS
from zoo.training.history import EpochRecord, History
from zoo.training.plan import plan_training

if TYPE_CHECKING:
    import pandas as pd

ESTIMATORS = "model.skops"
TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")


BENIGN = 1e-3, 1e3


def scaler_for_trees(
    task: Task, dataset: MoleculeDataset, train: MoleculeDataset, options: TrainingOptions
) -> TargetScaler | None:
    """Scale targets that are transformed, or whose size is beyond what scikit-learn's trees work with.

    They do without scaling, but take an impurity below 1e-16 for none, and cancel digits where the mean is far larger
    than the deviation. Arguments as in `fit_scaler`.
    """
    if not task.scaled or options.target_transform is not None:
        return fit_scaler(task, dataset, train, options)
    scaler = TargetScaler.fit(train.exact_targets, learnable=False, unscaled=task.unscaled)
    benign = all(
        BENIGN[0] < std < BENIGN[1] and abs(mean) < BENIGN[1] * std
        for mean, std in zip(scaler.mean, scaler.std, strict=True)
    )
    return None if benign else scaler


def weights_of_labels(train: MoleculeDataset, classes: tuple[tuple[float, ...], ...]) -> np.ndarray | None:
    """Weight of each label (n, T), by its molecule and its class; `None` where all weigh alike."""
    if train.weights is None and not any(classes):
        return None
    rows = np.ones(len(train)) if train.weights is None else train.weights
    of_classes = Weighting(classes=classes).of(torch.from_numpy(np.nan_to_num(train.targets))).numpy()
    return rows[:, None] * of_classes


class Baseline(Predictor):
    """Learner that fits, evaluates and applies scikit-learn estimators as `Learner` does neural networks.

    Args:
        recipe: What was asked for; `fit` leaves it as it is.
        fitted: What came of it.
        featurizer: Fills `descriptors`.
        model: One estimator for each task.
    """

    def __init__(self, recipe: Recipe, fitted: Fitted, featurizer: Featurizer, model: TaskEstimators) -> None:
        super().__init__(recipe, fitted, featurizer)
        self.model, self.optimizer = model, None

    def __repr__(self) -> str:
        return f"Baseline({self.recipe.model}, featurizer={self.recipe.featurizer}, {self.fitted.num_tasks} task(s))"

    @property
    def num_parameters(self) -> int:
        """Number of trainable parameters: 0, since trees have none in the sense of the other models."""
        return 0

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
        **options: Any,
    ) -> History:
        """Fit on the training part; arguments as in `Learner.fit`, those about epochs and steps mean nothing here."""
        folder = run_folder(logdir, resume)
        dataset, chosen = self.check_dataset(data), from_mapping(TrainingOptions, options)
        parts = saved_parts(folder, dataset, resume)
        parts = parts or cut(dataset, split, self.recipe.seed if split_seed is None else split_seed)
        train = parts.train if parts else dataset
        scaler, weighting = settle_targets(self.task, dataset, train, chosen, scaler_for_trees)
        plan = plan_training(chosen, train, parts.valid if parts else None)
        features = scale_features(train)
        self.note(dataset, chosen, data_options or describe_data(dataset, parts), scaler, features, weighting)
        self.remember(train, parts)
        train, packed = self.featurize_dataset(train, chosen, progress)
        start = time.perf_counter()
        targets = train.exact_targets if scaler is None else scaler.transform(train.exact_targets)
        self.model.fit(descriptors_of(packed), targets, weights_of_labels(train, weighting.classes))
        seconds = time.perf_counter() - start
        metric = train.metric if plan.metric == LOSS else plan.metric
        history = History(metric, split=parts, notes=(*describe_features(features), *notes_of_trees(train, weighting)))
        std = None if scaler is None else scaler.unit_std
        known = self.predict(parts.valid) if parts and plan.validated else None
        valid = evaluation.summarize(parts.valid, known, std) if parts and known is not None else {}
        numbers = {"loss": math.nan, "learning_rate": 0.0, "passes": 1, "steps": 1, "seconds": seconds}
        history.add(EpochRecord.of(1, valid, history.metric, molecules=len(train), **numbers))
        with running(folder):
            if folder is not None:
                folder.open(self.request, dataset, parts, resume)
                self.save(folder.checkpoint("best"))
            if parts and known is not None and self.has_thresholds:
                self.choose_thresholds(parts.valid, known, chosen.threshold_metric, folder)
        return history

    def predict_packed(self, packed: PackedMolecules, batch_size: int | None = None) -> Floats:
        """Predictions (n, T) of molecules that are featurized already."""
        values = self.model.predict(descriptors_of(self.complete(packed)))
        return values if self.scaler is None else evaluation.unscale(values, self.task, self.scaler)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `zoo.load` reads; the estimators are in `model.skops`, which holds no pickle."""
        import skops.io  # imports most of scikit-learn, which takes a second

        def write_estimators(folder: Path) -> None:
            skops.io.dump(self.model.estimators, folder / ESTIMATORS)

        checkpoint.write_folder(path, self.request, self.fitted, write_estimators)
        self.keep_domain(Path(path))

    @property
    def num_columns(self) -> int:
        """Columns that the trees read: descriptors of each molecule in a row, and features."""
        molecules = max(len(self.fitted.smiles_columns), 1)
        return molecules * self.featurizer.descriptor_size + len(self.fitted.feature_names)

    def load_weights(self, saved: checkpoint.Checkpoint) -> None:
        """Take the estimators of a checkpoint.

        Raises:
            CheckpointError: The file is damaged, or holds something else than the model's own estimators.
        """
        import skops.io

        file = saved.path / ESTIMATORS
        try:
            check_trees(file, self.num_columns)
            estimators = skops.io.load(file, trusted=list(TRUSTED))
        except (ValueError, OSError, LookupError, TypeError, AttributeError) as error:
            raise checkpoint.damage_error(file, error) from error
        self.model.estimators = require_own(estimators, self.model, file)


def notes_of_trees(train: MoleculeDataset, weighting: Weighting) -> tuple[str, ...]:
    """Say what trees do not learn from."""
    notes = []
    if train.bounds is not None:
        count = int((train.bounds != 0).sum())
        notes.append(f"{count} labels that are bounds are left out: trees learn from exact values only")
    if weighting.tasks:
        notes.append("task_weights have no effect: each task has trees of its own")
    return tuple(notes)


def descriptors_of(packed: PackedMolecules) -> np.ndarray:
    """Descriptors of the molecules of each row side by side, with features behind those of the first."""
    columns = [np.asarray(each.descriptors) for each in (packed, *packed.partners)]
    return columns[0] if len(columns) == 1 else np.concatenate(columns, axis=1)


def require_own(estimators: Any, model: TaskEstimators, file: Path) -> list[Any]:
    """Return the estimators of a file, if they are what the model makes."""
    from sklearn.dummy import DummyRegressor

    kinds = (*{type(model.new_estimator(kind)) for kind in model.kind_by_task}, DummyRegressor)
    if not isinstance(estimators, list) or any(type(estimator) not in kinds for estimator in estimators):
        raise checkpoint.damage_error(file, ValueError(f"it holds something else than {kinds[0].__name__}"))
    return estimators
