"""`Measured`: what can be evaluated on data sets, with thresholds between two classes."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.arrays import Floats
from zoo.learners import evaluation
from zoo.learners.decisions import has_two_classes, thresholds_of, with_thresholds
from zoo.learners.labels import by_name
from zoo.recipe.fitted import Fitted
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.tasks import Evaluation

if TYPE_CHECKING:
    import pandas as pd


class Measured(ABC):
    """Base class of what predicts and is evaluated.

    Attributes:
        fitted: What training found.
    """

    fitted: Fitted

    @abstractmethod
    def predict(self, molecules: object, *, batch_size: int | None = None, on_invalid: str = "nan") -> Floats:
        """Predict molecules in their order."""

    @abstractmethod
    def check_dataset(self, data: MoleculeDataset | str | pd.DataFrame) -> MoleculeDataset:
        """Return the data set if its tasks are those that were trained."""

    @property
    def has_thresholds(self) -> bool:
        """Whether a task has two classes, between which a threshold decides."""
        return any(has_two_classes(self.fitted))

    def evaluate(
        self,
        data: MoleculeDataset | str | pd.DataFrame,
        *,
        batch_size: int | None = None,
        threshold: float | None = None,
    ) -> Evaluation:
        """Metrics on a data set, its own metric first: mean over the tasks where it is defined.

        Columns are taken by the names of the tasks that the learner was trained on, whatever their order. Tasks
        without labels, or of one class, are left out with a warning that names them; labels without a prediction too.
        The result is a dict that also knows the metrics of each task (`per_task`, `table()`) and, computed at their
        first use, bootstrap intervals (`interval`, `interval_by_task`, `to_frame()`).

        Args:
            data: A data set, or what `zoo.data.load` takes.
            batch_size: As in `predict`.
            threshold: Probability from which accuracy, balanced accuracy, F1 and MCC count a molecule to class 1, for
                all tasks; `None` takes the one that each task got on the validation part, and 0.5 without one.

        Raises:
            DataError: A task that the learner was trained on is missing.
        """
        dataset = self.check_dataset(by_name(data, self.fitted))
        return self.score(dataset, self.predict(dataset, batch_size=batch_size), threshold)

    def score(self, dataset: MoleculeDataset, predictions: np.ndarray, threshold: float | None = None) -> Evaluation:
        """Metrics of predictions (n, T) or (n, T, C) that were made already; otherwise as `evaluate`."""
        scaling = self.fitted.target_scaling or {}
        std = scaling.get("label_std") or scaling.get("std")  # in the unit of the labels
        found = evaluation.summarize(dataset, predictions, std, thresholds=thresholds_of(self.fitted, threshold))
        first = found.results[dataset.metric]
        if first.left_out:
            names = ", ".join(f"{dataset.task_names[task]} ({reason})" for task, reason in first.left_out)
            warnings.warn(f"left out of the mean {dataset.metric}: {names}", stacklevel=3)
        if found.unpredicted:
            warnings.warn(found.describe_unpredicted(), stacklevel=3)
        return found

    def choose_thresholds(
        self, valid: MoleculeDataset, predictions: np.ndarray, metric: str | None, folder: RunFolder | None = None
    ) -> None:
        """Choose thresholds as `with_thresholds` does, also in the best checkpoint of a run's folder."""
        self.fitted = with_thresholds(self.fitted, valid, predictions, metric)
        if folder is not None and folder.writes:
            checkpoint.rewrite_fitted(folder.checkpoint("best"), self.fitted)
