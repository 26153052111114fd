"""`Objective`: what a training step minimises, as one call on a model and a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from zoo.data import Batch
from zoo.tasks.task import Task


@dataclass(frozen=True)
class Loss:
    """Loss of a batch.

    Args:
        total: Mean over the batch's labels, a scalar; gradients flow from here.
        per_sample: Mean over the labels of each molecule (B,), without gradients.
        parts: What `total` is the sum of, scalars without gradients; TensorBoard shows each as `train/<part>`. Empty
            where there is only one.
    """

    total: Tensor
    per_sample: Tensor
    parts: dict[str, Tensor] = field(default_factory=dict)


class Objective(Protocol):
    """Function that returns the loss of a model on a batch."""

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """Run the model on the batch and compare its scores with the labels."""
        ...


class Supervised:
    """Mean of the task's loss over the labels that are there.

    A model may take the loss of a label apart with `loss_parts(criterion, scores, targets) -> {name: (B, T)}`, as
    GROVER does for its two branches, and the mean over the labels into its own hands with `reduce_loss(losses, mask)`.

    Args:
        task: Its elementwise loss is the criterion.
        model: Model whose methods count where it has them; None uses the task alone.
    """

    def __init__(self, task: Task, model: nn.Module | None = None) -> None:
        self.task = task
        self._parts = getattr(model, "loss_parts", None)
        self._reduce = getattr(model, "reduce_loss", masked_mean)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """Run the model on the batch and compare its scores with the labels."""
        return self.of_scores(model(batch.graph), batch.targets, batch.mask)

    def of_scores(self, scores: Tensor, targets: Tensor, mask: Tensor) -> Loss:
        """Loss of scores that the model gave.

        Args:
            scores: (B, S), or what else the model gives in training mode.
            targets: (B, T), 0 where missing.
            mask: (B, T), 1 where a label is present.
        """
        criterion = self.task.elementwise_loss
        parts = self._parts(criterion, scores, targets) if self._parts else {"loss": criterion(scores, targets)}
        losses = torch.stack([*parts.values()]).sum(0) if len(parts) > 1 else next(iter(parts.values()))
        shown = {name: masked_mean(part.detach(), mask) for name, part in parts.items()} if len(parts) > 1 else {}
        return Loss(self._reduce(losses, mask), per_molecule(losses.detach(), mask), shown)


class OwnLoss(Supervised):
    """Loss of a model that defines `loss(scores, targets, mask)` or `elementwise_loss(scores, targets)` itself.

    Args:
        task: Its elementwise loss counts where the model has none.
        model: With one of these methods or both.
    """

    def __init__(self, task: Task, model: Any) -> None:
        super().__init__(task)
        self._elementwise = getattr(model, "elementwise_loss", task.elementwise_loss)
        self._loss = getattr(model, "loss", None)

    def of_scores(self, scores: Tensor, targets: Tensor, mask: Tensor) -> Loss:
        """Loss of scores that the model gave; arguments as for `Supervised`."""
        losses = self._elementwise(scores, targets)
        total = masked_mean(losses, mask) if self._loss is None else self._loss(scores, targets, mask)
        return Loss(total, per_molecule(losses.detach(), mask))


def objective_for(model: nn.Module, task: Task) -> Supervised:
    """Objective that trains a model on a task."""
    own = hasattr(model, "loss") or hasattr(model, "elementwise_loss")
    if own and not hasattr(model, "loss_parts"):
        return OwnLoss(task, model)
    return Supervised(task, model)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of the entries whose label is present.

    Args:
        values: (B, T).
        mask: (B, T), 1 where a label is present.

    Returns:
        A scalar; 0 (with zero gradient) where no label is present.
    """
    mask = mask.to(values.dtype)
    return (values * mask).sum() / mask.sum().clamp(min=1)


def per_molecule(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the labels of each molecule that are present: (B, T) to (B,)."""
    return (values * mask).sum(1) / mask.sum(1).clamp(min=1)
