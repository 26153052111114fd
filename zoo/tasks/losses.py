"""Losses of single labels: pure functions of scores and labels, both (B, T)."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def squared_error(scores: Tensor, targets: Tensor, delta: float = 1.0) -> Tensor:
    """Squared error of every label (B, T); `delta` has no effect."""
    return F.mse_loss(scores, targets, reduction="none")


def absolute_error(scores: Tensor, targets: Tensor, delta: float = 1.0) -> Tensor:
    """Absolute error of every label (B, T); `delta` has no effect."""
    return F.l1_loss(scores, targets, reduction="none")


def huber(scores: Tensor, targets: Tensor, delta: float = 1.0) -> Tensor:
    """Huber's loss of every label (B, T): half the squared error up to `delta`, linear beyond.

    Example:
        >>> huber(torch.tensor([0.5, 3.0]), torch.zeros(2))
        tensor([0.1250, 2.5000])
    """
    return F.huber_loss(scores, targets, reduction="none", delta=delta)


REGRESSION: dict[str, Callable[[Tensor, Tensor, float], Tensor]] = {
    "mse": squared_error,
    "mae": absolute_error,
    "huber": huber,
}


def kept(predictions: Tensor, targets: Tensor, bounds: Tensor) -> Tensor:
    """Return where a prediction keeps a bound, as booleans (B, T); False where a label is exact.

    Args:
        predictions: (B, T).
        targets: Labels (B, T).
        bounds: What each label is (B, T): -1 an upper bound, 1 a lower bound, 0 exact.

    Example:
        >>> kept(torch.tensor([1.0, 1.0, 1.0]), torch.tensor([2.0, 2.0, 2.0]), torch.tensor([-1, 1, 0]))
        tensor([ True, False, False])
    """
    return (predictions - targets) * bounds.to(predictions.dtype) > 0


def focus(losses: Tensor, gamma: float) -> Tensor:
    """Turn cross-entropies into focal losses: times (1 - p) ** gamma for the probability p of the true class.

    Args:
        losses: Cross-entropy of every label, -log p.
        gamma: At least 0; 0 changes nothing, larger values give less weight to labels that are predicted well.

    Example:
        >>> focus(-torch.tensor([0.5, 0.9]).log(), gamma=2.0)
        tensor([0.1733, 0.0011])

    Reference:
        Lin et al. 2017 (arXiv:1708.02002), equation 4.
    """
    if not gamma:
        return losses
    missed = -torch.expm1(-losses)
    # The power's derivative is infinite at 0 for gamma < 1, where the loss is 0 anyway.
    return missed.clamp(min=torch.finfo(losses.dtype).tiny) ** gamma * losses


def half_square(losses: Tensor, gamma: float = 0.0) -> Tensor:
    """Turn losses l into l²/2, whose gradient is l times that of l; `gamma` has no effect.

    Labels that are predicted badly count more. The released code of GraphSAM trains its GROVER so, by
    ``loss.backward(loss)`` with the losses of all labels (github.com/YL-wang/GraphSAM, grover-main/task/train.py);
    there the losses of GROVER's two branches are added before they are squared.

    Example:
        >>> half_square(torch.tensor([1.0, 2.0]))
        tensor([0.5000, 2.0000])
    """
    return losses.square() / 2


def unchanged(losses: Tensor, gamma: float = 0.0) -> Tensor:
    """Return losses as they are; `gamma` has no effect."""
    return losses


CLASSIFICATION: dict[str, Callable[[Tensor, float], Tensor]] = {
    "cross_entropy": unchanged,
    "focal": focus,
    "squared_cross_entropy": half_square,
}
