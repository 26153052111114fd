"""Standardization of regression targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch

from zoo.data.errors import DataError

Values = TypeVar("Values", np.ndarray, torch.Tensor)


@dataclass(frozen=True)
class TargetScaler:
    """Scales each task to zero mean and unit (population) standard deviation.

    Args:
        mean: Mean of each task (T), in its unit.
        std: Standard deviation of each task (T), in its unit, > 0.

    Example:
        >>> scaler = TargetScaler.fit(np.array([[1.0], [3.0], [np.nan]]))
        >>> scaler.mean, scaler.std
        ((2.0,), (1.0,))
        >>> scaler.inverse(scaler.transform(np.array([[5.0]])))
        array([[5.]])
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def fit(
        cls, targets: np.ndarray, task_names: Sequence[str] | None = None, *, learnable: bool = True
    ) -> TargetScaler:
        """Take mean and standard deviation of the training part; missing labels (NaN) do not count.

        Args:
            targets: Labels (n, T).
            task_names: Names of the tasks (T), for messages.
            learnable: Refuse tasks in which there is nothing to learn; otherwise their deviation is taken as 1.

        Raises:
            DataError: A task has no labels, or all its labels are equal, and `learnable` is true.
        """
        values = np.asarray(targets, dtype=np.float64)
        names = list(task_names) if task_names is not None else [f"{t}" for t in range(values.shape[1])]
        means, deviations = [], []
        for name, column in zip(names, values.T, strict=True):
            known = column[~np.isnan(column)]
            if not learnable and (not len(known) or known.min() == known.max()):
                means.append(float(known[0]) if len(known) else 0.0)
                deviations.append(1.0)
                continue
            if not len(known):
                raise DataError(f"task {name!r} has no labels in the training part: leave it out, or split differently")
            if known.min() == known.max():
                raise DataError(
                    f"task {name!r} is constant ({known[0]:g} in all {len(known)} training rows): there is nothing "
                    "to learn, leave it out or check the column"
                )
            mean, largest = float(known.mean()), float(np.abs(known - known.mean()).max())
            means.append(mean)
            deviations.append(largest * float(np.sqrt(np.mean(((known - mean) / largest) ** 2))))
        return cls(tuple(means), tuple(deviations))

    def transform(self, targets: Values) -> Values:
        """Standardize targets (..., T)."""
        return (targets - self._like(targets, self.mean)) / self._like(targets, self.std)

    def inverse(self, scores: Values) -> Values:
        """Scale standardized predictions (..., T) back to the targets' unit."""
        return scores * self._like(scores, self.std) + self._like(scores, self.mean)

    def state_dict(self) -> dict[str, list[float]]:
        """Return plain lists, for JSON or a checkpoint."""
        return {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Sequence[float]]) -> TargetScaler:
        """Restore a scaler from its `state_dict`."""
        return cls(tuple(map(float, state["mean"])), tuple(map(float, state["std"])))

    @staticmethod
    def _like(values: Values, numbers: tuple[float, ...]) -> Values:
        if isinstance(values, torch.Tensor):
            return torch.tensor(numbers, dtype=values.dtype, device=values.device)
        return np.asarray(numbers, dtype=values.dtype)
