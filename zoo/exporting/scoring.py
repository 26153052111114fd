"""A trained network with everything behind it: from the arrays of a batch to predictions in the targets' unit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zoo.exporting.symbolic import SymbolicMolecules
from zoo.exporting.unscaling import Unscaling
from zoo.learners import Learner
from zoo.tasks import Task
from zoo.tasks.mixed import Mixed


class ScoredMolecules(nn.Module):
    """The model of a learner, with its kind of target and its scaling, as a function of tensors.

    Args:
        learner: A trained learner.
        model: Its model, in eval mode, on the CPU.
        names: Names of the tensors, see `molzoo_runner.tensors`.
        values_only: Leave out deviations and intervals.

    Attributes:
        outputs: Names of the tensors that it gives.
    """

    def __init__(self, learner: Learner, model: nn.Module, names: Sequence[str], values_only: bool = False) -> None:
        super().__init__()
        self.model, self.names, self.task = model, tuple(names), learner.task
        scaler = learner.scaler
        if scaler is not None and isinstance(self.task, Mixed):
            scaler = scaler.spread_over(self.task.widths)
        self.unscale = None if scaler is None else Unscaling(scaler)
        self.outputs = outputs_of(self.task)[: 1 if values_only else None]

    def forward(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Predict a batch.

        Args:
            *tensors: In the order of `names`.

        Returns:
            Values (B, T), (B, T, C) or (B, K); and, as `outputs` says, standard deviations in their shape, and ends of
            intervals (B, T, 2).
        """
        scores = self.model(SymbolicMolecules(dict(zip(self.names, tensors, strict=True))))
        scores = scores if scores.dtype == torch.float64 else scores.float()
        raw = self.task.to_predictions(scores)
        found = [self._back(raw)]
        if "spread" in self.outputs:
            found.append(self._spread_back(raw, self.task.to_spread(scores)))  # type: ignore[arg-type]
        if "interval" in self.outputs:
            ends: Tensor = self.task.to_interval(scores)  # type: ignore[assignment]
            found.append(torch.stack([self._back(end) for end in ends.unbind(-1)], dim=-1))
        return tuple(found)

    def _back(self, values: Tensor) -> Tensor:
        return values if self.unscale is None else self.unscale(values)

    def _spread_back(self, middle: Tensor, spread: Tensor) -> Tensor:
        """Half of what lies between value minus and plus deviation, in the targets' unit."""
        if self.unscale is None:
            return spread
        middle, spread = middle.double(), spread.double()
        return (self.unscale(middle + spread) - self.unscale(middle - spread)) / 2


def outputs_of(task: Task) -> tuple[str, ...]:
    """Name what is read from the scores of a kind of target.

    Example:
        >>> from zoo.tasks import make_task
        >>> outputs_of(make_task("quantile"))
        ('values', 'spread', 'interval')
    """
    if isinstance(task, Mixed):
        return ("values",)
    scores = torch.zeros(1, task.count_scores(1))
    told = {"spread": task.to_spread(scores), "interval": task.to_interval(scores)}
    return ("values", *(name for name, found in told.items() if found is not None))
