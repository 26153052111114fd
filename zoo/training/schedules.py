"""Learning-rate schedules by the names that the options of training have."""

from __future__ import annotations

import torch

import optim
from zoo.recipe.options import TrainingOptions


def make_schedule(
    optimizer: torch.optim.Optimizer, options: TrainingOptions, epochs: int, steps_per_epoch: int
) -> torch.optim.lr_scheduler.LRScheduler:
    """Return the learning-rate schedule that the options name; every parameter group keeps its share of the rate."""
    if options.schedule == "constant":
        return torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
    rates = [float(group["lr"]) for group in optimizer.param_groups]
    peak = max(rates)
    return optim.NoamLR(
        optimizer,
        warmup_epochs=min(options.warmup_epochs, epochs / 2),
        total_epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        init_lr=peak * options.rate_span,
        max_lr=peak,
        final_lr=peak * options.rate_span,
        multipliers=[rate / peak for rate in rates] if peak else None,
    )
