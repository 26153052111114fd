"""Metrics of two and of several classes."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from zoo.tasks.scores import (
    ONE_CLASS,
    MeanOfRows,
    Metric,
    add_groups,
    divide,
    from_sklearn,
    is_constant,
    sort_with_ties,
    sum_before,
)

DEFAULT_THRESHOLD = 0.5
SMALLEST = float(np.finfo(np.float64).eps)


def likeliest(predictions: np.ndarray, threshold: float = DEFAULT_THRESHOLD) -> np.ndarray:
    """Class (n,) of probabilities of class 1 (n,) or of all classes (n, C)."""
    return predictions.argmax(axis=1) if predictions.ndim == 2 else (predictions >= threshold).astype(np.int64)


class Ranking(Metric):
    """A metric that needs both classes; with several classes it is the mean over each against the rest."""

    def undefined(self, targets: np.ndarray) -> str:
        """Name the class that is missing."""
        return ONE_CLASS if is_constant(targets) else ""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; classes without labels do not count."""
        if predictions.ndim == 1:
            return self.of_two(targets, predictions)
        return float(np.mean([self.of_two(targets == each, predictions[:, int(each)]) for each in np.unique(targets)]))

    def of_two(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric of two classes; `targets` (n,) are 0 and 1."""
        raise NotImplementedError

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        if predictions.ndim == 1:
            return self.resampled_two(targets, predictions, counts)
        each = [self.resampled_two(targets == c, predictions[:, int(c)], counts) for c in np.unique(targets)]
        known = ~np.isnan(each)
        return divide(np.nansum(each, axis=0), known.sum(axis=0))

    def resampled_two(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric of two classes on resamples (R,)."""
        raise NotImplementedError


class RocAuc(Ranking):
    """Area under the ROC curve; with several classes one against the rest, the mean over classes."""

    def of_two(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("roc_auc_score", targets, predictions)

    def resampled_two(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Share of the pairs of both classes that are in the right order, ties counted half."""
        order, starts = sort_with_ties(predictions)
        ones, zeros = (add_groups(counts * part, order, starts) for part in (targets, 1.0 - targets))
        right = (ones * (sum_before(zeros) + zeros / 2)).sum(axis=1)
        return divide(right, ones.sum(axis=1) * zeros.sum(axis=1))


class PrcAuc(Ranking):
    """Average precision, the area under the precision-recall curve."""

    def of_two(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("average_precision_score", targets, predictions)

    def resampled_two(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Mean over the labels of class 1 of the precision at their places."""
        order, starts = sort_with_ties(-predictions)
        ones, all_of_them = add_groups(counts * targets, order, starts), add_groups(counts, order, starts)
        precision = np.nan_to_num(divide(np.cumsum(ones, axis=1), np.cumsum(all_of_them, axis=1)))
        positive = ones.sum(axis=1)
        return np.where(positive == counts.sum(axis=1), np.nan, divide((ones * precision).sum(axis=1), positive))


class Brier(MeanOfRows):
    """Mean squared error of the probability of class 1."""

    higher_is_better = False

    def rows(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Squared errors (n,)."""
        return (targets - predictions) ** 2


class LogLoss(MeanOfRows):
    """Mean negative logarithm of the probability of the true class; smaller ones than 2.2e-16 count as that."""

    higher_is_better = False

    def rows(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Negative logarithms (n,)."""
        if predictions.ndim == 2:
            true = predictions[np.arange(len(targets)), targets.astype(np.int64)]
        else:
            true = np.where(targets == 1, predictions, 1.0 - predictions)
        return -np.log(np.clip(true, SMALLEST, None))


class Decision(Metric):
    """A metric of the classes that are decided for; of two classes, class 1 from a threshold on.

    Args:
        threshold: Probability from which class 1 is predicted (two classes only); None takes the task's, which was
            chosen on the validation part, or else 0.5.
    """

    decides: ClassVar[bool] = True
    needs_both: ClassVar[bool] = True

    def __init__(self, threshold: float | None = None) -> None:
        self.threshold = threshold

    def at(self, threshold: float) -> Metric:
        """Return the metric with this threshold, unless it was made with one."""
        if self.threshold is not None:
            return self
        made = type(self)()
        made.threshold = threshold  # above 1 where no molecule is to be counted to class 1
        return made

    def undefined(self, targets: np.ndarray) -> str:
        """Say that a class is missing."""
        return ONE_CLASS if self.needs_both and is_constant(targets) else ""

    def classes(self, predictions: np.ndarray) -> np.ndarray:
        """Class of each row (n,)."""
        return likeliest(predictions, DEFAULT_THRESHOLD if self.threshold is None else self.threshold)

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return self.of_classes(targets.astype(np.int64), self.classes(predictions))

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric of classes (n,) and predicted ones (n,)."""
        raise NotImplementedError

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts (..., C, C) of measured (rows) and predicted (columns) classes.

        Returns:
            (...), NaN where it is not defined.
        """
        raise NotImplementedError

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        from scipy.sparse import csr_array

        size = predictions.shape[1] if predictions.ndim == 2 else 2
        cells = targets.astype(np.int64) * size + self.classes(predictions)
        places = csr_array((np.ones(len(cells)), (cells, np.arange(len(cells)))), shape=(size * size, len(cells)))
        confusion = (places @ counts.T).T.reshape(len(counts), size, size)
        alone = (confusion.sum(axis=2) > 0).sum(axis=1) < (2 if self.needs_both else 1)
        return np.where(alone, np.nan, self.of_confusion(confusion))


class Accuracy(Decision):
    """Share of correct predictions."""

    needs_both = False

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("accuracy_score", targets, classes)

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts."""
        return divide(np.trace(confusion, axis1=-2, axis2=-1), confusion.sum(axis=(-2, -1)))


class BalancedAccuracy(Decision):
    """Mean over the classes of the share of correct predictions."""

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric."""
        return float(np.mean([np.mean(classes[targets == each] == each) for each in np.unique(targets)]))

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts."""
        measured = confusion.sum(axis=-1)
        right = np.nan_to_num(divide(np.diagonal(confusion, axis1=-2, axis2=-1), measured))
        return divide(right.sum(axis=-1), (measured > 0).sum(axis=-1))


class F1(Decision):
    """Harmonic mean of precision and recall of class 1; 0 where nothing of it was found."""

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("f1_score", targets, classes)

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts."""
        return f1_of(confusion)[..., 1]


class MacroF1(Decision):
    """Mean of the F1 scores of the classes that occur in labels or predictions."""

    needs_both = False

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("f1_score", targets, classes, average="macro")

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts."""
        scores = f1_of(confusion)
        return divide(np.nansum(scores, axis=-1), (~np.isnan(scores)).sum(axis=-1))


def f1_of(confusion: np.ndarray) -> np.ndarray:
    """F1 score of each class (..., C); NaN for those that occur neither in labels nor in predictions."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    return divide(2 * right, confusion.sum(axis=-1) + confusion.sum(axis=-2))


class Mcc(Decision):
    """Matthews' correlation of labels and predicted classes; 0 where one class is predicted everywhere.

    Reference:
        Gorodkin 2004, Computational Biology and Chemistry 28, 367, for several classes.
    """

    def of_classes(self, targets: np.ndarray, classes: np.ndarray) -> float:
        """Compute the metric."""
        return from_sklearn("matthews_corrcoef", targets, classes)

    def of_confusion(self, confusion: np.ndarray) -> np.ndarray:
        """Compute the metric of counts."""
        size, right = confusion.sum(axis=(-2, -1)), np.trace(confusion, axis1=-2, axis2=-1)
        measured, predicted = confusion.sum(axis=-1), confusion.sum(axis=-2)
        spread = (size**2 - (measured**2).sum(axis=-1)) * (size**2 - (predicted**2).sum(axis=-1))
        return np.nan_to_num(divide(right * size - (measured * predicted).sum(axis=-1), np.sqrt(spread)))
