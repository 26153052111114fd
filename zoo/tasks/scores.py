"""`Metric`, and what metrics share: means over rows, counts of ties, the resamples of a bootstrap.

A resample is a row of `counts` (R, n): how often each of the n molecules was drawn. Metrics compute all resamples at
once from sums and sorted cumulative sums; drawing rows and calling scikit-learn for each would take a thousand times
as long. `Metric.resampled` does just that for metrics of others, with fewer resamples.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, ClassVar

import numpy as np

ONE_CLASS = "labels of one class only"
TOO_FEW = "fewer than two labels"
CONSTANT = "the same prediction everywhere"
MOST_CALLS = 200
"""Resamples of a metric that computes one after another."""


class Metric:
    """Quality of the predictions of one target, as a number.

    Attributes:
        higher_is_better: Whether larger values are better.
        in_units: Power of the target's unit that it has, so that targets are comparable only after scaling: 1 (or true)
            for a mean error, 2 for a squared one, 0 (or false) without a unit.
        decides: Whether it compares classes, which takes a threshold where there are two.
    """

    higher_is_better: ClassVar[bool] = True
    in_units: ClassVar[int] = 0
    decides: ClassVar[bool] = False

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

    def unranked(self, predictions: np.ndarray) -> str:
        """Return why there is no value for these predictions (n,) or (n, C), or an empty string."""
        return ""

    def at(self, threshold: float) -> Metric:
        """Return the metric with this threshold between two classes, unless it has one of its own or needs none."""
        return self

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute it on resamples.

        Args:
            targets: (n,).
            predictions: (n,) or (n, C).
            counts: How often each resample has each row (R, n), whole numbers as float64.

        Returns:
            (R,), NaN where it is not defined, and for what comes after the first 200 resamples.
        """
        values, rows = np.full(len(counts), np.nan), np.arange(len(targets))
        for number, times in enumerate(counts[:MOST_CALLS].astype(np.int64)):
            drawn = np.repeat(rows, times)
            if len(drawn) and not (self.undefined(targets[drawn]) or self.unranked(predictions[drawn])):
                values[number] = self(targets[drawn], predictions[drawn])
        return values


class MeanOfRows(Metric):
    """Mean of a value that each row has."""

    def rows(self, targets: np.ndarray, predictions: np.ndarray) -> np.ndarray:
        """Value of each row (n,)."""
        raise NotImplementedError

    def __call__(self, targets: np.ndarray, predictions: np.ndarray) -> float:
        """Compute the metric."""
        with np.errstate(over="ignore"):
            return float(np.mean(self.rows(targets, predictions)))

    def resampled(self, targets: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
        """Compute the metric on resamples."""
        with np.errstate(over="ignore"):
            return divide(counts @ self.rows(targets, predictions), counts.sum(axis=1))


def from_sklearn(name: str, *args: Any, **options: Any) -> float:
    """Call a function of `sklearn.metrics`, which is imported at the first use: predicting can spare it."""
    return float(getattr(import_module("sklearn.metrics"), name)(*args, **options))


def divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(denominator == 0, np.nan, numerator / denominator)


def sort_with_ties(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of values (n,), ascending, and the places in it where a group of equal values begins (G,).

    Example:
        >>> sort_with_ties(np.array([0.3, 0.1, 0.3]))
        (array([1, 0, 2]), array([0, 1]))
    """
    order = np.argsort(values, kind="stable")
    return order, np.flatnonzero(np.diff(values[order], prepend=np.nan) != 0)


def add_groups(counts: np.ndarray, order: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Sum counts (R, n) over each group (R, G), in the order of `sort_with_ties`."""
    ordered = counts[:, order]
    return ordered if len(starts) == len(order) else np.add.reduceat(ordered, starts, axis=1)


def sum_before(counts: np.ndarray) -> np.ndarray:
    """Sum of what comes before each entry of a row (R, G).

    Example:
        >>> sum_before(np.array([[2.0, 0.0, 3.0]]))
        array([[0., 2., 2.]])
    """
    return np.cumsum(counts, axis=1) - counts


def is_constant(values: np.ndarray) -> bool:
    """Return whether all values are equal, or there is none."""
    return not len(values) or bool(values.min() == values.max())
