"""Options of uncertainty, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class UncertaintyOptions:
    """Options for saying how sure predictions are.

    Args:
        uncertainty: Name of an estimator, such as "mc_dropout"; None predicts values alone.
        uncertainty_args: Options of the estimator, such as {"passes": 50}.
        coverage: Share of the true values that intervals (of numbers) or sets (of classes) are to hold, between 0 and
            1; it needs a calibrated run.

    Example:
        >>> UncertaintyOptions("mc_dropout", {"passes": 50}).keywords()
        {'uncertainty': 'mc_dropout', 'passes': 50}
    """

    uncertainty: str | None = None
    uncertainty_args: Mapping[str, Any] = field(default_factory=dict)
    coverage: float | None = None

    def keywords(self) -> dict[str, Any]:
        """Return what was asked for as keyword arguments of `Predictor.predictions`; empty where nothing was."""
        asked = {"uncertainty": self.uncertainty, "coverage": self.coverage}
        return {**{name: value for name, value in asked.items() if value is not None}, **self.uncertainty_args}
