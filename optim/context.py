"""Context of a step: what a training loop hands over besides the closure."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn


@dataclass(frozen=True)
class StepContext:
    """Knowledge of the loop that a step needs: one argument, the same for every rule.

    Fields that are None are looked up in the options with which the optimizer was made, where it has them.

    Attributes:
        max_grad_norm: Clip the global norm of the updating gradient to this, > 0.
        model: Model whose BatchNorm statistics count a batch once.
        no_sync: Context-manager factory, as ``ddp_model.no_sync``, for the ascent pass.
        grad_scaler: Scaler with which the closure scales its loss. The step unscales, skips itself after an overflow in
            any pass, and leaves ``grad_scaler.update()`` to the caller.
        total_steps: Steps of the run, >= 1, for rules with a schedule of their own.
        mean: Function that returns the mean of a number over all replicas. Where replicas average their gradients, each
            has the loss of its own share of the batch; a ``rise`` then refers to the mean of these losses.

    Example:
        >>> import optim
        >>> weight = torch.nn.Parameter(torch.ones(2))
        >>> optimizer = optim.SAM(torch.optim.SGD([weight], lr=0.1))
        >>> def closure():
        ...     loss = weight.square().sum()
        ...     loss.backward()
        ...     return loss
        >>> loss = optimizer.step(closure, context=StepContext(max_grad_norm=1.0))
    """

    max_grad_norm: float | None = None
    model: nn.Module | None = None
    no_sync: Callable[[], AbstractContextManager[Any]] | None = None
    grad_scaler: torch.amp.GradScaler | None = None
    total_steps: int | None = None
    mean: Callable[[float], float] | None = None

    def loss_of_replicas(self, loss: float) -> float:
        """Return the mean loss of all replicas, after a pass whose gradients they averaged.

        Raises:
            TypeError: ``mean`` returned something else than a number.
        """
        found = loss if self.mean is None else self.mean(loss)
        try:
            return float(found)
        except TypeError as error:
            raise TypeError(f"mean must return a number, the mean over replicas, and returned {found!r}") from error

    @property
    def scales(self) -> bool:
        """Whether a gradient scaler is at work."""
        return self.grad_scaler is not None and self.grad_scaler.is_enabled()
