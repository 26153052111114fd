"""`Estimate`: predictions with what is known about their uncertainty, and how an estimator is found by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from zoo.data.arrays import Floats
from zoo.learners.predictions import Predictions
from zoo.recipe.mapping import from_mapping
from zoo.registry.catalog.estimators import ESTIMATORS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import normalize


@dataclass(frozen=True)
class Estimate:
    """Predictions of n molecules and what is known about each.

    Args:
        values: (n, T), or (n, T, C) for C classes; in the targets' unit.
        spread: Standard deviation of each value, in the shape of `values`.
        interval: Lower and upper end around each value, in the shape of `values` and (..., 2).
    """

    values: Floats
    spread: Floats | None = None
    interval: Floats | None = None


class Estimator(Protocol):
    """Estimator of uncertainty; `zoo.trust.Estimator` is the base class."""

    def check(self, predictor: Any, coverage: float | None = None) -> None:
        """Raise a `ValueError` of one line where it does not fit, or `coverage` needs a calibration."""
        ...

    def predictions(
        self, predictor: Any, molecules: Any, batch_size: int | None, on_invalid: str, coverage: float | None
    ) -> Predictions:
        """Predict molecules; see `Predictor.predictions`."""
        ...


def make_estimator(name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Make the estimator of this name.

    Args:
        name: From the catalog.
        options: Its options, such as `{"passes": 50}`.

    Raises:
        UnknownName: There is no such estimator; the message names all.
        TypeError: An option that it does not have, or of another type.
        ValueError: An option out of its range.
    """
    load_plugins()
    entry = ESTIMATORS[name]
    return from_mapping(entry.resolve(), {**entry.defaults, **(options or {})})


def estimator_for(
    uncertainty: str | None, coverage: float | None, options: Mapping[str, Any], calibration: Mapping[str, Any]
) -> Estimator | None:
    """Return the estimator that `Predictor.predictions` was asked for; None where it was asked for values alone.

    Args:
        uncertainty: Its name.
        coverage: Asks for an estimator even without a name.
        options: Of the estimator; those that are not given are those that it was calibrated with.
        calibration: As `Fitted.calibration`.

    Raises:
        TypeError: Options without an estimator.
    """
    if uncertainty is None and coverage is None:
        if options:
            raise TypeError(f"{', '.join(options)}: options of an estimator; name one with uncertainty=")
        return None
    name = normalize(uncertainty or "calibrated")
    calibrated = calibration.get(name, {})
    return make_estimator(name, {**(calibrated.get("options") or {}), **options})


def check_estimator(
    predictor: Any, uncertainty: str | None = None, coverage: float | None = None, **options: Any
) -> None:
    """Raise the `ValueError` or `TypeError` that `Predictor.predictions` would raise for this estimator."""
    options = {name: value for name, value in options.items() if name not in ("domain", "neighbors")}
    if (estimator := estimator_for(uncertainty, coverage, options, predictor.fitted.calibration)) is not None:
        estimator.check(predictor, coverage)
