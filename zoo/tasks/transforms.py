"""Transforms of regression targets before they are standardized; predictions go the way back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.data.errors import DataError


class TargetTransform(ABC):
    """A rising function of a target, so that bounds keep their side.

    Attributes:
        name: What options call it.
    """

    name: ClassVar[str]

    @classmethod
    @abstractmethod
    def fit(cls, values: np.ndarray) -> TargetTransform:
        """Choose the function by the exact training labels of a task (n,), none missing."""

    def refuse(self, values: np.ndarray) -> np.ndarray:
        """Return which values the function is not defined for, as booleans in their shape."""
        return np.zeros(values.shape, dtype=bool)

    @abstractmethod
    def forward(self, values: np.ndarray) -> np.ndarray:
        """Transform labels; NaN stays NaN."""

    @abstractmethod
    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Transform predictions back to the unit of the labels."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""


@dataclass(frozen=True)
class Log10(TargetTransform):
    """Decimal logarithm, for labels above 0 that span orders of magnitude.

    Example:
        >>> Log10().inverse(Log10().forward(np.array([100.0])))
        array([100.])
    """

    name: ClassVar[str] = "log10"

    @classmethod
    def fit(cls, values: np.ndarray) -> Log10:
        """There is nothing to choose."""
        return cls()

    def refuse(self, values: np.ndarray) -> np.ndarray:
        """Return which values are not above 0."""
        return values <= 0

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Decimal logarithm."""
        return np.log10(values)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Ten to the power of the values."""
        with np.errstate(over="ignore"):
            return 10.0**values

    def state_dict(self) -> dict[str, Any]:
        """Return the name."""
        return {"name": self.name}


@dataclass(frozen=True)
class YeoJohnson(TargetTransform):
    """Power that makes labels of any sign as normally distributed as it can.

    Args:
        power: The exponent, by maximum likelihood.
        low: Smallest transformed value that goes back; transforms with a power above 2 have a limit below.
        high: Largest one; transforms with a power below 0 have a limit above. A value beyond counts as this.

    Example:
        >>> transform = YeoJohnson.fit(np.array([0.0, 1.0, 10.0, 100.0]))
        >>> transform.inverse(transform.forward(np.array([-2.0, 50.0]))).round(9)
        array([-2., 50.])

    Reference:
        Yeo and Johnson 2000, Biometrika 87, 954.
    """

    name: ClassVar[str] = "yeo-johnson"
    power: float
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def fit(cls, values: np.ndarray) -> YeoJohnson:
        """Let scikit-learn choose the power, and limit what goes back half-way between labels and pole."""
        from sklearn.preprocessing import PowerTransformer  # takes a second, which predicting can spare

        power = float(PowerTransformer("yeo-johnson", standardize=False).fit(values[:, None]).lambdas_[0])
        if not np.isfinite(power):
            raise DataError(f"no power makes these {len(values)} labels normal: leave target_transform out")
        known = cls(power).forward(values)
        low, high = -np.inf, np.inf
        if power < 0:
            high = (max(float(known.max()), 0.0) - 1 / power) / 2
        elif power > 2:
            low = (min(float(known.min()), 0.0) + 1 / (2 - power)) / 2
        return cls(power, low, high)

    def forward(self, values: np.ndarray) -> np.ndarray:
        """Transform: a power of 1 + y where y is at least 0, of 1 - y below."""
        signs = np.where(values < 0, -1.0, 1.0)
        powers = np.where(values < 0, 2 - self.power, self.power)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.expm1(powers * np.log1p(np.abs(values))) / powers
        return signs * np.where(powers == 0, np.log1p(np.abs(values)), rest)

    def inverse(self, values: np.ndarray) -> np.ndarray:
        """Transform back."""
        values = np.clip(values, self.low, self.high)
        powers = np.where(values < 0, 2 - self.power, self.power)
        with np.errstate(divide="ignore", invalid="ignore"):
            rest = np.log1p(powers * np.abs(values)) / powers
        return np.sign(values) * np.expm1(np.where(powers == 0, np.abs(values), rest))

    def state_dict(self) -> dict[str, Any]:
        """Return name, power and limits; `null` for none."""
        limits = {name: value if np.isfinite(value) else None for name, value in vars(self).items() if name != "power"}
        return {"name": self.name, "power": self.power, **limits}


TRANSFORMS: dict[str, type[TargetTransform]] = {cls.name: cls for cls in (Log10, YeoJohnson)}


def transform_named(name: str) -> type[TargetTransform]:
    """Return the class of a transform.

    Raises:
        ValueError: There is none of this name.
    """
    if name not in TRANSFORMS:
        raise ValueError(f"target_transform={name!r}: choose one of {', '.join(TRANSFORMS)}")
    return TRANSFORMS[name]


def transform_from_state(state: Mapping[str, Any] | None) -> TargetTransform | None:
    """Restore a transform from its `state_dict`; `None` stands for none."""
    if state is None:
        return None
    options = {name: value for name, value in state.items() if name != "name" and value is not None}
    return transform_named(state["name"])(**options)


def transforms_of(given: str | Mapping[str, str] | None, task_names: tuple[str, ...]) -> tuple[str | None, ...]:
    """Name of the transform of each task (T), `None` for none.

    Args:
        given: One name for all tasks, or names by task.
        task_names: Names of the tasks.

    Raises:
        DataError: A task that is not there.
        ValueError: A transform that is not there.
    """
    if given is None:
        return (None,) * len(task_names)
    by_task = dict.fromkeys(task_names, given) if isinstance(given, str) else dict(given)
    for task, name in by_task.items():
        transform_named(name)
        if task not in task_names:
            raise DataError(
                f"target_transform names {task!r}, which is not a task: choose among {', '.join(map(repr, task_names))}"
            )
    return tuple(by_task.get(task) for task in task_names)
