"""`Estimator`: how sure a prediction is, for one learner or an ensemble, and the law that combines what each tells."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy as np

from featurizers import PackedMolecules
from zoo.data.arrays import Bool
from zoo.learners.molecule_lists import index_of
from zoo.learners.predictions import Predictions, with_reasons
from zoo.learners.predictor import Predictor
from zoo.learners.uncertainty import Estimate, make_estimator
from zoo.recipe.fitted import Fitted
from zoo.registry.catalog.estimators import ESTIMATORS
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.registry.kinds import labels_of
from zoo.registry.plugins import load_plugins
from zoo.trust.calibration import REMEDY, Calibration
from zoo.trust.conformal import require_coverage
from zoo.trust.deciding import decide_calibrated


@dataclass(frozen=True)
class Estimator(ABC):
    """Base class of estimators; the fields of a subclass are its options, and JSON can hold them.

    Attributes:
        name: Name in the registry.
    """

    name: ClassVar[str]

    @abstractmethod
    def misfit(self, learner: Predictor) -> str:
        """Return why one learner (no ensemble) has no such uncertainty; empty where it has."""

    @abstractmethod
    def tell(self, learner: Predictor, packed: PackedMolecules, batch_size: int | None) -> Told:
        """Predict n molecules with one learner."""

    def misfit_of(self, predictor: Predictor) -> str:
        """Return why a learner or an ensemble has no such uncertainty; empty where it has."""
        return next(filter(None, map(self.misfit, members_of(predictor))), "")

    def check(self, predictor: Predictor, coverage: float | None = None) -> None:
        """Raise a `ValueError` of one line where this estimator does not fit, or `coverage` cannot be had.

        The message names the estimators that fit, or says how to calibrate.
        """
        reason = self.misfit_of(predictor)
        if reason:
            raise ValueError(f"uncertainty={self.name!r}: {reason}; choose one of {', '.join(fitting(predictor))}")
        if coverage is None:
            return
        require_coverage(coverage)
        if not predictor.fitted.calibration:
            raise ValueError(f"coverage={coverage}: this run is not calibrated; {REMEDY}")
        calibration = Calibration.of(predictor.fitted, self.name)
        if calibration is None:
            raise ValueError(
                f"uncertainty={self.name!r} of this run is not calibrated, {', '.join(predictor.fitted.calibration)} "
                f"is: molzoo calibrate RUN --uncertainty {self.name}, or zoo.trust.calibrate(learner, data, ...)"
            )
        if other := calibration.other_options(self.options):
            raise ValueError(f"uncertainty={self.name!r} was calibrated with {other}: predict so, or calibrate anew")
        calibration.require(coverage)

    def estimate(
        self, predictor: Predictor, molecules: Any, batch_size: int | None, on_invalid: str = "nan"
    ) -> tuple[Estimate, np.ndarray]:
        """Predict molecules.

        Args:
            predictor: A learner or an ensemble.
            molecules: As in `Predictor.predict`.
            batch_size: As in `Predictor.predict`.
            on_invalid: As in `Predictor.predict`.

        Returns:
            What is known of n molecules, NaN where one cannot be read; and why not (n,).
        """

        def rows(learner: Predictor, packed: PackedMolecules) -> np.ndarray:
            return self.tell(learner, packed, batch_size).to_array()

        members = members_of(predictor)
        arrays, reasons = apply_to_members(predictor, rows, molecules, on_invalid)
        weights = np.asarray(getattr(predictor, "weights", np.full(len(members), 1 / len(members))))
        told = combine([Told.from_array(array) for array in arrays], weights)
        return told.to_estimate(), reasons

    def predictions(
        self,
        predictor: Predictor,
        molecules: Any,
        batch_size: int | None,
        on_invalid: str = "nan",
        coverage: float | None = None,
    ) -> Predictions:
        """Predict molecules; see `Predictor.predictions`."""
        self.check(predictor, coverage)
        found, sets, reasons = self.calibrated(predictor, molecules, batch_size, coverage, on_invalid)
        fitted, chances = predictor.fitted, labels_of(predictor.fitted.task) in (ZERO_ONE, CLASSES)
        applied = self.applied_calibration(fitted)
        return Predictions(
            found.values.astype(np.float32 if chances else np.float64),
            with_reasons(found.values, reasons),
            fitted.column_names,
            spread=None if found.spread is None else np.where(np.isnan(found.values), np.nan, found.spread),
            interval=found.interval,
            more={} if sets is None else name_sets(sets, fitted),
            index=index_of(molecules),
            classes=decide_calibrated(found.values, fitted, applied),
        )

    def applied_calibration(self, fitted: Fitted) -> Calibration | None:
        """Calibration that was fitted with the same options; `None` without one."""
        calibration = Calibration.of(fitted, self.name)
        return None if calibration is None or calibration.other_options(self.options) else calibration

    def calibrated(
        self,
        predictor: Predictor,
        molecules: Any,
        batch_size: int | None,
        coverage: float | None,
        on_invalid: str = "nan",
    ) -> tuple[Estimate, Bool | None, np.ndarray]:
        """Predict molecules, and correct what was calibrated with the same options.

        Returns:
            The estimate, for numbers with intervals of the coverage; for classes sets (n, T, C) of the coverage; and
            why molecules cannot be read (n,).
        """
        found, reasons = self.estimate(predictor, molecules, batch_size, on_invalid)
        calibration = self.applied_calibration(predictor.fitted)
        if calibration is None:
            return found, None, reasons
        found = calibration.correct(found)
        if coverage is None:
            return found, None, reasons
        if labels_of(predictor.fitted.task) == NUMBERS:
            return replace(found, interval=calibration.intervals(found, coverage)), None, reasons
        return found, calibration.sets(found.values, coverage), reasons

    @property
    def options(self) -> dict[str, Any]:
        """Options by name."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Told:
    """Outcome of one look at n molecules, in the targets' unit.

    Args:
        mean: (n, T) or (n, T, C).
        variance: Of the same shape; None where nothing is told.
        interval: Lower and upper end, in the shape of `mean` and (..., 2); None where nothing is told.
    """

    mean: np.ndarray
    variance: np.ndarray | None = None
    interval: np.ndarray | None = None

    def to_array(self) -> np.ndarray:
        """Return everything as (n, ..., 4), NaN where nothing is told."""
        nothing = np.full(self.mean.shape, np.nan)
        ends = (nothing, nothing) if self.interval is None else (self.interval[..., 0], self.interval[..., 1])
        return np.stack([self.mean, nothing if self.variance is None else self.variance, *ends], axis=-1)

    @classmethod
    def from_array(cls, array: np.ndarray) -> Told:
        """Read what `to_array` wrote; a molecule that cannot be read has NaN everywhere."""
        mean, variance, interval = array[..., 0], array[..., 1], array[..., 2:]
        empty = np.isnan(mean).all()
        told = [None if np.isnan(each).all() and not empty else each for each in (variance, interval)]
        return cls(mean, told[0], told[1])

    def to_estimate(self) -> Estimate:
        """Return the standard deviation in place of the variance."""
        return Estimate(self.mean, None if self.variance is None else np.sqrt(self.variance), self.interval)


def combine(told: list[Told], weights: np.ndarray | None = None) -> Told:
    """Combine several looks at the same molecules by the law of total variance.

    The mean is that of the means, the variance the mean of the variances plus the variance of the means (that of the
    mixture: the divisor is the number of looks, not one less). The ends of intervals are averaged.

    Args:
        told: At least one.
        weights: Weight of each, with the sum 1; None weighs all alike.

    Example:
        >>> both = combine([Told(np.array([1.0]), np.array([2.0])), Told(np.array([3.0]), np.array([4.0]))])
        >>> both.mean, both.variance
        (array([2.]), array([4.]))
    """
    weights = np.full(len(told), 1 / len(told)) if weights is None else weights
    average = partial(np.tensordot, weights, axes=1)
    means = np.stack([each.mean for each in told])
    mean = average(means)
    parts = [each.variance for each in told if each.variance is not None]
    within = average(np.stack(parts)) if len(parts) == len(told) else None
    between = average((means - mean) ** 2) if len(told) > 1 else None
    ends = [each.interval for each in told if each.interval is not None]
    variance = between if within is None else within if between is None else within + between
    return Told(mean, variance, average(np.stack(ends)) if len(ends) == len(told) else None)


def members_of(predictor: Predictor) -> tuple[Predictor, ...]:
    """Members of an ensemble, or the learner itself."""
    return tuple(getattr(predictor, "members", (predictor,)))


def apply_to_members(predictor: Predictor, function: Any, molecules: Any, on_invalid: str) -> tuple[Any, np.ndarray]:
    """Apply a function of a learner and packed molecules to every member.

    Args:
        predictor: A learner or an ensemble; each member encodes the molecules with its own featurizer.
        function: Gives (n, ...).
        molecules: As in `Predictor.predict`.
        on_invalid: As in `Predictor.predict`.

    Returns:
        (M, n, ...) of M members, and why a molecule cannot be read (n,).
    """
    members = members_of(predictor)
    if len(members) > 1 and hasattr(molecules, "__next__"):
        molecules = list(molecules)  # an iterator can be read once only
    found = [member.apply(molecules, partial(function, member), on_invalid) for member in members]
    reasons = [next(filter(None, why), "") for why in zip(*(part[1] for part in found), strict=True)]
    return np.stack([part[0] for part in found]), np.array(reasons, dtype=object)


def fitting(predictor: Predictor) -> list[str]:
    """Names of the estimators that fit a learner or an ensemble."""
    load_plugins()
    return [entry.name for entry in ESTIMATORS if not make_estimator(entry.name).misfit_of(predictor)]


def name_sets(sets: Bool, fitted: Fitted) -> dict[str, np.ndarray]:
    """Write sets of classes (n, T, C) as columns `set_TASK`: the words of the classes, joined by "|"."""
    columns = {}
    for task, name in enumerate(fitted.output_names):
        words = [str(word) for word in fitted.label_names.get(name, ())]
        words += [str(number) for number in range(len(words), sets.shape[2])]
        texts = ["|".join(word for word, inside in zip(words, row, strict=True) if inside) for row in sets[:, task]]
        columns[f"set_{name}"] = np.array(texts, dtype=object)
    return columns
