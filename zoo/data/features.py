"""Own features of molecules: columns of numbers that models read next to the structure, and their scaling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from featurizers import PackedMolecules
from zoo.data.arrays import Float32
from zoo.data.errors import DataError, quote

OWN = "molecule.own_features"
"""Name of the array that carries features as they are in the source, until a learner scales them."""

Packed = TypeVar("Packed", bound=PackedMolecules)


class MissingFeatureWarning(UserWarning):
    """Warning of molecules without a feature, which get its mean in training."""


def attach_features(packed: Packed, features: np.ndarray | None) -> Packed:
    """Return packed molecules that carry features (n, F), not scaled yet."""
    if features is None:
        return packed
    return replace(packed, extra={**packed.extra, OWN: np.asarray(features, dtype=np.float32)})


def checked_features(label: str, features: Any, rows: int, names: Sequence[str]) -> Float32:
    """Return features as an array (n, F) that may not be written to.

    Args:
        label: What messages call the source.
        features: Numbers (n, F), or (n,) for one column; NaN where missing.
        rows: n.
        names: Names of the columns (F), each once.

    Raises:
        DataError: The shape does not fit, a name is there twice, or a number is infinite.
    """
    if features is None:
        raise DataError(f"{label}: features {quote(names)} have no numbers: give features=, (n, {len(names)})")
    values = np.array(features, dtype=np.float32)
    values = values.reshape(rows, -1) if values.ndim == 1 and rows else values
    if values.shape != (rows, len(names)):
        raise DataError(f"{label}: features {values.shape} for {rows} molecules and names {quote(names)}: give (n, F)")
    if len(set(names)) < len(names):
        raise DataError(f"{label}: features {quote(names)}: name each column once")
    if np.isinf(values).any():
        row, column = np.argwhere(np.isinf(values))[0]
        raise DataError(f"{label}: feature {names[column]!r} is infinite in row {row}: correct it, or leave it out")
    values.flags.writeable = False
    return values


@dataclass(frozen=True)
class FeatureScaler:
    """Scaling of each feature to zero mean and unit (population) standard deviation in the training part.

    A missing feature gets the mean, which is 0 after scaling; one that was constant in training is always 0.

    Args:
        names: Names of the features (F).
        mean: Mean of each feature (F).
        std: Standard deviation of each feature (F), 0 for constant ones.
        missing: Rows of the training part without the feature (F).

    Example:
        >>> scaler = FeatureScaler.fit(np.array([[280.0], [320.0], [np.nan]], np.float32), ("T",))
        >>> scaler.transform(np.array([[320.0], [np.nan]], np.float32)).tolist()
        [[1.0], [0.0]]
    """

    names: tuple[str, ...]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    missing: tuple[int, ...] = ()

    @classmethod
    def none(cls, names: Sequence[str]) -> FeatureScaler:
        """Make a scaler that leaves features as they are, for learners that are not trained."""
        return cls(tuple(names), (0.0,) * len(names), (1.0,) * len(names))

    @classmethod
    def fit(cls, features: np.ndarray, names: Sequence[str]) -> FeatureScaler:
        """Take mean and standard deviation of the training part.

        Args:
            features: (n, F), NaN where missing.
            names: Names of the columns (F).

        Raises:
            DataError: A feature is missing everywhere.
        """
        values = np.asarray(features, dtype=np.float64)
        known = ~np.isnan(values)
        counts = known.sum(axis=0)
        if empty := [name for name, count in zip(names, counts, strict=True) if not count]:
            raise DataError(f"feature {empty[0]!r} is missing in all training rows: leave it out of feature_columns=")
        mean = np.where(known, values, 0.0).sum(axis=0) / counts
        std = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / counts)
        lowest, highest = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
        mean, std = np.where(lowest == highest, lowest, mean), np.where(lowest == highest, 0.0, std)
        missing = len(values) - counts
        return cls(tuple(names), *(tuple(column.tolist()) for column in (mean, std, missing)))

    def transform(self, features: np.ndarray) -> Float32:
        """Scale features (n, F); missing and constant ones become 0."""
        std = np.array(self.std)
        values = (np.asarray(features, dtype=np.float64) - np.array(self.mean)) / np.where(std > 0, std, np.inf)
        return np.where(np.isnan(values), 0.0, values).astype(np.float32)

    def join(self, packed: Packed) -> Packed:
        """Scale the features that packed molecules carry, and append them to their descriptors."""
        if OWN not in packed.extra:
            return packed
        extra = dict(packed.extra)
        scaled = self.transform(extra.pop(OWN))
        own = scaled if packed.descriptors is None else np.concatenate([packed.descriptors, scaled], axis=1)
        return replace(packed, descriptors=own, extra=extra)

    def describe(self) -> list[str]:
        """Return notes: which features were missing in training, and which are constant."""
        gaps = [
            f"feature {name!r} is missing in {count} training rows, which get the mean {mean:g}"
            for name, mean, count in zip(self.names, self.mean, self.missing, strict=True)
            if count
        ]
        constant = [name for name, std in zip(self.names, self.std, strict=True) if not std]
        return gaps + [f"feature {name!r} is constant in the training part: it has no effect" for name in constant]

    def state_dict(self) -> dict[str, Any]:
        """Return plain lists, for JSON."""
        return {name: list(getattr(self, name)) for name in ("names", "mean", "std", "missing")}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> FeatureScaler:
        """Restore a scaler from its `state_dict`."""
        return cls(*(tuple(state[name]) for name in ("names", "mean", "std", "missing")))
