"""Baselines without message passing: scikit-learn's ensembles of trees on descriptors of whole molecules.

scikit-learn is imported where it is used: that takes a second, which the other models can spare.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.models.option_ranges import require_positive
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS


@dataclass(frozen=True)
class ForestConfig:
    """Options of a random forest.

    Args:
        num_trees: At least 1.
        max_features: Share (or "sqrt", "log2") of the columns tried at a split; `None` takes "sqrt" for classification
            and a third for regression (Breiman 2001, section 11).
        min_leaf: Fewest molecules in a leaf, at least 1.
        num_jobs: Processor cores; -1 takes all.
        task: Kind of target: "classification", "multiclass", "regression", ...
        num_tasks: T.
        num_classes: C, for tasks of several classes; 0 for others.
        criterion: Loss of the kind of target: "cross_entropy", "mse", "mae"; empty takes the usual one.
        kinds: Kind of each task (T) where they are of several kinds, else empty.
        seed: Of the bootstrap.

    Raises:
        ValueError: An option out of its range.
    """

    num_trees: int = 500
    max_features: float | str | None = None
    min_leaf: int = 1
    num_jobs: int = -1
    task: str = "classification"
    num_tasks: int = 1
    num_classes: int = 0
    criterion: str = ""
    kinds: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive(self, "num_trees", "min_leaf", "num_tasks")
        require_criterion(self.criterion)


@dataclass(frozen=True)
class BoostingConfig:
    """Options of gradient boosting.

    Args:
        num_trees: At most this many, at least 1.
        learning_rate: Shrinkage, above 0.
        max_leaves: Leaves of a tree, at least 2.
        early_stopping: Stop when a tenth of the training part, held out, no longer improves.
        task: Kind of target: "classification", "multiclass", "regression", ...
        num_tasks: T.
        num_classes: C, for tasks of several classes; 0 for others.
        criterion: Loss of the kind of target: "cross_entropy", "mse", "mae"; empty takes the usual one.
        kinds: Kind of each task (T) where they are of several kinds, else empty.
        seed: Of that held-out part.

    Raises:
        ValueError: An option out of its range.
    """

    num_trees: int = 300
    learning_rate: float = 0.05
    max_leaves: int = 31
    early_stopping: bool = False
    task: str = "classification"
    num_tasks: int = 1
    num_classes: int = 0
    criterion: str = ""
    kinds: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        require_positive(self, "num_trees", "num_tasks")
        require_criterion(self.criterion)
        if self.max_leaves < 2:
            raise ValueError(f"max_leaves={self.max_leaves}: give a whole number of at least 2")
        if self.learning_rate <= 0:
            raise ValueError(f"learning_rate={self.learning_rate}: give a number above 0")


CRITERIA = {"mse": "squared_error", "mae": "absolute_error"}
"""What scikit-learn calls the losses of regression."""


def require_criterion(name: str) -> None:
    """Raise a `ValueError` for a loss that trees do not minimise."""
    if name not in ("", "cross_entropy", *CRITERIA):
        raise ValueError(
            f"loss={name!r}: trees are trained by mse, mae or cross_entropy: choose one of these, or a model"
        )


NO_LABELS = -1.0  # stands for no class


def classifies(task: str) -> bool:
    """Return whether the labels of a kind of target are classes."""
    return kinds.labels_of(task) != NUMBERS


class TaskEstimators:
    """One scikit-learn estimator for each task, trained on the rows that have its label.

    A task with a single class gets that class, a task without labels a probability of 0.5 (or the value 0).

    Args:
        config: Options; `config_class` names their class.
    """

    config_class: ClassVar[type]
    trains_itself: ClassVar[bool] = True

    def __init__(self, config: Any) -> None:
        self.config = config
        self.estimators: list[Any] = []

    @property
    def kind_by_task(self) -> tuple[str, ...]:
        """Kind of target of each task (T)."""
        return tuple(self.config.kinds) or (self.config.task,) * self.config.num_tasks

    def new_estimator(self, kind: str) -> Any:
        """An untrained estimator with the options, for a kind of target."""
        raise NotImplementedError

    def fit(self, descriptors: np.ndarray, targets: np.ndarray, weights: np.ndarray | None = None) -> None:
        """Train.

        Args:
            descriptors: (n, F).
            targets: (n, T), NaN where a label is missing.
            weights: Weight of each label (n, T); `None` weighs all alike.
        """
        columns = [None] * targets.shape[1] if weights is None else weights.T
        self.estimators = [
            self._fit_task(descriptors, column, of_labels, kind)
            for column, of_labels, kind in zip(targets.T, columns, self.kind_by_task, strict=True)
        ]

    def _fit_task(self, descriptors: np.ndarray, column: np.ndarray, weights: np.ndarray | None, kind: str) -> Any:
        known = ~np.isnan(column) & (True if weights is None else weights > 0)
        labels = column[known]
        constant = constant_of(labels, kind)
        if constant is None:
            chosen = None if weights is None else weights[known]
            return self.new_estimator(kind).fit(descriptors[known], labels, sample_weight=chosen)
        from sklearn.dummy import DummyRegressor

        return DummyRegressor(strategy="constant", constant=constant).fit(descriptors[:1], [constant])

    def predict(self, descriptors: np.ndarray) -> np.ndarray:
        """Probabilities of class 1, or values, (n, T); with several classes their probabilities (n, T, C).

        Tasks of several kinds have these one after another (n, K).

        Raises:
            RuntimeError: The model is not trained.
        """
        if not self.estimators:
            raise RuntimeError("this model is not trained: call fit first")
        columns = [
            of_classes(estimator, descriptors, self.config.num_classes)
            if kinds.labels_of(kind) == CLASSES
            else positive(estimator, descriptors)
            for estimator, kind in zip(self.estimators, self.kind_by_task, strict=True)
        ]
        return np.column_stack(columns) if self.config.kinds else np.stack(columns, axis=1)


def constant_of(labels: np.ndarray, kind: str) -> float | None:
    """Return the prediction for a task without anything to learn from; `None` for any other."""
    if not classifies(kind):
        return None if len(labels) else 0.0
    if len(labels) == 0:
        return NO_LABELS if kinds.labels_of(kind) == CLASSES else 0.5
    return float(labels[0]) if (labels == labels[0]).all() else None


def positive(estimator: Any, descriptors: np.ndarray) -> np.ndarray:
    """Probability of class 1 (n,), or a regressor's values."""
    if not hasattr(estimator, "predict_proba"):
        return estimator.predict(descriptors)
    return estimator.predict_proba(descriptors)[:, 1]


def of_classes(estimator: Any, descriptors: np.ndarray, num_classes: int) -> np.ndarray:
    """Probability of each class (n, C); classes that training did not have get 0, a task without labels 1/C each."""
    if not hasattr(estimator, "predict_proba"):
        constant = float(estimator.predict(descriptors[:1])[0])
        one = np.full(num_classes, 1 / num_classes) if constant == NO_LABELS else np.eye(num_classes)[int(constant)]
        return np.tile(one, (len(descriptors), 1))
    found = np.zeros((len(descriptors), num_classes))
    found[:, estimator.classes_.astype(np.int64)] = estimator.predict_proba(descriptors)
    return found


class RandomForest(TaskEstimators):
    """Random forest on fingerprints: strong on small sets.

    Reference:
        Breiman 2001, Machine Learning 45, 5.
    """

    config_class = ForestConfig

    def new_estimator(self, kind: str) -> Any:
        """A forest."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        config = self.config
        classify = classifies(kind)
        features = config.max_features or ("sqrt" if classify else 1 / 3)
        return (RandomForestClassifier if classify else RandomForestRegressor)(
            config.num_trees,
            max_features=features,
            min_samples_leaf=config.min_leaf,
            n_jobs=config.num_jobs,
            random_state=config.seed,
            **({} if classify else {"criterion": CRITERIA.get(config.criterion, "squared_error")}),
        )


class GradientBoosting(TaskEstimators):
    """Histogram gradient boosting on fingerprints.

    Reference:
        Friedman 2001, Annals of Statistics 29, 1189; Ke et al. 2017 (LightGBM).
    """

    config_class = BoostingConfig

    def new_estimator(self, kind: str) -> Any:
        """A sequence of trees."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        config = self.config
        classify = classifies(kind)
        return (HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor)(
            max_iter=config.num_trees,
            learning_rate=config.learning_rate,
            max_leaf_nodes=config.max_leaves,
            early_stopping=config.early_stopping,
            random_state=config.seed,
            **({} if classify else {"loss": CRITERIA.get(config.criterion, "squared_error")}),
        )
