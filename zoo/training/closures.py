"""The closures that a training run hands its optimizer."""

from __future__ import annotations

import contextlib
from typing import Protocol

import torch
from torch import Tensor, nn

import optim
from zoo.data import Batch, MoleculeLoader
from zoo.recipe.options import TrainingOptions
from zoo.tasks import losses
from zoo.training import distributed

AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Run(Protocol):
    """What a closure needs to know of the training run."""

    model: nn.Module
    replica: nn.Module
    optimizer: optim.SharpnessAware
    loader: MoleculeLoader
    options: TrainingOptions
    task: str
    device: torch.device
    grad_scaler: torch.amp.GradScaler | None


class WindowClosure:
    """The closure of a step: zero the gradients, compute the loss of some batches, back-propagate.

    The loss is the mean over all labels of the batches, whatever batch or process they are in.
    """

    def __init__(self, run: Run, window: list[Batch]) -> None:
        self.run, self.window = run, window
        labels = torch.stack([batch.mask.sum() for batch in window])
        # Replicas average their gradients, so that each loss is weighted by its share times the number of replicas.
        everywhere = distributed.total(labels.sum()).clamp(min=1)
        self.weights = labels * distributed.size() / everywhere

    def __call__(self) -> Tensor:
        """Gradients are in the parameters afterwards; returns the loss, a scalar."""
        self.run.optimizer.zero_grad()
        total = torch.zeros((), device=self.run.device)
        for batch, weight in zip(self.window, self.weights, strict=True):
            with self.autocast():
                scores = self.run.replica(batch.graph)
                loss = weight * losses.loss(self.run.model, scores, batch.targets, batch.mask, self.run.task)
            self.observe(batch, scores.detach())
            self.backward(loss)
            total += loss.detach()
        return total

    def observe(self, batch: Batch, scores: Tensor) -> None:
        """Called with the scores of every batch; a subclass may note what it needs."""

    def backward(self, loss: Tensor) -> None:
        """Back-propagate, scaled where a gradient scaler is in use."""
        scaler = self.run.grad_scaler
        (loss if scaler is None else scaler.scale(loss)).backward()

    def autocast(self) -> contextlib.AbstractContextManager:
        """Lower precision where the options ask for it."""
        dtype = AUTOCAST.get(self.run.options.precision)
        return contextlib.nullcontext() if dtype is None else torch.autocast(self.run.device.type, dtype)


class SampleClosure(WindowClosure):
    """A closure that also tells the loss of each molecule and can leave molecules out, as `optim.ESAM` asks.

    Attributes:
        losses: Loss of each molecule (B,) at the last call over all of them.
    """

    def __init__(self, run: Run, window: list[Batch]) -> None:
        super().__init__(run, window)
        self.losses: Tensor | None = None
        self._seen: list[Tensor] = []

    def __call__(self, subset: Tensor | None = None) -> Tensor:
        """Gradients of the loss of all molecules, or of those at the positions `subset` (b,)."""
        if subset is not None:
            return WindowClosure(self.run, self.cut(subset))()
        self._seen = []
        loss = super().__call__()
        self.losses = torch.cat(self._seen)
        return loss

    def observe(self, batch: Batch, scores: Tensor) -> None:
        """Note the loss of each molecule."""
        self._seen.append(self.sample_losses(batch, scores))

    def per_sample(self) -> Tensor:
        """Loss of each molecule (B,), without gradients."""
        with torch.no_grad(), self.autocast():
            return torch.cat([self.sample_losses(batch, self.run.model(batch.graph)) for batch in self.window])

    def sample_losses(self, batch: Batch, scores: Tensor) -> Tensor:
        """Mean loss over the labels of each molecule (b,)."""
        values = losses.elementwise_loss(self.run.model, scores, batch.targets, self.run.task)
        return (values * batch.mask).sum(1) / batch.mask.sum(1).clamp(min=1)

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
