"""`Baseline`: a learner whose model trains itself at once, such as a random forest."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from featurizers import Featurizer, PackedMolecules
from zoo.data import MoleculeDataset, Split
from zoo.data.arrays import Floats
from zoo.learners import evaluation
from zoo.learners.baselines import TaskEstimators
from zoo.learners.given_data import cut, describe_data, describe_features, scale_features
from zoo.learners.predictor import PREDICT_BATCH, Predictor
from zoo.learners.saved_trees import check_trees
from zoo.recipe.fitted import Fitted
from zoo.recipe.mapping import from_mapping
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.runs.opening import run_folder, running, saved_parts
from zoo.tasks import TargetScaler
from zoo.tasks.metrics import LOSS
from zoo.training.history import EpochRecord, History
from zoo.training.plan import plan_training

if TYPE_CHECKING:
    import pandas as pd

ESTIMATORS = "model.skops"
TRUSTED = ("sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")


BENIGN = 1e-3, 1e3


def scaler_for_trees(targets: np.ndarray) -> TargetScaler | None:
    """Scale targets (n, T) whose size is beyond what scikit-learn's trees work with.

    They do without scaling, but take an impurity below 1e-16 for none, and cancel digits where the mean is far larger
    than the deviation.
    """
    scaler = TargetScaler.fit(targets, learnable=False)
    benign = all(
        BENIGN[0] < std < BENIGN[1] and abs(mean) < BENIGN[1] * std
        for mean, std in zip(scaler.mean, scaler.std, strict=True)
    )
    return None if benign else scaler


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
        scaler = scaler_for_trees(train.targets) if self.task.scaled else None
        plan = plan_training(chosen, train, parts.valid if parts else None)
        features = scale_features(train)
        self.note(dataset, chosen, data_options or describe_data(dataset, parts), scaler, features)
        self.remember(train, parts)
        train, packed = self.featurize_dataset(train, chosen, progress)
        start = time.perf_counter()
        targets = train.targets if scaler is None else scaler.transform(train.targets)
        self.model.fit(np.asarray(packed.descriptors), targets)
        seconds = time.perf_counter() - start
        metric = train.metric if plan.metric == LOSS else plan.metric
        history = History(metric, split=parts, notes=describe_features(features))
        std = None if scaler is None else scaler.std
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

    def predict_packed(self, packed: PackedMolecules, batch_size: int = PREDICT_BATCH) -> Floats:
        """Predictions (n, T) of molecules that are featurized already."""
        descriptors = np.asarray(self.complete(packed).descriptors)
        values, scaling = self.model.predict(descriptors), self.fitted.target_scaling
        return values if scaling is None else TargetScaler.from_state_dict(scaling).inverse(values)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint that `zoo.load` reads; the estimators are in `model.skops`, which holds no pickle."""
        import skops.io  # imports most of scikit-learn, which takes a second

        def write_estimators(folder: Path) -> None:
            skops.io.dump(self.model.estimators, folder / ESTIMATORS)

        checkpoint.write_folder(path, self.request, self.fitted, write_estimators)
        self.keep_domain(Path(path))

    def load_weights(self, saved: checkpoint.Checkpoint) -> None:
        """Take the estimators of a checkpoint.

        Raises:
            CheckpointError: The file is damaged, or holds something else than the model's own estimators.
        """
        import skops.io

        file = saved.path / ESTIMATORS
        try:
            check_trees(file, self.featurizer.descriptor_size + len(self.fitted.feature_names))
            estimators = skops.io.load(file, trusted=list(TRUSTED))
        except (ValueError, OSError, LookupError, TypeError, AttributeError) as error:
            raise checkpoint.damage_error(file, error) from error
        self.model.estimators = require_own(estimators, self.model, file)


def require_own(estimators: Any, model: TaskEstimators, file: Path) -> list[Any]:
    """Return the estimators of a file, if they are what the model makes."""
    from sklearn.dummy import DummyRegressor

    kinds = (type(model.new_estimator()), DummyRegressor)
    if not isinstance(estimators, list) or any(type(estimator) not in kinds for estimator in estimators):
        raise checkpoint.damage_error(file, ValueError(f"it holds something else than {kinds[0].__name__}"))
    return estimators
