"""`calibrate`: fit what corrects the uncertainty of a learner, on molecules that it was not trained on."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.data import MoleculeDataset
from zoo.data.arrays import Floats
from zoo.learners.labels import by_name
from zoo.learners.predictor import Predictor
from zoo.learners.uncertainty import Estimate, make_estimator
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.kinds import labels_of
from zoo.runs import checkpoint
from zoo.runs.ensemble_folder import open_ensemble
from zoo.trust import conformal, probabilities, scales
from zoo.trust.calibration import CALIBRATED, Calibration, as_classes
from zoo.trust.estimator import fitting

TOLD = ("mean_variance", "quantile", "evidential")
"""Estimators that cost no further passes, by what the kind of target predicts."""
LEAST = 10
"""Fewest labels of a task that it is calibrated with."""
FLOOR = 1e-6
"""Least deviation, as a share of the root mean square error."""
MOST = 20_000
"""Most scores that are kept, over all tasks."""


def calibrate(
    learner: Predictor,
    data: Any,
    uncertainty: str = CALIBRATED,
    *,
    method: str | None = None,
    conformal_method: str | None = None,
    batch_size: int | None = None,
    **options: Any,
) -> Calibration:
    """Fit the calibration of one estimator; that of others is kept. `learner.save` writes it.

    Args:
        learner: A trained learner or an ensemble; its `fitted.calibration` is replaced.
        data: The validation part, or other molecules with labels that the learner was not trained on.
        uncertainty: Name of the estimator.
        method: For classes "temperature" (default), "platt", "isotonic" or "none"; for numbers "z_scaling"
            (default), "zelikman" or "none".
        conformal_method: For classes "sets" (default), "adaptive" or "mondrian"; for numbers "absolute", "normalized"
            or "interval". None takes what fits the estimator.
        batch_size: As in `Predictor.predict`.
        **options: Of the estimator.

    Raises:
        ValueError: Too few labels, labels of one class only, targets of several kinds, or another method.

    Example:
        >>> import zoo
        >>> learner = zoo.build("gcn", task="regression")
        >>> found = calibrate(learner, zoo.data.load((["C" * n for n in range(1, 31)], [n / 7 for n in range(30)])))
        >>> learner.predictions(["CCO"], coverage=0.9).interval.shape
        (1, 1, 2)
    """
    refuse_mixed(learner)
    estimator = make_estimator(uncertainty, options)
    dataset = learner.check_dataset(by_name(data, learner.fitted)).without_bounds()
    numbers = labels_of(learner.fitted.task) == NUMBERS
    method = require(method or (scales.Z_SCALING if numbers else probabilities.TEMPERATURE),
                     scales.METHODS if numbers else probabilities.METHODS, "method")  # fmt: skip
    require_labels(dataset, numbers)
    if uncertainty != CALIBRATED and (misfit := estimator.misfit_of(learner)):
        raise ValueError(f"uncertainty={uncertainty!r}: {misfit}; choose one of {', '.join(fitting(learner))}")
    found, _ = estimator.estimate(learner, dataset, batch_size)
    fit = fit_numbers if numbers else fit_classes
    made = replace(fit(dataset.targets, found, method, conformal_method), options=estimator.options)
    others = {**learner.fitted.calibration, uncertainty: made.to_dict()}
    learner.fitted = replace(learner.fitted, calibration=others)
    return made


def fit_numbers(targets: Floats, found: Estimate, method: str, conformal_method: str | None) -> Calibration:
    """Fit the scaling of deviations and the conformal scores of numbers, task by task."""
    usual = conformal.INTERVAL if found.interval is not None else conformal.NORMALIZED
    usual = conformal.ABSOLUTE if found.spread is None else usual
    chosen = require(conformal_method or usual, conformal.OF_NUMBERS, "conformal_method")
    if (chosen == conformal.INTERVAL and found.interval is None) or (
        chosen == conformal.NORMALIZED and found.spread is None
    ):
        raise ValueError(f"conformal_method={chosen!r}: this estimator tells no such thing; leave it out")
    factors: list[float | None] = []
    floors, scores = [], []
    for task, labels in enumerate(targets.T):
        known = ~np.isnan(labels) & np.isfinite(found.values[:, task])
        factor, floor = None, 0.0
        kept: Floats = np.empty(0)
        if known.sum() >= LEAST:
            labels, values = labels[known], found.values[known, task]
            spread = None if found.spread is None else found.spread[known, task]
            if spread is not None:
                floor = FLOOR * (float(np.sqrt(np.mean((values - labels) ** 2))) or 1.0)
                spread = np.maximum(spread, floor)
                factor = scales.fit_scale(method, values - labels, spread) or 1.0
                spread = spread * factor
            ends = None if found.interval is None else found.interval[known, task]
            kept = conformal.scores_of_numbers(chosen, labels, values, spread, ends)
        factors.append(factor)
        floors.append(floor)
        scores.append(conformal.keep(kept, most_of(targets.shape[1])))
    return Calibration(
        len(targets),
        scale=method,
        factors=tuple(factors),
        floors=tuple(floors),
        conformal=chosen,
        scores=tuple(scores),
    )


def fit_states(targets: Floats, both: Floats, method: str) -> tuple[Any, ...]:
    """Fit the correction of probabilities (n, T, C), task by task; None where a task lacks labels or classes."""
    states: list[Any] = []
    for task, labels in enumerate(targets.T):
        known = ~np.isnan(labels) & np.isfinite(both[:, task]).all(axis=1)
        enough = known.sum() >= LEAST and len(np.unique(labels[known])) > 1
        fit = probabilities.fit_probabilities
        states.append(fit(method, both[known, task], labels[known]) if enough else None)
    return tuple(states)


def fit_classes(targets: Floats, found: Estimate, method: str, conformal_method: str | None) -> Calibration:
    """Fit the correction of probabilities and the conformal scores of what it gives, task by task."""
    chosen = require(conformal_method or conformal.SETS, conformal.OF_CLASSES, "conformal_method")
    states = fit_states(targets, as_classes(found.values), method)
    made = Calibration(len(targets), probabilities=method, states=states, conformal=chosen)
    both = as_classes(made.correct(found).values)
    tasks, classes = both.shape[1:]
    scores: list[Any] = []
    for task, labels in enumerate(targets.T):
        known = ~np.isnan(labels) & np.isfinite(both[:, task]).all(axis=1)
        known &= known.sum() >= LEAST
        true = labels[known].astype(np.int64)
        own = np.take_along_axis(conformal.scores_of_classes(chosen, both[known, task]), true[:, None], axis=1)[:, 0]
        if chosen == conformal.MONDRIAN:
            scores.append([conformal.keep(own[true == each], most_of(tasks * classes)) for each in range(classes)])
        else:
            scores.append(conformal.keep(own, most_of(tasks)))
    return replace(made, scores=tuple(scores))


def refuse_mixed(learner: Predictor) -> None:
    """Raise a `ValueError` of one line for targets of several kinds."""
    if learner.fitted.task_kinds:
        kinds = ", ".join(dict.fromkeys(learner.fitted.task_kinds))
        raise ValueError(f"targets of several kinds ({kinds}) are not calibrated: train one kind alone")


def most_of(lists: int) -> int:
    """Number of scores that each of several lists may keep."""
    return max(100, MOST // lists)


def require(name: str, known: tuple[str, ...], what: str) -> str:
    """Return the name of a method if it is known, else raise a `ValueError` that names all."""
    if name not in known:
        raise ValueError(f"{what}={name!r}: choose one of {', '.join(known)}")
    return name


def require_labels(dataset: MoleculeDataset, numbers: bool) -> None:
    """Raise a `ValueError` of one line where no task can be calibrated."""
    counts = (~np.isnan(dataset.targets)).sum(axis=0)
    if counts.max(initial=0) < LEAST:
        raise ValueError(
            f"{dataset.name}: {counts.max(initial=0)} labels are too few to calibrate with: give at least {LEAST}"
        )
    several = [len(np.unique(labels[~np.isnan(labels)])) > 1 for labels in dataset.targets.T]
    if not numbers and not any(several):
        raise ValueError(f"{dataset.name}: its labels are of one class, a calibration needs both: add molecules")


def calibrate_cheaply(learner: Predictor, data: MoleculeDataset) -> None:
    """Calibrate what costs one pass over the validation part: the predictions, and what the kind of target tells.

    A part that is too small, or of one class, leaves the learner as it is.
    """
    if not len(data):
        return
    for name in (CALIBRATED, *(name for name in TOLD if name in fitting(learner))):
        with suppress(ValueError):
            calibrate(learner, data, name)


def save_calibration(learner: Predictor, place: str | Path) -> None:
    """Write the calibration of a learner into its checkpoint, run or ensemble."""
    ensemble = open_ensemble(place)
    if ensemble is None:
        checkpoint.rewrite_fitted(checkpoint.read(place).path, learner.fitted)
    else:
        replace(ensemble, calibration=learner.fitted.calibration).note()
