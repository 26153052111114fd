"""`Objective`: what a training step minimises, as one call on a model and a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from zoo.data import Batch
from zoo.tasks.task import Task
from zoo.tasks.weighting import Weighting


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
    """Mean of the task's loss over the labels that are there, each with its weight.

    The loss is the sum over the labels of loss * weight of the molecule * weight of the task and the class, divided by
    the number of labels (not by the sum of the weights). Where a label is a bound, the task's `bounded_loss` counts.

    A model may take the loss of a label apart with `loss_parts(criterion, scores, targets) -> {name: (B, T)}`, as
    GROVER does for its two branches, and the mean over the labels into its own hands with `reduce_loss(losses, mask)`.
    Where it uses another criterion than the one it gets, it says so with a true `own_criterion`.

    Args:
        task: Its elementwise loss is the criterion.
        model: Model whose methods count where it has them; None uses the task alone.
        weighting: Weights of tasks and classes; None weighs all labels alike.
    """

    def __init__(self, task: Task, model: nn.Module | None = None, weighting: Weighting | None = None) -> None:
        self.task, self.weighting = task, weighting
        self._name, self._apart = type(model).__name__, bool(getattr(model, "own_criterion", False))
        self._parts = getattr(model, "loss_parts", None)
        self._reduce = getattr(model, "reduce_loss", masked_mean)

    def __call__(self, model: nn.Module, batch: Batch) -> Loss:
        """Run the model on the batch and compare its scores with the labels."""
        return self.of_batch(model(batch.graph), batch)

    def of_batch(self, scores: Tensor, batch: Batch) -> Loss:
        """Loss of the scores that the model gave to a batch."""
        return self.of_scores(scores, batch.targets, batch.mask, bounds=batch.bounds, weights=batch.weights)

    def of_scores(
        self,
        scores: Tensor,
        targets: Tensor,
        mask: Tensor,
        *,
        bounds: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Loss:
        """Loss of scores that the model gave.

        Args:
            scores: (B, S), or what else the model gives in training mode.
            targets: (B, T), 0 where missing.
            mask: (B, T), 1 where a label is present.
            bounds: What each label is (B, T), as in `Batch`; None where all are exact.
            weights: Weight of each molecule (B,); None weighs all alike.

        Raises:
            ValueError: Bounds, and the model's options name a loss that knows none.
        """
        self._refuse(bounds is not None and self._apart, "bounds")
        criterion = self.task.elementwise_loss
        if bounds is not None:
            criterion = partial(self.task.bounded_loss, bounds=bounds)
        parts = self._parts(criterion, scores, targets) if self._parts else {"loss": criterion(scores, targets)}
        parts = self._weigh(parts, targets, weights)
        losses = torch.stack([*parts.values()]).sum(0) if len(parts) > 1 else next(iter(parts.values()))
        shown = {name: masked_mean(part.detach(), mask) for name, part in parts.items()} if len(parts) > 1 else {}
        return Loss(self._reduce(losses, mask), per_molecule(losses.detach(), mask), shown)

    def _weigh(self, parts: dict[str, Tensor], targets: Tensor, weights: Tensor | None) -> dict[str, Tensor]:
        """Multiply parts of the loss, each (B, T), by the weights of molecules, tasks and classes."""
        if self.weighting:
            of_labels = self.weighting.of(targets)
            parts = {name: part * of_labels for name, part in parts.items()}
        if weights is not None:
            parts = {name: part * weights[:, None] for name, part in parts.items()}
        return parts

    def _refuse(self, unfit: bool, what: str) -> None:
        """Raise a `ValueError` where the model's own loss does not take something."""
        if unfit:
            raise ValueError(
                f"model {self._name} computes its loss itself, without {what}: train it without them, leave a loss out "
                "of its options, or give it a method loss_parts(criterion, scores, targets)"
            )


class OwnLoss(Supervised):
    """Loss of a model that defines `loss(scores, targets, mask)` or `elementwise_loss(scores, targets)` itself.

    Args:
        task: Its elementwise loss counts where the model has none.
        model: With one of these methods or both.
        weighting: Weights of tasks and classes.

    Raises:
        ValueError: The model defines `loss`, which gets no weights, and there are some.
    """

    def __init__(self, task: Task, model: Any, weighting: Weighting | None = None) -> None:
        super().__init__(task, None, weighting)
        self._name = type(model).__name__
        self._elementwise = getattr(model, "elementwise_loss", task.elementwise_loss)
        self._loss = getattr(model, "loss", None)
        if weighting:
            self._refuse(self._loss is not None, "weights")

    def of_scores(
        self,
        scores: Tensor,
        targets: Tensor,
        mask: Tensor,
        *,
        bounds: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Loss:
        """Loss of scores that the model gave; arguments as for `Supervised`.

        Raises:
            ValueError: Weights or bounds that the model's own loss does not get.
        """
        self._refuse(bounds is not None, "bounds")
        self._refuse(weights is not None and self._loss is not None, "weights")
        losses = self._weigh({"loss": self._elementwise(scores, targets)}, targets, weights)["loss"]
        total = masked_mean(losses, mask) if self._loss is None else self._loss(scores, targets, mask)
        return Loss(total, per_molecule(losses.detach(), mask))


def objective_for(model: nn.Module, task: Task, weighting: Weighting | None = None) -> Supervised:
    """Objective that trains a model on a task.

    Args:
        model: May have its own loss.
        task: Kind of target.
        weighting: Weights of tasks and classes; None weighs all labels alike.
    """
    own = hasattr(model, "loss") or hasattr(model, "elementwise_loss")
    if own and not hasattr(model, "loss_parts"):
        return OwnLoss(task, model, weighting)
    return Supervised(task, model, weighting)


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
