"""Scores of a learner's model, and what its kind of target reads from them, in the targets' unit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from featurizers import PackedMolecules
from zoo.data import MoleculeLoader, prefetch
from zoo.learners import evaluation
from zoo.learners.batches import prediction_loader
from zoo.learners.learner import Learner
from zoo.trust.estimator import Told


def make_loader(learner: Learner, packed: PackedMolecules, batch_size: int | None) -> MoleculeLoader:
    """Batches of molecules for a learner's model."""
    return prediction_loader(learner.model, learner.featurizer, packed, batch_size)


def run_batches(model: nn.Module, loader: MoleculeLoader, function: Callable[..., Tensor]) -> Tensor:
    """Apply a function of a batch's graph, in the modes that the model is in; rows of all batches, on the CPU."""
    device = next(model.parameters()).device
    return torch.cat([function(batch.graph).detach().float() for batch in prefetch(iter(loader), device)]).cpu()


def read_scores(learner: Learner, scores: Tensor) -> Told:
    """Read mean, variance and interval from scores (n, S)."""
    task, scaler = learner.task, learner.scaler
    mean = evaluation.to_predictions(scores, task, scaler).astype(np.float64)
    spread, interval = task.to_spread(scores), task.to_interval(scores)
    variance = None if spread is None else scale_back(learner, scores, spread) ** 2
    if interval is None:
        return Told(mean, variance)
    ends = [end.numpy().astype(np.float64) for end in interval.unbind(-1)]
    return Told(mean, variance, np.stack([end if scaler is None else scaler.inverse(end) for end in ends], axis=-1))


def scale_back(learner: Learner, scores: Tensor, spread: Tensor) -> np.ndarray:
    """Return standard deviations in the targets' unit: half of what lies between value minus and plus deviation."""
    scaler, deviation = learner.scaler, spread.numpy().astype(np.float64)
    if scaler is None:
        return deviation
    middle = learner.task.to_predictions(scores).numpy().astype(np.float64)
    return (scaler.inverse(middle + deviation) - scaler.inverse(middle - deviation)) / 2
