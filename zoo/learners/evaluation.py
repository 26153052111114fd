"""Predictions and metrics of a model on a data set."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

from zoo.data import MoleculeDataset, MoleculeLoader
from zoo.tasks import TargetScaler, Task, metrics
from zoo.training.modes import eval_mode


def run_model(model: nn.Module, loader: MoleculeLoader, function: Callable[..., Tensor] | None = None) -> Tensor:
    """Apply a model in eval mode to every batch; its mode is restored afterwards. Threads may share the model.

    Args:
        model: On its device.
        loader: Not shuffled.
        function: What to call with a `MoleculeGraph`; `None` calls the model.

    Returns:
        Rows of all batches, one after another, on the CPU.
    """
    function = function or model
    device = next(model.parameters()).device
    with eval_mode(model), torch.no_grad():
        return torch.cat([function(batch.graph.to(device)).float().cpu() for batch in loader])


def predict(model: nn.Module, loader: MoleculeLoader, task: Task, scaler: TargetScaler | None = None) -> np.ndarray:
    """Predictions (n, T) or (n, T, C): probabilities, or values in the targets' unit."""
    values = task.to_predictions(run_model(model, loader)).numpy()
    return values if scaler is None else scaler.inverse(values)


def summarize(dataset: MoleculeDataset, predictions: np.ndarray) -> dict[str, metrics.MetricResult]:
    """All metrics of the data set's task, the data set's own in front."""
    metrics.check_metric(dataset.metric, dataset.task)
    return metrics.evaluate_all(dataset.task, dataset.metric, dataset.targets, predictions, dataset.metric_args)
