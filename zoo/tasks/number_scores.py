"""Metrics of regression: errors, explained variance, correlations."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from zoo.tasks.scores import (
    CONSTANT,
    TOO_FEW,
    MeanOfRows,
    Metric,
    add_groups,
    divide,
    is_constant,
    sort_with_ties,
    sum_before,
)


class RMSE(Metric):
    """Root of the mean squared error."""

    higher_is_better, in_units = False, 1

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; errors are divided by the largest before they are squared, which could leave float64."""
        errors = np.abs(targets - predictions)
        largest = errors.max()
        return float(largest * np.sqrt(np.mean((errors / largest) ** 2))) if largest > 0 else 0.0

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        errors = np.abs(targets - predictions)
        largest = errors.max() or 1.0
        return largest * np.sqrt(divide(counts @ (errors / largest) ** 2, counts.sum(axis=1)))


class MSE(MeanOfRows):
    """Mean squared error."""

    higher_is_better, in_units = False, 2

    def rows(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Squared errors (n,)."""
        return (targets - predictions) ** 2


class MAE(MeanOfRows):
    """Mean absolute error."""

    higher_is_better, in_units = False, 1

    def rows(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Absolute errors (n,)."""
        return np.abs(targets - predictions)


class OfVariance(Metric):
    """A metric that needs labels which differ."""

    def undefined(self, targets: np.ndarray) -> str:
        """Say that there is no variance to explain."""
        if len(targets) < 2:
            return TOO_FEW
        return "the same label everywhere" if is_constant(targets) else ""


class R2(OfVariance):
    """Share of the variance of the labels that is explained; at most 1, negative where their mean predicts better."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric; everything is divided by the spread before it is squared, which could leave float64."""
        deviations = targets - targets.mean()
        spread = np.abs(deviations).max()
        errors = (targets - predictions) / spread
        return float(1.0 - np.sum(errors**2) / np.sum((deviations / spread) ** 2))

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        deviations = targets - targets.mean()
        spread = np.abs(deviations).max()
        errors, variance = (targets - predictions) / spread, moments(deviations / spread, counts)[1]
        return 1.0 - divide(counts @ errors**2, variance)


class Correlation(OfVariance):
    """A correlation of labels and predictions, which both have to differ."""

    def unranked(self, predictions: np.ndarray) -> str:
        """Say that predictions do not differ."""
        return CONSTANT if is_constant(predictions) else ""


class Pearson(Correlation):
    """Pearson's linear correlation, from -1 to 1."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_scipy("pearsonr", targets - targets.mean(), predictions - predictions.mean())

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        return correlate(standardize(targets), standardize(predictions), counts)


class Spearman(Correlation):
    """Spearman's correlation of ranks, from -1 to 1."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_scipy("spearmanr", targets, predictions)

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        return correlate(ranks(targets, counts), ranks(predictions, counts), counts)


class Kendall(Correlation):
    """Kendall's τ-b: the share of pairs in the same order minus the share in the opposite one, ties taken out."""

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        return from_scipy("kendalltau", targets, predictions)


def from_scipy(name: str, *args: Any, **options: Any) -> float:
    """Return the statistic of a function of `scipy.stats`."""
    from scipy import stats

    with warnings.catch_warnings():  # about values that hardly differ
        warnings.simplefilter("ignore")
        return float(getattr(stats, name)(*args, **options).statistic)


def standardize(values: np.ndarray) -> np.ndarray:
    """Values (n,) minus their mean, over the largest deviation: their squares stay within float64."""
    deviations = values - values.mean()
    return deviations / (np.abs(deviations).max() or 1.0)


def moments(values: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means (R, 1) of values (n,) or (R, n) on resamples, and their sums of squared deviations (R,)."""
    means = divide((counts * values).sum(axis=1), counts.sum(axis=1))[:, None]
    return means, (counts * (values - means) ** 2).sum(axis=1)


def correlate(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Correlation (R,) of values (n,) or (R, n) on resamples; NaN where one of them does not differ."""
    (mean, squares), (other_mean, other_squares) = moments(first, counts), moments(second, counts)
    product = (counts * (first - mean) * (second - other_mean)).sum(axis=1)
    return divide(product, np.sqrt(squares * other_squares))


def ranks(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Ranks (R, n) of values (n,) in each resample, equal ones with the mean of theirs, centred."""
    order, starts = sort_with_ties(values)
    groups = add_groups(counts, order, starts)
    middle = sum_before(groups) + (groups - counts.sum(axis=1, keepdims=True)) / 2
    found = np.empty_like(counts)
    found[:, order] = np.repeat(middle, np.diff(starts, append=len(order)), axis=1)
    return found
