"""`Calibration`: what was fitted on the validation part for one estimator, and its use on predictions.

`Fitted.calibration` holds one for each estimator as plain data, so that a checkpoint needs no code to be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from zoo.data.arrays import Bool, Floats
from zoo.learners.uncertainty import Estimate
from zoo.recipe.fitted import Fitted
from zoo.recipe.mapping import from_mapping
from zoo.trust import conformal
from zoo.trust.conformal import most_coverage, threshold
from zoo.trust.probabilities import NONE, apply_probabilities

CALIBRATED = "calibrated"
"""Name of the estimator that tells what a calibration alone can tell."""
REMEDY = "calibrate it first: molzoo calibrate RUN, or zoo.trust.calibrate(learner, data)"


@dataclass(frozen=True)
class Calibration:
    """Calibration of one estimator of a learner or an ensemble.

    Args:
        molecules: Number of molecules that it was fitted on.
        options: Options of the estimator.
        probabilities: Name of the method that corrects probabilities; "none" for numbers.
        states: What the method needs, for each task; None where a task had too few labels.
        scale: Name of the method that scaled deviations of numbers.
        factors: Factor of the deviation of each task (T); None where a task had too few labels.
        floors: Least deviation of each task (T) before it is scaled: 0 would promise a value without any error.
        conformal: Name of the conformal method.
        scores: Scores of each task (T) in their order; for "mondrian" a list for each class; empty where a task had
            too few labels.
    """

    molecules: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    probabilities: str = NONE
    states: tuple[Any, ...] = ()
    scale: str = NONE
    factors: tuple[float | None, ...] = ()
    floors: tuple[float, ...] = ()
    conformal: str = conformal.ABSOLUTE
    scores: tuple[Any, ...] = ()

    @classmethod
    def of(cls, fitted: Fitted, name: str) -> Calibration | None:
        """Read that of an estimator; None where it has none.

        Raises:
            ValueError: It was damaged by hand.
        """
        if name not in fitted.calibration:
            return None
        try:
            found = from_mapping(cls, fitted.calibration[name])
            found.check(fitted.num_tasks)
        except (TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"the calibration of {name!r} cannot be read ({error}): {REMEDY}") from error
        return found

    def check(self, num_tasks: int) -> None:
        """Raise a `ValueError` or `TypeError` for scores or factors that are not numbers of as many tasks."""
        lengths = {len(self.scores), *(len(each) for each in (self.states, self.factors, self.floors) if each)}
        if lengths != {num_tasks}:
            raise ValueError(f"it is of {sorted(lengths)} tasks and not of {num_tasks}")
        numbers = [score for task in range(num_tasks) for scores in self._lists(task) for score in scores]
        numbers += [factor for factor in (*self.factors, *self.floors) if factor is not None]
        if not np.isfinite(np.array(numbers, dtype=np.float64)).all():
            raise ValueError("it holds infinite numbers")

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for `Fitted.calibration`."""
        return asdict(self)

    def other_options(self, options: Mapping[str, Any]) -> str:
        """Return the options that it was fitted with where others are asked for, as text; the seed does not count."""
        other = {key: value for key, value in self.options.items() if options.get(key) != value and key != "seed"}
        return ", ".join(f"{key}={value!r}" for key, value in other.items())

    def correct(self, found: Estimate) -> Estimate:
        """Correct probabilities (n, T) or (n, T, C), or scale the deviations of numbers (n, T)."""
        if self.factors:
            if found.spread is None:
                return found
            factors = np.array([1.0 if factor is None else factor for factor in self.factors])
            spread = np.maximum(found.spread, np.array(self.floors or 0.0)) * factors
            return Estimate(found.values, spread, found.interval)
        if self.probabilities == NONE:
            return found
        both = as_classes(found.values)
        columns = [
            both[:, task] if state is None else apply_probabilities(self.probabilities, both[:, task], state)
            for task, state in enumerate(self.states)
        ]
        values = np.stack(columns, axis=1)
        return Estimate(values if found.values.ndim == 3 else values[..., 1], found.spread, found.interval)

    def intervals(self, found: Estimate, coverage: float) -> Floats:
        """Return intervals (n, T, 2) that hold this share of the true values; infinite where labels were too few.

        Args:
            found: What `correct` returned.
            coverage: Between 0 and 1.
        """
        columns = []
        for task, scores in enumerate(self.scores):
            limit = threshold(scores, coverage) if scores else np.inf
            spread = None if found.spread is None else found.spread[:, task]
            ends = None if found.interval is None else found.interval[:, task]
            columns.append(conformal.interval_within(self.conformal, limit, found.values[:, task], spread, ends))
        return np.stack(columns, axis=1)

    def sets(self, values: Floats, coverage: float) -> Bool:
        """Return which classes (n, T, C) a set holds that has the true one with the probability `coverage`.

        Args:
            values: Corrected probabilities (n, T) or (n, T, C); NaN gives an empty set.
            coverage: Between 0 and 1.
        """
        both, columns = as_classes(values), []
        for task in range(both.shape[1]):
            limits = np.array([threshold(each, coverage) if each else np.inf for each in self._lists(task)])
            columns.append(conformal.sets_within(self.conformal, limits, both[:, task]))
        return np.stack(columns, axis=1) & ~np.isnan(both)

    def describe(self, names: Sequence[str]) -> str:
        """Describe what was found, a line for each task.

        Args:
            names: Names of the tasks (T).
        """
        lines = []
        for task, name in enumerate(names):
            count = sum(map(len, self._lists(task)))
            if not count:
                lines.append(f"{name}: too few labels, left as it is")
                continue
            factor = self.factors[task] if self.factors else None
            found = self.probabilities if factor is None else f"deviations x {factor:.4g} ({self.scale})"
            if self.states and self.states[task] and "temperature" in self.states[task]:
                found += f" {self.states[task]['temperature']:.4g}"
            most = most_coverage(min(map(len, self._lists(task))))
            lines.append(f"{name}: {found}, coverage up to {most:.3g} ({self.conformal}, {count} labels)")
        return "\n".join(lines)

    def _lists(self, task: int) -> list[list[float]]:
        """Lists of scores of a task: one, or one for each class."""
        return list(self.scores[task]) if self.conformal == conformal.MONDRIAN else [self.scores[task]]

    @property
    def fewest(self) -> int:
        """Number of scores of the task that has most; of its classes the rarest counts."""
        return max((min(map(len, self._lists(task))) for task in range(len(self.scores))), default=0)

    def allows(self, coverage: float) -> bool:
        """Return whether there were labels enough for a coverage."""
        return self.fewest >= conformal.labels_needed(coverage)

    def require(self, coverage: float) -> None:
        """Raise a `ValueError` of one line unless there were labels enough for a coverage."""
        if not self.allows(coverage):
            raise ValueError(
                f"coverage={coverage} needs {conformal.labels_needed(coverage)} calibration labels, and there are "
                f"{self.fewest}: ask for {most_coverage(self.fewest):.3g} at most, or calibrate with more molecules"
            )


def as_classes(values: Floats) -> Floats:
    """Probabilities of all classes (n, T, C) from those of class 1 (n, T), or from themselves."""
    return values if values.ndim == 3 else np.stack([1 - values, values], axis=-1)
