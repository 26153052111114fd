"""Losses over several tasks with missing labels."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

ELEMENTWISE: dict[str, Callable[..., Tensor]] = {
    "classification": F.binary_cross_entropy_with_logits,
    "regression": F.mse_loss,
}


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


def elementwise_loss(model: nn.Module, scores: Tensor, targets: Tensor, task: str) -> Tensor:
    """Loss of every label (B, T): the model's own where its architecture defines one, else the task's.

    Args:
        model: It may define `elementwise_loss(scores, targets)`, as GROVER does for its two branches.
        scores: What `model(graph)` returned.
        targets: (B, T): 0 or 1 for classification, scaled values for regression.
        task: "classification" (binary cross-entropy on logits) or "regression" (squared error).
    """
    own = getattr(model, "elementwise_loss", None)
    if own is not None:
        return own(scores, targets)
    return ELEMENTWISE[task](scores, targets, reduction="none")


def loss(model: nn.Module, scores: Tensor, targets: Tensor, mask: Tensor, task: str) -> Tensor:
    """The training loss, a scalar: `model.loss(scores, targets, mask)` if there is one, else the mean over labels."""
    own = getattr(model, "loss", None)
    if own is not None:
        return own(scores, targets, mask)
    return masked_mean(elementwise_loss(model, scores, targets, task), mask)
