"""Closures that a training run hands its optimizer."""

from __future__ import annotations

import contextlib
from typing import Protocol

import torch
from torch import Tensor, nn

import optim
from zoo.data import Batch, MoleculeLoader
from zoo.recipe.options import TrainingOptions
from zoo.tasks import Objective
from zoo.training import distributed

AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Run(Protocol):
    """View of the training run that a closure needs."""

    model: nn.Module
    replica: nn.Module
    optimizer: optim.SharpnessAware
    loader: MoleculeLoader
    options: TrainingOptions
    objective: Objective
    device: torch.device
    grad_scaler: torch.amp.GradScaler | None


class WindowClosure:
    """The closure of a step: zero the gradients, compute the loss of some batches, back-propagate.

    The loss is the mean over all labels of the batches, whatever batch or process they are in. The loss of each
    molecule is there too, and a call may leave molecules out, as `optim.ESAM` asks.

    Attributes:
        losses: Loss of each molecule (B,) at the last call over all of them; None before it.
        parts: What the loss was the sum of at that call, by name; empty where there is only one.
    """

    def __init__(self, run: Run, window: list[Batch]) -> None:
        self.run, self.window = run, window
        self.losses: Tensor | None = None
        self.parts: dict[str, Tensor] = {}
        labels = torch.stack([batch.mask.sum() for batch in window])
        # Replicas average their gradients, so that each loss is weighted by its share times the number of replicas.
        everywhere = distributed.total(labels.sum()).clamp(min=1)
        self.weights = labels * distributed.size() / everywhere

    def __call__(self, subset: Tensor | None = None) -> Tensor:
        """Leave the gradients in the parameters.

        Args:
            subset: Positions of the molecules that count (b,); None takes all.

        Returns:
            The loss, a scalar.
        """
        if subset is not None:
            return WindowClosure(self.run, self.cut(subset))()
        self.run.optimizer.zero_grad()
        total, losses, self.parts = torch.zeros((), device=self.run.device), [], {}
        for batch, weight in zip(self.window, self.weights, strict=True):
            with self.autocast():
                found = self.run.objective(self.run.replica, batch)
                loss = weight * found.total
            self.backward(loss)
            total += loss.detach()
            losses.append(found.per_sample)
            for name, part in found.parts.items():
                self.parts[name] = self.parts.get(name, 0.0) + weight * part
        self.losses = torch.cat(losses)
        return total

    @property
    def num_samples(self) -> int:
        """Number of molecules in the batches of this process."""
        return sum(len(batch) for batch in self.window)

    def per_sample(self) -> Tensor:
        """Loss of each molecule (B,) at the present weights, without gradients."""
        with torch.no_grad(), self.autocast():
            return torch.cat([self.run.objective(self.run.model, batch).per_sample for batch in self.window])

    def backward(self, loss: Tensor) -> None:
        """Back-propagate, scaled where a gradient scaler is in use."""
        scaler = self.run.grad_scaler
        (loss if scaler is None else scaler.scale(loss)).backward()

    def autocast(self) -> contextlib.AbstractContextManager:
        """Return a context of lower precision where the options ask for it."""
        dtype = AUTOCAST.get(self.run.options.precision)
        return contextlib.nullcontext() if dtype is None else torch.autocast(self.run.device.type, dtype)

    def cut(self, subset: Tensor) -> list[Batch]:
        """Batches of the molecules at these positions."""
        parts, first = [], 0
        for batch in self.window:
            inside = subset[(subset >= first) & (subset < first + len(batch))] - first
            first += len(batch)
            if len(inside):
                chosen = batch.indices[inside.cpu()].numpy()
                parts.append(self.run.loader.batch(chosen).to(self.run.device))
        return parts
