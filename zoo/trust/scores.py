"""Measures of uncertainty, of one task: is what a model says about its errors true?

Those of deviations agree with chemprop 2.3.1 (`nll`, `miscalibration_area`, `ence`, `spearman`, `coverage`).
"""

from __future__ import annotations

import math

import numpy as np

from zoo.data.arrays import Bool, Floats

LEAST = 1e-12


def gaussian_nll(errors: Floats, spread: Floats) -> float:
    """Mean negative logarithm of the Gaussian density of errors (n,) under deviations (n,)."""
    variance = np.maximum(spread, LEAST) ** 2
    return float(np.mean(0.5 * (np.log(2 * math.pi * variance) + errors**2 / variance)))


def miscalibration_area(errors: Floats, spread: Floats, num_bins: int = 100) -> float:
    """Area between the calibration curve and the diagonal: 0 where every interval holds the share that it should.

    Reference:
        Kuleshov et al. 2018 (arXiv:1807.00263).
    """
    expected, observed = calibration_curve(errors, spread, num_bins)
    return float(np.abs(expected - observed).sum() / num_bins)


def calibration_curve(errors: Floats, spread: Floats, num_bins: int = 100) -> tuple[Floats, Floats]:
    """Shares of the errors (num_bins - 1,) that central Gaussian intervals should hold, and do hold."""
    from scipy.stats import norm

    expected = np.arange(1, num_bins) / num_bins
    widths = norm.ppf((1 + expected) / 2)
    return expected, np.mean(np.abs(errors)[None] <= widths[:, None] * spread[None], axis=1)


def ence(errors: Floats, spread: Floats, num_bins: int = 20) -> float:
    """Expected normalized calibration error: relative difference of deviation and error in bins of equal deviation.

    Args:
        errors: (n,).
        spread: (n,), above 0.
        num_bins: Bins of (nearly) equal size; at most n.

    Reference:
        Levi et al. 2022 (arXiv:1905.11659), equation 8.
    """
    order = np.argsort(spread, kind="stable")
    found = []
    for rows in np.array_split(order, min(num_bins, len(order))):
        deviation, error = np.sqrt(np.mean(spread[rows] ** 2)), np.sqrt(np.mean(errors[rows] ** 2))
        found.append(abs(deviation - error) / max(deviation, LEAST))
    return float(np.mean(found))


def spearman(errors: Floats, uncertainty: Floats) -> float:
    """Rank correlation of the size of errors with an uncertainty; NaN where one of them is constant."""
    from scipy.stats import spearmanr

    sizes = np.abs(errors)
    if len(sizes) < 2 or np.ptp(sizes) == 0 or np.ptp(uncertainty) == 0:
        return math.nan
    return float(spearmanr(sizes, uncertainty).statistic)


def coverage(labels: Floats, interval: Floats) -> float:
    """Share of labels (n,) inside of their intervals (n, 2)."""
    return float(np.mean((interval[:, 0] <= labels) & (labels <= interval[:, 1])))


def confidence_curve(errors: Floats, uncertainty: Floats, squared: bool = True) -> tuple[Floats, Floats]:
    """Error of the most certain share of the molecules, for growing shares.

    Args:
        errors: (n,).
        uncertainty: (n,).
        squared: Root mean square; otherwise the mean.

    Returns:
        Shares (n,) up to 1, and the error of the most certain molecules up to each.
    """
    ordered = np.abs(errors)[np.argsort(uncertainty, kind="stable")]
    counts = np.arange(1, len(ordered) + 1)
    sums = np.cumsum(ordered**2 if squared else ordered)
    return counts / len(ordered), np.sqrt(sums / counts) if squared else sums / counts


def error_drop(errors: Floats, uncertainty: Floats, share: float = 0.5, squared: bool = True) -> float:
    """Error of the most certain share, relative to that of all: below 1 where the uncertainty serves."""
    shares, curve = confidence_curve(errors, uncertainty, squared)
    row = max(0, round(share * len(shares)) - 1)
    return float(curve[row] / curve[-1]) if curve[-1] > 0 else math.nan


def log_loss(labels: Floats, probabilities: Floats) -> float:
    """Mean negative logarithm of the probability (n, C) of the true class (n,), cut off at 1e-12."""
    return float(-np.mean(np.log(np.maximum(true_class(labels, probabilities), LEAST))))


def brier(labels: Floats, probabilities: Floats) -> float:
    """Brier score: mean squared error of probabilities (n, C), of class 1 where there are two, else over all classes.

    Reference:
        Brier 1950.
    """
    truth = np.eye(probabilities.shape[1])[labels.astype(np.int64)]
    squares = (probabilities - truth) ** 2
    return float(np.mean(squares[:, 1] if probabilities.shape[1] == 2 else squares.sum(axis=1)))


def expected_calibration_error(labels: Floats, probabilities: Floats, num_bins: int = 10) -> float:
    """Mean difference of confidence and accuracy, in bins of equal width of the likeliest class's probability.

    Reference:
        Guo et al. 2017 (arXiv:1706.04599), equation 3.
    """
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * num_bins).astype(np.int64), num_bins - 1)
    gaps = [abs(confidence[bins == each].sum() - right[bins == each].sum()) for each in range(num_bins)]
    return float(sum(gaps) / len(labels))


def true_class(labels: Floats, values: np.ndarray) -> np.ndarray:
    """Values (n, C) of the true classes (n,)."""
    return np.take_along_axis(values, labels.astype(np.int64)[:, None], axis=1)[:, 0]


def set_coverage(labels: Floats, sets: Bool) -> float:
    """Share of the labels (n,) that their sets (n, C) hold."""
    return float(np.mean(true_class(labels, sets)))
