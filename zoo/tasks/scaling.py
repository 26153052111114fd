"""Transforms and standardization of regression targets."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from zoo.data.errors import DataError
from zoo.tasks.transforms import TargetTransform, transform_from_state, transform_named

Values = TypeVar("Values", np.ndarray, torch.Tensor)


@dataclass(frozen=True)
class TargetScaler:
    """Scales each task to zero mean and unit (population) standard deviation, after its transform if it has one.

    Args:
        mean: Mean of each task (T), in its unit or transformed.
        std: Standard deviation of each task (T), in its unit or transformed, > 0.
        transforms: Transform of each task (T), `None` for a task without; empty where no task has one.
        label_std: Standard deviation of each task (T) in its unit, where there are transforms.

    Example:
        >>> scaler = TargetScaler.fit(np.array([[1.0], [3.0], [np.nan]]))
        >>> scaler.mean, scaler.std
        ((2.0,), (1.0,))
        >>> scaler.inverse(scaler.transform(np.array([[5.0]])))
        array([[5.]])
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    transforms: tuple[TargetTransform | None, ...] = ()
    label_std: tuple[float, ...] = ()

    @classmethod
    def fit(
        cls,
        targets: np.ndarray,
        task_names: Sequence[str] | None = None,
        *,
        learnable: bool = True,
        transforms: Sequence[str | None] = (),
        unscaled: Collection[int] = (),
    ) -> TargetScaler:
        """Take mean and standard deviation of the training part; missing labels (NaN) do not count.

        Args:
            targets: Labels (n, T); NaN where missing or a bound.
            task_names: Names of the tasks (T), for messages.
            learnable: Refuse tasks in which there is nothing to learn; otherwise their deviation is taken as 1.
            transforms: Name of each task's transform (T), `None` for none; empty transforms nothing.
            unscaled: Numbers of tasks that stay as they are, such as classes.

        Raises:
            DataError: A task has no labels, or all its labels are equal, and `learnable` is true; a label that a
                transform is not defined for.
        """
        values = np.asarray(targets, dtype=np.float64)
        names = list(task_names) if task_names is not None else [f"{t}" for t in range(values.shape[1])]
        if not any(transforms):
            numbers = [
                (0.0, 1.0) if task in unscaled else moments(name, column, learnable)
                for task, (name, column) in enumerate(zip(names, values.T, strict=True))
            ]
            mean, std = (tuple(column) for column in zip(*numbers, strict=True))
            return cls(mean, std)
        in_units = cls.fit(values, names, learnable=learnable, unscaled=unscaled)
        fitted = [fit_transform(*each) for each in zip(names, values.T, transforms, strict=True)]
        columns = [forward(transform, column) for transform, column in zip(fitted, values.T, strict=True)]
        scaled = cls.fit(np.stack(columns, axis=1), names, learnable=learnable, unscaled=unscaled)
        return cls(scaled.mean, scaled.std, tuple(fitted), in_units.std)

    @property
    def unit_std(self) -> tuple[float, ...]:
        """Standard deviation of the training labels of each task (T), in its unit."""
        return self.label_std or self.std

    def transform(self, targets: Values) -> Values:
        """Transform and standardize targets (..., T)."""
        if self.transforms:
            columns = np.moveaxis(np.asarray(targets, dtype=np.float64), -1, 0)
            found = [forward(each, column) for each, column in zip(self.transforms, columns, strict=True)]
            targets = self._as(targets, np.stack(found, axis=-1))
        return (targets - self._like(targets, self.mean)) / self._like(targets, self.std)

    def inverse(self, scores: Values) -> Values:
        """Bring standardized predictions (..., T) back to the targets' unit."""
        values = scores * self._like(scores, self.std) + self._like(scores, self.mean)
        if not self.transforms:
            return values
        columns = np.moveaxis(np.asarray(values, dtype=np.float64), -1, 0)
        found = [
            column if transform is None else transform.inverse(column)
            for transform, column in zip(self.transforms, columns, strict=True)
        ]
        return self._as(values, np.stack(found, axis=-1))

    def spread_over(self, widths: Sequence[int]) -> TargetScaler:
        """Return the scaler of predictions that have several numbers for a task (T), such as those of its classes."""
        places = [place for place, width in enumerate(widths) for _ in range(width)]
        return TargetScaler(
            tuple(self.mean[place] for place in places),
            tuple(self.std[place] for place in places),
            tuple(self.transforms[place] for place in places) if self.transforms else (),
        )

    def state_dict(self) -> dict[str, Any]:
        """Return plain lists, for JSON or a checkpoint."""
        state: dict[str, Any] = {"mean": list(self.mean), "std": list(self.std)}
        if self.transforms:
            states = [None if transform is None else transform.state_dict() for transform in self.transforms]
            state |= {"transforms": states, "label_std": list(self.label_std)}
        return state

    @classmethod
    def from_state_dict(cls, state: Mapping[str, Any]) -> TargetScaler:
        """Restore a scaler from its `state_dict`."""
        return cls(
            tuple(map(float, state["mean"])),
            tuple(map(float, state["std"])),
            tuple(map(transform_from_state, state.get("transforms", ()))),
            tuple(map(float, state.get("label_std", ()))),
        )

    @staticmethod
    def _as(values: Values, array: np.ndarray) -> Values:
        """An array in the type of other values."""
        if isinstance(values, torch.Tensor):
            return torch.as_tensor(array, dtype=values.dtype, device=values.device)
        return array.astype(values.dtype)

    @staticmethod
    def _like(values: Values, numbers: tuple[float, ...]) -> Values:
        if isinstance(values, torch.Tensor):
            return torch.tensor(numbers, dtype=values.dtype, device=values.device)
        return np.asarray(numbers, dtype=values.dtype)


def moments(name: str, column: np.ndarray, learnable: bool) -> tuple[float, float]:
    """Mean and standard deviation of a task's labels (n,); arguments as for `TargetScaler.fit`."""
    known = column[~np.isnan(column)]
    if not learnable and (not len(known) or known.min() == known.max()):
        return float(known[0]) if len(known) else 0.0, 1.0
    if not len(known):
        raise DataError(
            f"task {name!r} has no labels in the training part (bounds do not count): leave it out, or split "
            "differently"
        )
    if known.min() == known.max():
        raise DataError(
            f"task {name!r} is constant ({known[0]:g} in all {len(known)} training rows): there is nothing "
            "to learn, leave it out or check the column"
        )
    mean, largest = float(known.mean()), float(np.abs(known - known.mean()).max())
    return mean, largest * float(np.sqrt(np.mean(((known - mean) / largest) ** 2)))


def fit_transform(name: str, column: np.ndarray, chosen: str | None) -> TargetTransform | None:
    """Fit the transform of a task by its labels (n,), NaN where missing.

    Raises:
        DataError: A label that it is not defined for.
    """
    if chosen is None:
        return None
    known = column[~np.isnan(column)]
    require_defined(name, known, transform := transform_named(chosen).fit(known) if len(known) else None)
    return transform


def require_defined(name: str, labels: np.ndarray, transform: TargetTransform | None) -> None:
    """Raise a `DataError` that names the task where some labels (n,) are none that a transform is defined for."""
    if transform is None or not (bad := transform.refuse(labels)).any():
        return
    raise DataError(
        f"task {name!r}: {transform.name} is for labels above 0, and {int(bad.sum())} labels are not (the smallest is "
        f"{np.nanmin(labels):g}): choose target_transform='yeo-johnson', or leave these labels out"
    )


def forward(transform: TargetTransform | None, column: np.ndarray) -> np.ndarray:
    """Transform labels (n,), if there is a transform; NaN where it is not defined."""
    if transform is None:
        return column
    return transform.forward(np.where(transform.refuse(column), np.nan, column))
