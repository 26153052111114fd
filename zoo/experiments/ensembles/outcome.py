"""`EnsembleOutcome`: the results of the members of an ensemble, and of the ensemble."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.learners.ensemble import Ensemble
from zoo.tasks import Evaluation


@dataclass(frozen=True)
class EnsembleOutcome:
    """Results of training several members.

    Args:
        ensemble: The members together.
        members: What each member's `metrics.json` holds, by name.
        test: Metrics of the ensemble on the test part (or file) that is new to all members; empty without one.
        pooled: Metrics of all out-of-fold predictions together; empty without folds.
        predictions: With folds one row for each molecule, in the order of the data: labels, fold and out-of-fold
            prediction. Else labels, predictions and spread of the test part.
        folder: Where everything was written, if anywhere.
    """

    ensemble: Ensemble
    members: Mapping[str, dict[str, Any]]
    test: Evaluation | dict[str, float] = field(default_factory=dict)
    pooled: Evaluation | dict[str, float] = field(default_factory=dict)
    predictions: pd.DataFrame = field(default_factory=pd.DataFrame)
    folder: Path | None = None

    @property
    def scores(self) -> dict[str, list[float]]:
        """Metrics of the test parts, one number for each member; NaN where one has none."""
        found = [each.get("test") or {} for each in self.members.values()]
        names = dict.fromkeys(name for each in found for name in each)
        return {name: [as_number(each.get(name)) for each in found] for name in names}

    @property
    def mean(self) -> dict[str, float]:
        """Mean of each metric over the members that have it."""
        return {name: statistic(np.mean, values, 1) for name, values in self.scores.items()}

    @property
    def sd(self) -> dict[str, float]:
        """Standard deviation (ddof=1) of each metric over the members that have it; NaN for fewer than two."""
        return {name: statistic(lambda known: np.std(known, ddof=1), values, 2) for name, values in self.scores.items()}

    @property
    def metric(self) -> str:
        """The data set's own metric."""
        found = self.pooled or self.test or self.scores
        return next(iter(found), "")

    def to_dict(self) -> dict[str, Any]:
        """Return numbers only, for files."""
        return {
            "metric": self.metric,
            "test": dict(self.test),
            "pooled": dict(self.pooled),
            "mean": self.mean,
            "sd": self.sd,
            "members": {name: each.get("test") or {} for name, each in self.members.items()},
            "test_per_task": self.test.by_task if isinstance(self.test, Evaluation) else {},
            "pooled_per_task": self.pooled.by_task if isinstance(self.pooled, Evaluation) else {},
            "seconds": sum(each.get("seconds") or 0.0 for each in self.members.values()),
            "parameters": self.ensemble.num_parameters,
        }


def as_number(value: float | None) -> float:
    """Return a number of a JSON file, where null stands for NaN."""
    return math.nan if value is None else float(value)


def statistic(function: Any, values: list[float], fewest: int) -> float:
    """Apply a function to the numbers that are not NaN; NaN for too few of them."""
    known = [value for value in values if not math.isnan(value)]
    return float(function(known)) if len(known) >= fewest else math.nan
