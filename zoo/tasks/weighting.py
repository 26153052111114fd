"""`Weighting`: weights of tasks and classes in the loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Weighting:
    """Weights of tasks and of their classes; metrics ignore them.

    Args:
        tasks: Weight of each task (T), at least 0; empty weighs all alike.
        classes: Weights of the classes of each task (T), class 0 first; empty for a task whose labels weigh alike, and
            for all tasks where there are no such weights.

    Example:
        >>> Weighting(tasks=(1.0, 2.0), classes=((), (1.0, 3.0))).of(torch.tensor([[1.0, 1.0], [1.0, 0.0]]))
        tensor([[1., 6.],
                [1., 2.]])
    """

    tasks: tuple[float, ...] = ()
    classes: tuple[tuple[float, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tasks) or any(self.classes)

    def of(self, targets: Tensor) -> Tensor:
        """Weight of every label (B, T); any number where it is missing."""
        weights = torch.ones_like(targets)
        if self.tasks:
            weights = weights * torch.tensor(self.tasks, dtype=targets.dtype, device=targets.device)
        for task, of_classes in enumerate(self.classes):
            if of_classes:
                table = torch.tensor(of_classes, dtype=targets.dtype, device=targets.device)
                weights[:, task] *= table[targets[:, task].long()]
        return weights

    def to_dict(self) -> dict[str, Any]:
        """Return plain lists, for JSON."""
        return {"tasks": list(self.tasks), "classes": [list(each) for each in self.classes]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Weighting:
        """Read what `to_dict` wrote."""
        return cls(tuple(map(float, values["tasks"])), tuple(tuple(map(float, each)) for each in values["classes"]))
