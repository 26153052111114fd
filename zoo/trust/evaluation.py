"""`evaluate_uncertainty`: how true it is what an estimator says, on molecules with labels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.arrays import Bool, Floats
from zoo.learners.labels import by_name
from zoo.learners.predictor import Predictor
from zoo.learners.uncertainty import Estimate, estimator_for
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of
from zoo.tasks.evaluation import format_table
from zoo.trust import scores
from zoo.trust.calibration import CALIBRATED, Calibration, as_classes
from zoo.views import uncertainty as pictures

USUAL_COVERAGE = 0.9


@dataclass(frozen=True)
class TaskUncertainty:
    """Labels and predictions of one task, without those that are missing.

    Args:
        labels: (n,).
        values: (n,), or probabilities (n, C).
        spread: (n,), of a class the deviation of the likeliest one's probability; None where it is not told.
        interval: (n, 2); None where there is no calibration.
        sets: (n, C); None where there is no calibration.
    """

    labels: Floats
    values: Floats
    spread: Floats | None = None
    interval: Floats | None = None
    sets: Bool | None = None

    def measure(self) -> dict[str, float]:
        """Compute all measures that fit."""
        if not len(self.labels):
            return {}
        return self._of_numbers() if self.values.ndim == 1 else self._of_classes()

    @property
    def errors(self) -> Floats:
        """Errors (n,): the difference, or 1 minus the probability of the true class."""
        if self.values.ndim == 1:
            return self.values - self.labels
        return 1 - scores.true_class(self.labels, self.values)

    @property
    def uncertainty(self) -> Floats:
        """Deviation (n,), or where none is told 1 minus the probability of the likeliest class."""
        if self.spread is not None:
            return self.spread
        return np.zeros(len(self.labels)) if self.values.ndim == 1 else 1 - self.values.max(axis=1)

    def _of_numbers(self) -> dict[str, float]:
        found, errors = {}, self.errors
        if self.spread is not None:
            found = {
                "nll": scores.gaussian_nll(errors, self.spread),
                "spearman": scores.spearman(errors, self.spread),
                "miscalibration_area": scores.miscalibration_area(errors, self.spread),
                "ence": scores.ence(errors, self.spread),
                "error_of_surer_half": scores.error_drop(errors, self.spread),
            }
        if self.interval is not None:
            width = float(np.mean(self.interval[:, 1] - self.interval[:, 0]))
            found |= {"coverage": scores.coverage(self.labels, self.interval), "width": width}
        return found

    def _of_classes(self) -> dict[str, float]:
        found = {
            "nll": scores.log_loss(self.labels, self.values),
            "brier": scores.brier(self.labels, self.values),
            "ece": scores.expected_calibration_error(self.labels, self.values),
            "spearman": scores.spearman(self.errors, self.uncertainty),
            "error_of_surer_half": scores.error_drop(self.errors, self.uncertainty, squared=False),
        }
        if self.sets is not None:
            found |= {"coverage": scores.set_coverage(self.labels, self.sets), "width": float(self.sets.sum(1).mean())}
        return found


@dataclass(frozen=True)
class UncertaintyReport:
    """Truth of an estimator on a data set, shown as a table in text.

    Args:
        estimator: Its name.
        coverage: Coverage that intervals or sets were asked for; None without a calibration.
        tasks: Labels and predictions of each task, by name.

    Attributes:
        per_task: Each measure of each task, `{task: {measure: value}}`.
    """

    estimator: str
    coverage: float | None
    tasks: dict[str, TaskUncertainty]

    @property
    def per_task(self) -> dict[str, dict[str, float]]:
        """Each measure of each task."""
        return {name: task.measure() for name, task in self.tasks.items()}

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each measure over the tasks where it is defined."""
        found: dict[str, list[float]] = {}
        for measures in self.per_task.values():
            for name, value in measures.items():
                found.setdefault(name, []).extend([value] if math.isfinite(value) else [])
        return {name: float(np.mean(values)) if values else math.nan for name, values in found.items()}

    def __str__(self) -> str:
        per_task = self.per_task
        names = dict.fromkeys(name for measures in per_task.values() for name in measures)
        by_measure = {name: {task: found.get(name) for task, found in per_task.items()} for name in names}
        asked = "" if self.coverage is None else f", coverage asked for: {self.coverage:g}"
        return f"uncertainty {self.estimator}{asked}\n{format_table(by_measure)}"

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files."""
        return {"estimator": self.estimator, "asked": self.coverage, "mean": self.mean, "per_task": self.per_task}

    def figure(self) -> Any:
        """Draw the first task: calibration or reliability, error against uncertainty, error of the surest share."""
        name, task = next(iter(self.tasks.items()))
        title = f"{name}: {self.estimator}"
        if task.values.ndim == 1:
            return pictures.draw_numbers(title, task.errors, task.spread)
        return pictures.draw_classes(title, task.labels, task.values, task.errors, task.uncertainty)


def evaluate_uncertainty(
    learner: Predictor,
    data: Any,
    uncertainty: str = CALIBRATED,
    *,
    coverage: float | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> UncertaintyReport:
    """Measure how true it is what an estimator says.

    Args:
        learner: A trained learner or an ensemble.
        data: Molecules with labels that it was neither trained nor calibrated on.
        uncertainty: Name of the estimator.
        coverage: Of intervals or sets; None asks for 0.9 where the estimator is calibrated, and for none else.
        batch_size: As in `Predictor.predict`.
        **options: Of the estimator.

    Raises:
        ValueError: The estimator does not fit, or the coverage cannot be had; a message of one line.
    """
    if learner.fitted.task_kinds:
        raise ValueError("the uncertainty of targets of several kinds is not measured: train one kind alone")
    dataset = learner.check_dataset(by_name(data, learner.fitted)).without_bounds()
    estimator: Any = estimator_for(uncertainty, coverage, options, learner.fitted.calibration)
    estimator.check(learner, coverage)
    calibration = Calibration.of(learner.fitted, estimator.name)
    if coverage is None and calibration is not None and calibration.allows(USUAL_COVERAGE):
        coverage = USUAL_COVERAGE
    found, sets, _ = estimator.calibrated(learner, dataset, batch_size, coverage)
    return UncertaintyReport(estimator.name, coverage, dict(tasks_of(dataset, found, sets)))


def tasks_of(dataset: MoleculeDataset, found: Estimate, sets: Bool | None) -> list[tuple[str, TaskUncertainty]]:
    """Labels and predictions of each task, by its name, without those that are missing."""
    numbers, result = labels_of(dataset.task) == NUMBERS, []
    values = found.values if numbers else as_classes(found.values)
    for task, name in enumerate(dataset.task_names):
        labels = dataset.targets[:, task]
        known = ~np.isnan(labels) & np.isfinite(values[:, task].reshape(len(labels), -1)).all(axis=1)
        spread = None if found.spread is None else found.spread[known, task]
        if spread is not None and spread.ndim == 2:
            spread = np.take_along_axis(spread, values[known, task].argmax(axis=1)[:, None], axis=1)[:, 0]
        result.append(
            (
                name,
                TaskUncertainty(
                    labels[known],
                    values[known, task],
                    spread,
                    found.interval[known, task] if numbers and found.interval is not None else None,
                    None if sets is None else sets[known, task],
                ),
            )
        )
    return result
