"""Conformal prediction: intervals and sets that hold the true value of new molecules with the probability asked for.

This holds on average over molecules like those of the calibration part (exchangeable with them), whatever the model.
The order statistics come from crepes (Boström 2022), which works on residuals as they are here; MAPIE, which was
compared, wraps scikit-learn estimators and would predict anew.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence

import numpy as np

from zoo.data.arrays import Bool, Floats

ROUNDING = 1e-12  # 1 - 0.9 is a little less than 0.1, which would cost a rank
ABSOLUTE, NORMALIZED, INTERVAL = "absolute", "normalized", "interval"
SETS, ADAPTIVE, MONDRIAN = "sets", "adaptive", "mondrian"
OF_NUMBERS, OF_CLASSES = (ABSOLUTE, NORMALIZED, INTERVAL), (SETS, ADAPTIVE, MONDRIAN)


def require_coverage(coverage: float) -> float:
    """Return the coverage that was asked for.

    Raises:
        ValueError: It does not lie between 0 and 1.
    """
    if not 0 < coverage < 1:
        raise ValueError(
            f"coverage={coverage}: give a share between 0 and 1, such as 0.9; no finite interval holds every value"
        )
    return coverage


def most_coverage(count: int) -> float:
    """Largest coverage that this number of calibration labels allows.

    Example:
        >>> most_coverage(9)
        0.9
    """
    return count / (count + 1)


def threshold(scores: Sequence[float] | Floats, coverage: float, *, as_chemprop: bool = False) -> float:
    """Score that a new molecule stays below or at with the probability `coverage`.

    Args:
        scores: How little each label of the calibration part (n,) conforms to its prediction.
        coverage: Between 0 and 1.
        as_chemprop: Take the next larger score, as chemprop 2.3.1: it asks NumPy for the quantile ceil((n + 1)
            coverage) / n with "higher", which counts from 0 and is one rank above the smallest that is valid.

    Returns:
        The ceil((n + 1) coverage)-th smallest score; infinity where n is too small for the coverage.

    Example:
        >>> threshold(np.arange(1.0, 20.0), 0.9), threshold(np.arange(1.0, 20.0), 0.9, as_chemprop=True)
        (18.0, 19.0)
    """
    from zoo.trust.crepes_door import ConformalRegressor

    values = np.asarray(scores, np.float64)
    if as_chemprop:
        coverage = min(coverage + 1 / (len(values) + 1), most_coverage(len(values)))
    lowest = min(0.0, float(values.min(initial=0.0)))  # crepes takes absolute values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few scores: infinity says it
        fitted = ConformalRegressor().fit(residuals=values - lowest)
        return float(fitted.predict_int(np.zeros(1), confidence=coverage - ROUNDING)[0, 1]) + lowest


def scores_of_numbers(
    method: str, labels: Floats, values: Floats, spread: Floats | None, interval: Floats | None
) -> Floats:
    """Return how little labels (n,) conform to their predictions.

    Args:
        method: "absolute" (the error), "normalized" (the error in standard deviations) or "interval" (how far a label
            lies outside of its interval; negative inside).
        labels: (n,).
        values: (n,).
        spread: (n,), for "normalized".
        interval: (n, 2), for "interval".
    """
    if method == INTERVAL and interval is not None:
        return np.maximum(interval[:, 0] - labels, labels - interval[:, 1])
    errors = np.abs(labels - values)
    return errors / spread if method == NORMALIZED and spread is not None else errors


def interval_within(
    method: str, limit: float, values: Floats, spread: Floats | None, interval: Floats | None
) -> Floats:
    """Return the intervals (n, 2) whose labels would have at most the score `limit`; arguments as above."""
    if method == INTERVAL and interval is not None:
        middle = interval.mean(axis=1)
        ends = np.stack([interval[:, 0] - limit, interval[:, 1] + limit], axis=1)
        return np.stack([np.minimum(ends[:, 0], middle), np.maximum(ends[:, 1], middle)], axis=1)
    width = limit * spread if method == NORMALIZED and spread is not None else np.full(len(values), limit)
    return np.stack([values - width, values + width], axis=1)


def scores_of_classes(method: str, probabilities: Floats) -> Floats:
    """Return how little each class (n, C) conforms to its probability.

    Args:
        method: "sets" or "mondrian" (1 minus the probability), or "adaptive" (the probabilities of the class and of all
            that are likelier).
        probabilities: (n, C).

    Reference:
        Sadinle et al. 2019 (arXiv:1609.00451); Romano et al. 2020 (arXiv:2006.02544), without randomization.
    """
    from molzoo_runner.calibration import conformity  # only here: evaluation and sets need it, start-up does not

    return conformity(method, probabilities)


def sets_within(method: str, limits: float | Floats, probabilities: Floats) -> Bool:
    """Return which classes (n, C) have at most the score `limits`, which "mondrian" has for each class (C,)."""
    return scores_of_classes(method, probabilities) <= limits


def keep(scores: Floats, most: int) -> list[float]:
    """Return the scores in their order, thinned to `most` by taking larger ones, so that coverage is kept."""
    ordered = np.sort(np.asarray(scores, np.float64))
    if len(ordered) > most:
        ordered = ordered[np.ceil(np.arange(1, most + 1) * len(ordered) / most).astype(int) - 1]
    return ordered.tolist()


def labels_needed(coverage: float) -> int:
    """Number of calibration labels that a coverage needs.

    Example:
        >>> labels_needed(0.9), labels_needed(0.99)
        (9, 99)
    """
    return math.ceil(round(coverage / (1 - coverage), 6))
