"""Detection of runs that have diverged."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TOLERATED_WITH_SCALER = 20  # half precision overflows now and then; its scaler leaves such steps out


class LossGuard:
    """Guard that notices a training loss which is NaN or infinite.

    Args:
        tolerated: Consecutive steps without a finite loss that are still no divergence.

    Example:
        >>> guard = LossGuard()
        >>> guard.check(0.7, torch.tensor([0.7]), 1, 1)
        ''
        >>> guard.check(math.nan, torch.tensor([math.nan]), 2, 1)[:61]
        'the training loss became nan in step 2 (epoch 1), after 0.7: '
    """

    def __init__(self, tolerated: int = 0) -> None:
        self.tolerated, self.bad, self.last = tolerated, 0, math.nan

    def check(self, loss: float, losses: Tensor | None, step: int, epoch: int) -> str:
        """Look at the loss of a step.

        Args:
            loss: Mean over its molecules.
            losses: Loss of each molecule (B,), if it is known.
            step: Number of the step, from 1.
            epoch: Number of the epoch, from 1.

        Returns:
            Why training must stop; empty while it may go on.
        """
        if math.isfinite(loss):
            self.bad, self.last = 0, loss
            return ""
        self.bad += 1
        if self.bad <= self.tolerated:
            return ""
        wrong = 0 if losses is None else int((~torch.isfinite(losses)).sum())
        where = f"in step {step} (epoch {epoch})"
        if losses is not None and 0 < wrong < len(losses):
            return (
                f"the training loss became {loss} {where}, where {wrong} of {len(losses)} molecules have no finite "
                "loss: look for extreme labels or features, or lower the learning rate"
            )
        before = "" if math.isnan(self.last) else f", after {self.last:.4g}"
        return (
            f"the training loss became {loss} {where}{before}: lower the learning rate, or clip gradients with "
            "max_grad_norm"
        )


def of_validation(loss: float | None, epoch: int) -> str:
    """Return why training must stop after validating; empty while it may go on."""
    if loss is None or math.isfinite(loss):
        return ""
    return f"the validation loss became {loss} in epoch {epoch}: lower the learning rate, or clip with max_grad_norm"
