"""The built-in metrics of one target. scikit-learn is imported at the first use, which predicting can spare."""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np


class Metric:
    """Quality of the predictions of one target, as a number.

    Attributes:
        higher_is_better: Whether larger values are better.
        in_units: Whether it has the unit of the target, so that targets are comparable only after scaling.
    """

    higher_is_better: ClassVar[bool] = True
    in_units: ClassVar[bool] = False

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute it.

        Args:
            targets: Labels (n,), float64, none missing.
            predictions: (n,), or probabilities of the classes (n, C); float64, none missing.
        """
        raise NotImplementedError

    def undefined(self, targets: np.ndarray) -> str:
        """Return why there is no value for these labels (n,), or an empty string."""
        return ""


def from_sklearn(name: str, *args: Any, **options: Any) -> float:
    """Call a function of `sklearn.metrics`."""
    return float(getattr(import_module("sklearn.metrics"), name)(*args, **options))


class Ranking(Metric):
    """A metric that needs both classes."""

    def undefined(self, targets: np.ndarray) -> str:
        """Name the class that is missing."""
        return "labels of one class only" if len(np.unique(targets)) < 2 else ""


class RocAuc(Ranking):
    """Area under the ROC curve."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("roc_auc_score", targets, predictions)


class PrcAuc(Ranking):
    """Average precision, the area under the precision-recall curve."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("average_precision_score", targets, predictions)


def likeliest(predictions: np.ndarray, threshold: float = 0.5) -> np.ndarray:
    """Class (n,) of probabilities of class 1 (n,) or of all classes (n, C)."""
    return predictions.argmax(axis=1) if predictions.ndim == 2 else (predictions >= threshold).astype(np.int64)


class Accuracy(Metric):
    """Share of correct predictions.

    Args:
        threshold: Probability from which class 1 is predicted (two classes only).
    """

    def __init__(self, threshold: float = 0.5) -> None:
        self.threshold = threshold

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return float(np.mean(likeliest(predictions, self.threshold) == targets))


class BalancedAccuracy(Metric):
    """Mean over the classes of the share of correct predictions."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        right = likeliest(predictions) == targets
        return float(np.mean([right[targets == each].mean() for each in np.unique(targets)]))


class MacroF1(Metric):
    """Mean of the F1 scores of the classes that occur in labels or predictions."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("f1_score", targets.astype(np.int64), likeliest(predictions), average="macro")


class LogLoss(Metric):
    """Mean negative logarithm of the probability of the true class; probabilities below 1e-15 count as that."""

    higher_is_better = False

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        true = predictions[np.arange(len(targets)), targets.astype(np.int64)]
        return float(-np.log(np.clip(true, 1e-15, None)).mean())


class RMSE(Metric):
    """Root of the mean squared error."""

    higher_is_better, in_units = False, True

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; errors are divided by the largest before they are squared, which could leave float64."""
        errors = np.abs(targets - predictions)
        largest = errors.max()
        return float(largest * np.sqrt(np.mean((errors / largest) ** 2))) if largest > 0 else 0.0


class MAE(Metric):
    """Mean absolute error."""

    higher_is_better, in_units = False, True

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return float(np.mean(np.abs(targets - predictions)))


class R2(Metric):
    """Share of the variance of the labels that is explained; at most 1, negative where their mean predicts better."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; everything is divided by the spread before it is squared, which could leave float64."""
        deviations = targets - targets.mean()
        spread = np.abs(deviations).max()
        errors = (targets - predictions) / spread
        return float(1.0 - np.sum(errors**2) / np.sum((deviations / spread) ** 2))

    def undefined(self, targets: np.ndarray) -> str:
        """Say that there is no variance to explain."""
        if len(targets) < 2:
            return "fewer than two labels"
        return "the same label everywhere" if targets.min() == targets.max() else ""
