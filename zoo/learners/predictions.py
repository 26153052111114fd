"""`Predictions`: predictions of some molecules, with the reasons where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.data.arrays import Bool, Floats, Objects

if TYPE_CHECKING:
    import pandas as pd

NO_NUMBER = "the model gave no number"


@dataclass(frozen=True)
class Predictions:
    """Predictions of n molecules for T tasks, in the order of the molecules.

    Args:
        values: (n, T), or (n, T, C) for C classes: probabilities, or values in the targets' unit; NaN where there is
            none.
        reasons: (n,) texts: why there is no prediction; empty where there is one.
        names: Names of the tasks (T), or of the classes of all tasks (T * C), as `Fitted.column_names`.
        spread: Standard deviation of each value, in the shape of `values`.
        interval: Lower and upper end of an interval around each value, in the shape of `values` and (..., 2).
        in_domain: Whether a molecule resembles what the model was trained on (n,).
        more: More columns of tables by name (n each), such as `nearest_similarity`.
        index: Labels of the rows in tables (n); None numbers them.
        classes: Predicted classes as texts by task (n,), empty where there is none; None for other kinds of target.

    Example:
        >>> found = Predictions(np.array([[0.5], [np.nan]]), np.array(["", "empty SMILES"]), ("toxic",))
        >>> found.to_frame().columns.tolist(), int(found.failed.sum())
        (['predicted_toxic', 'reason'], 1)
    """

    values: Floats
    reasons: Objects
    names: tuple[str, ...]
    spread: Floats | None = None
    interval: Floats | None = None
    in_domain: Bool | None = None
    more: Mapping[str, np.ndarray] = field(default_factory=dict)
    index: Any = None
    classes: dict[str, Objects] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @property
    def failed(self) -> Bool:
        """Rows without a prediction, as booleans (n,)."""
        return self.reasons != ""

    def to_frame(self) -> pd.DataFrame:
        """Return a table: `predicted_`, if known `class_`, `sd_`, `lower_`, `upper_NAME`, `in_domain`, `reason`."""
        import pandas as pd

        columns = self._by_name("predicted", self.values)
        columns |= {f"class_{name}": words for name, words in (self.classes or {}).items()}
        if self.spread is not None:
            columns |= self._by_name("sd", self.spread)
        if self.interval is not None:
            columns |= self._by_name("lower", self.interval[..., 0]) | self._by_name("upper", self.interval[..., 1])
        if self.in_domain is not None:
            columns["in_domain"] = self.in_domain
        columns |= self.more
        return pd.DataFrame({**columns, "reason": self.reasons}, index=self.index)

    def _by_name(self, word: str, values: np.ndarray) -> dict[str, np.ndarray]:
        columns = values.reshape(len(values), len(self.names)).T
        return {f"{word}_{name}": column for name, column in zip(self.names, columns, strict=True)}


def with_reasons(values: np.ndarray, reasons: np.ndarray) -> np.ndarray:
    """Return the reasons, completed for molecules that were read and got no finite number."""
    numberless = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
    return np.where(numberless & (reasons == ""), NO_NUMBER, reasons).astype(object)
