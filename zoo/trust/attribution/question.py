"""`Question`: the number of a prediction that is explained, and its unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoo.recipe.fitted import Fitted
from zoo.registry import kinds
from zoo.registry.catalog.targets import NUMBERS


@dataclass(frozen=True)
class Question:
    """Number of a prediction that is explained.

    Args:
        task: Position of the task.
        task_name: Its name.
        class_number: Class whose probability it is, for several classes; `None` for other kinds of target.
        class_name: Word of that class.
    """

    task: int
    task_name: str
    class_number: int | None = None
    class_name: str = ""

    def take(self, predictions: Any) -> Any:
        """Take the number (n,) of predictions (n, T) or (n, T, C)."""
        return predictions[:, self.task] if self.class_number is None else predictions[:, self.task, self.class_number]


def unit_of(fitted: Fitted, task: int) -> str:
    """Unit in which the score of a neural network is explained: logit, value, or the transform of a value.

    Example:
        >>> unit_of(Fitted(1, "regression", target_scaling={"transforms": [{"name": "log10"}]}), 0)
        'log10 of the value'
    """
    if kinds.labels_of(fitted.kind_by_task[task]) != NUMBERS:
        return "logit"
    transforms = (fitted.target_scaling or {}).get("transforms") or {}
    transform = transforms[task] if transforms else None
    return "value" if transform is None else f"{transform['name']} of the value"
