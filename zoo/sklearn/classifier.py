"""`MoleculeClassifier`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin

from zoo.learners.decisions import thresholds_of
from zoo.registry.catalog.targets import CLASSES, ZERO_ONE
from zoo.registry.kinds import labels_of
from zoo.sklearn.arrays import classes_of, columns_of, smiles_of
from zoo.sklearn.estimator import MoleculeEstimator


class MoleculeClassifier(ClassifierMixin, MoleculeEstimator):
    """Classifier on lists of SMILES.

    Args:
        model: Name from `zoo.list_models()`, or several whose mean predicts; None takes that of `init`, or GROVER.
        optimizer: Name from `zoo.list_optimizers()`; baselines ignore it.
        featurizer: Name from `zoo.list_featurizers()`; None takes the model's own.
        model_args: Options of the model; `model_args__hidden_size` is a parameter for grids.
        optimizer_args: Options of the optimizer.
        featurizer_args: Options of the featurizer.
        task: Kind of target; None takes "classification" for two classes and "multiclass" for more.
        task_args: Options of the kind of target.
        init: Checkpoint or run to start from, or fields of `zoo.recipe.StartOptions`.
        epochs: Passes over the molecules; None chooses by their number.
        batch_size: Molecules per step.
        patience: Stop after this many epochs without improvement on the validation part; None never stops early,
            unless `epochs` is None.
        training_args: Other fields of `zoo.recipe.TrainingOptions`.
        threshold_metric: Choose the threshold between two classes on the validation part by "balanced_accuracy",
            "accuracy", "f1" or "mcc"; None predicts the likelier class, as scikit-learn's classifiers do.
        validation_fraction: Share of the molecules that chooses the best epoch; 0 keeps the last. Baselines train on
            all, unless there is a threshold to choose.
        validation_split: How they are drawn: "random", "random_stratified", "scaffold", ...
        members: Train each model so often from different seeds, and predict their mean.
        random_state: Seed of weights, batches and validation part; None draws another one each time.
        device: "auto" takes a GPU where there is one.
        verbose: Show a progress bar.

    Attributes:
        classes_: The classes, sorted (C,); of several tasks a list of them.
        learner_: The trained `zoo.Learner`, baseline or ensemble.
        history_: One row for each epoch and member.
        n_features_in_: 1: the SMILES.

    Example:
        >>> classifier = MoleculeClassifier("random_forest", model_args={"num_trees": 10, "num_jobs": 1})
        >>> classifier.fit(["CCO", "CCN", "C1CC1", "C1CCC1"], ["chain", "chain", "ring", "ring"]).classes_.tolist()
        ['chain', 'ring']
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
        task: str | None = None,
        task_args: Mapping[str, Any] | None = None,
        init: str | Mapping[str, Any] | None = None,
        epochs: int | None = None,
        batch_size: int = 32,
        patience: int | None = None,
        training_args: Mapping[str, Any] | None = None,
        threshold_metric: str | None = None,
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
        self.threshold_metric = threshold_metric
        self.validation_fraction = validation_fraction
        self.validation_split = validation_split
        self.members = members
        self.random_state = random_state
        self.device = device
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> MoleculeClassifier:
        """Train.

        Args:
            X: SMILES (n): a list, an array (n,) or (n, 1), a Series, or a DataFrame of one column.
            y: Classes, words or numbers, (n,) or, for several tasks, (n, T), NaN or None where a label is missing.
            sample_weight: Weight of each molecule in the loss (n,).

        Raises:
            ValueError: A SMILES that cannot be read, labels that are measured numbers, or one class only.
        """
        columns, names, single = columns_of(y, len(smiles_of(X)))
        classes, numbered = classes_of(columns, single)
        task = self.task or ("classification" if max(map(len, classes)) == 2 else "multiclass")
        several = labels_of(task) == CLASSES
        words = dict(zip(names, classes, strict=True))
        self._fit(
            X,
            numbered,
            names,
            sample_weight,
            task=task,
            num_classes=max(map(len, classes)) if several else 0,
            label_names={name: tuple(map(str, each)) for name, each in words.items() if are_words(each)},
        )
        self.classes_ = classes[0] if single else classes
        self.n_outputs_ = len(classes)
        return self

    def predict_proba(self, X: Any) -> Any:
        """Return the probability of each class (n, C), of several tasks a list of them.

        Raises:
            ValueError: A molecule that cannot be read.
        """
        values = self._values(X)
        classes = [self.classes_] if self.n_outputs_ == 1 else self.classes_
        found = [of_classes(values[:, task], len(each)) for task, each in enumerate(classes)]
        return found[0] if self.n_outputs_ == 1 else found

    def predict(self, X: Any) -> np.ndarray:
        """Predict classes (n,), or (n, T) of several tasks.

        Raises:
            ValueError: A molecule that cannot be read.
        """
        found = self.predict_proba(X)
        if self.n_outputs_ == 1:
            return self.classes_[self._decide(found, 0)]
        columns = [each[self._decide(found[task], task)] for task, each in enumerate(self.classes_)]
        return (
            np.stack([column.astype(object) for column in columns], axis=1) if mixed(columns) else np.stack(columns, 1)
        )

    def _decide(self, probabilities: np.ndarray, task: int) -> np.ndarray:
        """Number of the class (n,)."""
        chosen = self.learner_.fitted.thresholds
        if not self.threshold_metric or not chosen or labels_of(self.learner_.fitted.task) != ZERO_ONE:
            return probabilities.argmax(axis=1)
        cuts = thresholds_of(self.learner_.fitted)
        assert cuts is not None
        return (probabilities[:, 1] >= cuts[task]).astype(np.int64)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the accuracy, of several tasks the mean; missing labels do not count."""
        smiles = smiles_of(X)
        columns, _, _ = columns_of(y, len(smiles))
        predicted = np.asarray(self.predict(X)).reshape(len(smiles), -1)
        weights = np.ones(len(columns)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        found = []
        for task, column in enumerate(columns.T):
            known = np.array([cell is not None and cell == cell for cell in column.tolist()])
            right = np.array(
                [a == b for a, b in zip(column[known].tolist(), predicted[known, task].tolist(), strict=True)]
            )
            found.append(np.average(right, weights=weights[known]))
        return float(np.mean(found))

    def _training_options(self) -> dict[str, Any]:
        """More options of training."""
        return {"threshold_metric": self.threshold_metric}

    def _needs_validation(self, model: Any) -> bool:
        """Whether a validation part decides anything."""
        return self.threshold_metric is not None or super()._needs_validation(model)


def of_classes(values: np.ndarray, count: int) -> np.ndarray:
    """Probabilities (n, `count`) from those of class 1 (n,) or of C classes (n, C), of which a task may have fewer."""
    if values.ndim == 1:
        return np.stack([1.0 - values, values], axis=1)
    return values[:, :count] / values[:, :count].sum(axis=1, keepdims=True)


def are_words(classes: np.ndarray) -> bool:
    """Whether classes are texts which differ in more than upper and lower case."""
    texts = [str(each).lower() for each in classes]
    return all(isinstance(each, str) for each in classes.tolist()) and len(set(texts)) == len(texts)


def mixed(columns: Sequence[np.ndarray]) -> bool:
    """Whether columns hold texts and numbers, which have no common type."""
    return len({column.dtype.kind in "UO" for column in columns}) > 1
