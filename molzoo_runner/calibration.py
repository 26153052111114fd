"""Calibrated probabilities, intervals and sets of classes, from what was fitted on a validation part.

The same numbers as `zoo.trust.Calibration` gives, which needs SciPy and crepes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from molzoo_runner.errors import ModelFileError

LEAST, ROUNDING = 1e-12, 1e-12
METHODS = ("none", "temperature", "platt", "isotonic")
OF_NUMBERS, OF_CLASSES = ("absolute",), ("sets", "adaptive", "mondrian")


@dataclass(frozen=True)
class Calibration:
    """Calibration of a model's values.

    Args:
        probabilities: Name of the method that corrects probabilities; "none" for numbers.
        states: What the method needs, for each task (T); `None` where a task had too few labels.
        conformal: Name of the conformal method.
        scores: Scores of each task (T) in ascending order; for "mondrian" a list for each class.
    """

    probabilities: str
    states: list[Any]
    conformal: str
    scores: list[Any]

    @classmethod
    def read(cls, raw: Mapping[str, Any], num_tasks: int, num_classes: int) -> Calibration | None:
        """Read that of a manifest; `None` where it has none.

        Args:
            raw: As `zoo` keeps it.
            num_tasks: T.
            num_classes: Classes of each task; 0 for numbers.

        Raises:
            ModelFileError: It is damaged.
        """
        if not raw:
            return None
        try:
            states = list(raw.get("states") or [None] * num_tasks)
            made = cls(str(raw["probabilities"]), states, str(raw["conformal"]), list(raw["scores"]))
            made._try_out(num_tasks, num_classes)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, ArithmeticError) as error:
            raise ModelFileError(f"the calibration of the manifest is damaged: {error!r}") from error
        return made

    def _try_out(self, num_tasks: int, num_classes: int) -> None:
        """Raise an error unless everything works on even probabilities."""
        if self.probabilities not in METHODS or self.conformal not in (OF_CLASSES if num_classes else OF_NUMBERS):
            raise ValueError(f"method {self.probabilities[:40]!r} with {self.conformal[:40]!r}")
        if len(self.scores) != num_tasks or len(self.states) != num_tasks:
            raise ValueError(f"it is not of {num_tasks} tasks")
        for scores in self.scores:
            lists = scores if self.conformal == "mondrian" else [scores]
            if not np.isfinite(np.concatenate([np.asarray(each, np.float64) for each in lists])).all():
                raise ValueError("its scores are not numbers")
        if not num_classes:
            self.intervals(np.zeros((1, num_tasks)), 0.5)
            return
        even = np.full((1, num_tasks, num_classes), 1 / num_classes)
        corrected = self.correct(even)
        if corrected.shape != even.shape or not np.isfinite(corrected).all():
            raise ValueError("it gives no probabilities")
        self.sets(even, 0.5)

    def correct(self, both: np.ndarray) -> np.ndarray:
        """Correct the probabilities of all classes (n, T, C); those of no molecule stay NaN."""
        columns = [
            both[:, task] if state is None else _correct(self.probabilities, both[:, task], state)
            for task, state in enumerate(self.states)
        ]
        return np.stack(columns, axis=1)

    def intervals(self, values: np.ndarray, coverage: float) -> np.ndarray:
        """Return the interval around each number (n, T, 2); infinite where labels were too few."""
        widths = np.array([threshold(scores, coverage) for scores in self.scores])
        return np.stack([values - widths, values + widths], axis=-1)

    def sets(self, both: np.ndarray, coverage: float) -> np.ndarray:
        """Return which classes (n, T, C) a set holds, of corrected probabilities; empty where there are none."""
        columns = []
        for task, scores in enumerate(self.scores):
            lists = scores if self.conformal == "mondrian" else [scores]
            limits = np.array([threshold(each, coverage) for each in lists])
            columns.append(conformity(self.conformal, both[:, task]) <= limits)
        return np.stack(columns, axis=1) & ~np.isnan(both)


def threshold(scores: Any, coverage: float) -> float:
    """Return the ceil((n + 1) coverage)-th smallest of n scores; infinity where n is too small."""
    rank = math.ceil((len(scores) + 1) * coverage - ROUNDING * (len(scores) + 1))
    return math.inf if rank > len(scores) else float(np.sort(np.asarray(scores, np.float64))[max(rank, 1) - 1])


def require_coverage(coverage: float) -> None:
    """Raise a `ValueError` unless a coverage lies between 0 and 1."""
    if not 0 < coverage < 1:
        raise ValueError(f"coverage={coverage}: give a share between 0 and 1, such as 0.9")


def conformity(method: str, probabilities: np.ndarray) -> np.ndarray:
    """Return how little each class (n, C) conforms to its probability, for "adaptive" and for the other methods."""
    if method != "adaptive":
        return 1 - probabilities
    order = np.argsort(-probabilities, axis=1, kind="stable")
    sums = np.cumsum(np.take_along_axis(probabilities, order, axis=1), axis=1)
    found = np.empty_like(sums)
    np.put_along_axis(found, order, sums, axis=1)
    return found


def _correct(method: str, probabilities: np.ndarray, state: Mapping[str, Any]) -> np.ndarray:
    if method == "none":
        return probabilities
    known = np.isfinite(probabilities).all(axis=1)
    found = np.full(probabilities.shape, np.nan)
    found[known] = APPLY[method](np.asarray(probabilities[known], np.float64), state)
    return found


def _logarithms(probabilities: np.ndarray) -> np.ndarray:
    return np.log(np.clip(probabilities, LEAST, 1.0))


def _normalized(values: np.ndarray) -> np.ndarray:
    total = values.sum(axis=1, keepdims=True)
    return np.where(total > 0, values / np.where(total > 0, total, 1.0), 1 / values.shape[1])


def _temperature(probabilities: np.ndarray, state: Mapping[str, Any]) -> np.ndarray:
    heat = float(state["temperature"])
    if not 0 < heat < math.inf:
        raise ValueError(f"temperature={heat}")
    scaled = _logarithms(probabilities) / heat
    return _normalized(np.exp(scaled - scaled.max(axis=1, keepdims=True)))


def _platt(probabilities: np.ndarray, state: Mapping[str, Any]) -> np.ndarray:
    slopes, shifts = np.asarray(state["lines"], np.float64).T
    logits = (_logarithms(probabilities) - _logarithms(1 - probabilities)) * slopes + shifts
    return _normalized(np.exp(-np.logaddexp(0, -logits)))


def _isotonic(probabilities: np.ndarray, state: Mapping[str, Any]) -> np.ndarray:
    columns = [np.interp(column, *steps) for column, steps in zip(probabilities.T, state["steps"], strict=True)]
    return _normalized(np.stack(columns, axis=1))


APPLY = {"temperature": _temperature, "platt": _platt, "isotonic": _isotonic}
