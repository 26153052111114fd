"""Calibration of the probabilities of classes, one task at a time: temperature, Platt, isotonic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from zoo.data.arrays import Floats

TEMPERATURE, PLATT, ISOTONIC, NONE = "temperature", "platt", "isotonic", "none"
METHODS = (TEMPERATURE, PLATT, ISOTONIC, NONE)
LEAST = 1e-12  # probability below which a logarithm is cut off
HOTTEST = 7.0  # logarithm of the largest temperature, and minus that of the smallest


def logarithms(probabilities: Floats) -> Floats:
    """Logarithms of probabilities, bounded."""
    return np.log(np.clip(np.asarray(probabilities, np.float64), LEAST, 1.0))


def normalized(values: Floats) -> Floats:
    """Values (n, C), divided by their sum; all classes alike where it is 0."""
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1.0), 1 / values.shape[1])


def fit_temperature(probabilities: Floats, labels: Floats) -> dict[str, Any]:
    """Find the temperature that divides the logits, under which the labels are likeliest.

    Args:
        probabilities: (n, C).
        labels: Class of each (n,).

    Reference:
        Guo et al. 2017 (arXiv:1706.04599).
    """
    from scipy.optimize import minimize_scalar

    logits, true = logarithms(probabilities), labels.astype(np.int64)[:, None]

    def loss(heat: float) -> float:
        scaled = logits / np.exp(heat)
        scaled -= scaled.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(scaled).sum(axis=1)) - np.take_along_axis(scaled, true, 1)[:, 0]))

    found = minimize_scalar(loss, bounds=(-HOTTEST, HOTTEST), method="bounded", options={"xatol": 1e-7})
    return {"temperature": float(np.exp(found.x))}


def apply_temperature(probabilities: Floats, state: Mapping[str, Any]) -> Floats:
    """Divide the logits of probabilities (n, C) by the temperature."""
    scaled = logarithms(probabilities) / state["temperature"]
    return normalized(np.exp(scaled - scaled.max(axis=1, keepdims=True)))


def fit_platt(probabilities: Floats, labels: Floats) -> dict[str, Any]:
    """Fit a logistic regression on the logit of each class against the others, with Platt's softened labels.

    Reference:
        Platt 1999, section 2.2.
    """
    from sklearn.linear_model import LogisticRegression

    lines = []
    for number, column in enumerate(probabilities.T):
        positive = labels == number
        soft = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
        logit = np.tile(logit_of(column), 2)[:, None]
        weights, classes = np.concatenate([soft, 1 - soft]), np.repeat([1, 0], len(soft))
        model = LogisticRegression(C=1e10, max_iter=1000).fit(logit, classes, sample_weight=weights)
        lines.append([float(model.coef_[0, 0]), float(model.intercept_[0])])
    return {"lines": lines}


def apply_platt(probabilities: Floats, state: Mapping[str, Any]) -> Floats:
    """Apply the logistic regressions to probabilities (n, C)."""
    from scipy.special import expit

    slopes, shifts = np.asarray(state["lines"], np.float64).T
    return normalized(expit(logit_of(probabilities) * slopes + shifts))


def fit_isotonic(probabilities: Floats, labels: Floats) -> dict[str, Any]:
    """Fit the nearest rising step function of the probability of each class against the others.

    Reference:
        Zadrozny & Elkan 2002.
    """
    from sklearn.isotonic import IsotonicRegression

    steps = []
    for number, column in enumerate(probabilities.T):
        model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(column, labels == number)
        steps.append([model.X_thresholds_.tolist(), model.y_thresholds_.tolist()])
    return {"steps": steps}


def apply_isotonic(probabilities: Floats, state: Mapping[str, Any]) -> Floats:
    """Apply the step functions to probabilities (n, C)."""
    columns = [np.interp(column, *steps) for column, steps in zip(probabilities.T, state["steps"], strict=True)]
    return normalized(np.stack(columns, axis=1))


def logit_of(probabilities: Floats) -> Floats:
    """Logits of probabilities, bounded."""
    return logarithms(probabilities) - logarithms(1 - np.asarray(probabilities, np.float64))


FIT = {TEMPERATURE: fit_temperature, PLATT: fit_platt, ISOTONIC: fit_isotonic}
APPLY = {TEMPERATURE: apply_temperature, PLATT: apply_platt, ISOTONIC: apply_isotonic}


def fit_probabilities(method: str, probabilities: Floats, labels: Floats) -> dict[str, Any]:
    """Fit a method for one task.

    Args:
        method: One of `METHODS`.
        probabilities: (n, C), of two classes both.
        labels: Class of each (n,).

    Returns:
        What `apply_probabilities` needs, as plain data.
    """
    return {} if method == NONE else FIT[method](np.asarray(probabilities, np.float64), labels)


def apply_probabilities(method: str, probabilities: Floats, state: Mapping[str, Any]) -> Floats:
    """Correct probabilities (n, C); rows without a prediction stay NaN."""
    if method == NONE:
        return probabilities
    known = np.isfinite(probabilities).all(axis=1)
    found = np.full(probabilities.shape, np.nan)
    found[known] = APPLY[method](probabilities[known], state)
    return found
