"""State of a training run besides the weights, and how a run goes on from it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

import optim
from zoo.recipe.options import TrainingOptions
from zoo.runs import checkpoint
from zoo.runs.folder import RunFolder
from zoo.training import distributed
from zoo.training.history import History, old_history

PROGRESS = ("epoch", "step", "batch", "molecules", "seconds", "cpu_seconds", "loss_sum", "passes_before", "measured")


class Run(Protocol):
    """View of the training run that its state needs; it has the attributes of `PROGRESS` too."""

    model: nn.Module
    optimizer: optim.SharpnessAware
    scheduler: torch.optim.lr_scheduler.LRScheduler
    grad_scaler: torch.amp.GradScaler | None
    average: optim.WeightAverage | None
    history: History
    best_weights: dict[str, Tensor]
    options: TrainingOptions
    device: torch.device

    def copy_of_weights(self, model: nn.Module) -> dict[str, Tensor]:
        """Copy the weights of a model to the CPU."""


def state_of(run: Run) -> dict[str, Any]:
    """Return everything that continues a run bit for bit, apart from the weights."""
    return {
        "optimizer": run.optimizer.state_dict(),
        "scheduler": run.scheduler.state_dict(),
        "grad_scaler": None if run.grad_scaler is None else run.grad_scaler.state_dict(),
        "average": None if run.average is None else run.average.state_dict(),
        "random_state": torch.get_rng_state(),
        "device_random_state": torch.cuda.get_rng_state(run.device) if run.device.type == "cuda" else None,
        "progress": {name: getattr(run, name) for name in PROGRESS},
        "history": run.history.state_dict(),
    }


def load_state(run: Run, state: dict[str, Any]) -> None:
    """Continue from what `state_of` returned, now or in an earlier version."""
    run.optimizer.load_state_dict(state["optimizer"])
    run.scheduler.load_state_dict(state["scheduler"])
    if run.grad_scaler is not None:
        run.grad_scaler.load_state_dict(state["grad_scaler"])
    if run.average is not None and state.get("average") is not None:
        run.average.load_state_dict(state["average"])
    torch.set_rng_state(state["random_state"])
    of_device = state.get("device_random_state")  # older checkpoints have none
    if of_device is not None and run.device.type == "cuda":
        torch.cuda.set_rng_state(of_device, run.device)
    for name in PROGRESS:
        setattr(run, name, state["progress"].get(name, getattr(run, name)))
    history = state["history"]
    run.history.load_state_dict(history if isinstance(history, dict) else old_history(history, state["best"]))


def restore(run: Run, folder: RunFolder) -> None:
    """Continue where the last checkpoint of a run folder was written, if there is one.

    Raises:
        CheckpointError: Another number of processes would make another m-sharpness of the run.
    """
    best, last = folder.checkpoint("best"), folder.checkpoint("last")
    if not checkpoint.exists(last):  # a run that was cut off before its first `last` starts again
        return
    if checkpoint.exists(best):
        checkpoint.read(best).load_into(run.model)
        run.best_weights = run.copy_of_weights(run.model)
    saved = checkpoint.read(last)
    compare_ranks(folder.path, saved.fitted.ranks, distributed.size(), run.options.skip_first_sync)
    saved.load_into(run.model)
    load_state(run, saved.training_state())


def compare_ranks(folder: Path, before: int | None, now: int, apart: bool) -> None:
    """Report that a run goes on with another number of processes.

    Args:
        folder: The run.
        before: Processes that trained it so far; None if nobody knows.
        now: Processes that are to train it.
        apart: Each climbs by the gradient of its own share (`skip_first_sync`), so that their number is part of the
            optimizer.

    Raises:
        CheckpointError: It does, and `apart` is true.
    """
    if before in (None, now):
        return
    if apart:
        raise checkpoint.CheckpointError(
            f"{folder} was trained by {before} processes with skip_first_sync, whose m-sharpness depends on their "
            f"number, and there are {now}: resume it with torchrun --nproc-per-node {before}, or start a new run"
        )
    if distributed.is_main():
        warnings.warn(
            f"{folder} was trained by {before} processes and goes on with {now}: the numbers will be equal but for "
            "rounding, not bit for bit",
            stacklevel=2,
        )
