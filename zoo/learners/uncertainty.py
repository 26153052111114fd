"""`Estimate`: predictions with what is known about their uncertainty, and the protocol of the estimators."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from featurizers import PackedMolecules
from zoo.data.arrays import Floats

if TYPE_CHECKING:
    from zoo.learners.predictor import Predictor


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
    """Estimator of uncertainty; an entry of `zoo.registry.catalog.ESTIMATORS` makes one from its options."""

    def check(self, predictor: Predictor) -> None:
        """Raise a `ValueError` of one line, which names estimators that fit, where this one does not."""
        ...

    def estimate(self, predictor: Predictor, packed: PackedMolecules, batch_size: int) -> Estimate:
        """Predict molecules that are featurized already."""
        ...
