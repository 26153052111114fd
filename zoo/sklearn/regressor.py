"""`MoleculeRegressor`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from zoo.sklearn.arrays import columns_of, numbers_of, smiles_of
from zoo.sklearn.estimator import MoleculeEstimator


class MoleculeRegressor(RegressorMixin, MoleculeEstimator):
    """Regressor on lists of SMILES.

    Args:
        model: Name from `zoo.list_models()`, or several whose mean predicts; None takes that of `init`, or GROVER.
        optimizer: Name from `zoo.list_optimizers()`; baselines ignore it.
        featurizer: Name from `zoo.list_featurizers()`; None takes the model's own.
        model_args: Options of the model; `model_args__hidden_size` is a parameter for grids.
        optimizer_args: Options of the optimizer.
        featurizer_args: Options of the featurizer.
        task: Kind of target, such as "regression" or "quantile".
        task_args: Options of the kind of target.
        init: Checkpoint or run to start from, or fields of `zoo.recipe.StartOptions`.
        epochs: Passes over the molecules; None chooses by their number.
        batch_size: Molecules per step.
        patience: Stop after this many epochs without improvement on the validation part; None never stops early,
            unless `epochs` is None.
        training_args: Other fields of `zoo.recipe.TrainingOptions`.
        validation_fraction: Share of the molecules that chooses the best epoch; 0 keeps the last. Baselines train on
            all.
        validation_split: How they are drawn: "random", "scaffold", ...
        members: Train each model so often from different seeds, and predict their mean.
        random_state: Seed of weights, batches and validation part; None draws another one each time.
        device: "auto" takes a GPU where there is one.
        verbose: Show a progress bar.

    Attributes:
        learner_: The trained `zoo.Learner`, baseline or ensemble.
        history_: One row for each epoch and member.
        n_features_in_: 1: the SMILES.

    Example:
        >>> regressor = MoleculeRegressor("random_forest", model_args={"num_trees": 10, "num_jobs": 1})
        >>> regressor.fit(["CCO", "CCN", "CCC", "CCCl"], [1.0, 2.0, 3.0, 4.0]).predict(["CCO"]).shape
        (1,)
    """

    def __init__(
        self,
        model: str | Sequence[str] | None = None,
        *,
        optimizer: str = "adam",
        featurizer: str | None = None,
        model_args: Mapping[str, Any] | None = None,
        optimizer_args: Mapping[str, Any] | None = None,
        featurizer_args: Mapping[str, Any] | None = None,
        task: str = "regression",
        task_args: Mapping[str, Any] | None = None,
        init: str | Mapping[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        patience: int | None = None,
        training_args: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.1,
        validation_split: str = "random",
        members: int = 1,
        random_state: int | np.random.RandomState | None = 0,
        device: str = "auto",
        verbose: bool = False,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.featurizer = featurizer
        self.model_args = model_args
        self.optimizer_args = optimizer_args
        self.featurizer_args = featurizer_args
        self.task = task
        self.task_args = task_args
        self.init = init
        self.epochs = epochs
        self.batch_size = batch_size
        self.patience = patience
        self.training_args = training_args
        self.validation_fraction = validation_fraction
        self.validation_split = validation_split
        self.members = members
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MoleculeRegressor:
        """Train.

        Args:
            X: SMILES (n): a list, an array (n,) or (n, 1), a Series, or a DataFrame of one column.
            y: Numbers (n,) or, for several tasks, (n, T), NaN where a label is missing.
            sample_weight: Weight of each molecule in the loss (n,).

        Raises:
            ValueError: A SMILES that cannot be read, or labels that are no numbers.
        """
        columns, names, single = columns_of(y, len(smiles_of(X)))
        self._fit(X, numbers_of(columns, single), names, sample_weight, task=self.task)
        self.n_outputs_ = columns.shape[1]
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Predict values (n,), or (n, T) of several tasks.

        Raises:
            ValueError: A molecule that cannot be read.
        """
        values = self._values(X)
        return values[:, 0] if self.n_outputs_ == 1 else values

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R², of several tasks the mean; missing labels do not count."""
        smiles = smiles_of(X)
        columns, _, single = columns_of(y, len(smiles))
        values, predicted = numbers_of(columns, single), self.predict(X).reshape(len(smiles), -1)
        weights = np.ones(len(values)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        known = ~np.isnan(values)
        return float(np.mean([
            r2_score(values[rows, task], predicted[rows, task], sample_weight=weights[rows])
            for task, rows in enumerate(known.T)
        ]))  # fmt: skip
