"""Predictions and metrics of a model on a data set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from featurizers.backend import tensor_graphs
from zoo.data import MoleculeDataset, MoleculeLoader, prefetch
from zoo.data.kinds_apart import KindPart, by_kind
from zoo.data.row_arrays import measured
from zoo.registry import kinds
from zoo.registry.catalog.targets import ZERO_ONE
from zoo.tasks import Evaluation, Supervised, TargetScaler, Task, metrics
from zoo.tasks.merging import KindResults, merge_intervals, merge_results
from zoo.tasks.mixed import Mixed
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
    with eval_mode(model), torch.no_grad(), tensor_graphs(runs_on_tensors(model)):
        rows = [at_least_single(function(batch.graph)) for batch in prefetch(iter(loader), device)]
        return torch.cat(rows).cpu()  # at the end, so that nothing waits for a batch


def runs_on_tensors(model: nn.Module) -> bool:
    """Return whether a model is made of the zoo's and torch's modules alone, which need no graph of DGL's own.

    The zoo's give the same numbers on both kinds of graph, without gradients also as fast.
    """
    return all(type(part).__module__.partition(".")[0] in ("zoo", "torch") for part in model.modules())


def at_least_single(values: Tensor) -> Tensor:
    """Half precision as float32, which NumPy and metrics know; float64 as it is."""
    return values if values.dtype == torch.float64 else values.float()


def to_predictions(scores: Tensor, task: Task, scaler: TargetScaler | None = None) -> np.ndarray:
    """Scores (n, S) of a model to predictions.

    Returns:
        (n, T) or (n, T, C): probabilities, float32 unless the model is in float64, or values in the targets' unit,
        float64 because these may be large numbers that differ by little.
    """
    values = task.to_predictions(scores).numpy()
    return values if scaler is None else unscale(values.astype(np.float64), task, scaler)


def unscale(values: np.ndarray, task: Task, scaler: TargetScaler) -> np.ndarray:
    """Bring scaled predictions (n, T), or (n, K) of targets of several kinds, back to the targets' unit."""
    return (scaler.spread_over(task.widths) if isinstance(task, Mixed) else scaler).inverse(values)


def summarize(
    dataset: MoleculeDataset,
    predictions: np.ndarray,
    std: Sequence[float] | None = None,
    loss: float | None = None,
    thresholds: Sequence[float] | None = None,
) -> Evaluation:
    """Compute all metrics of the data set's task, the data set's own in front.

    Args:
        dataset: With targets (n, T).
        predictions: (n, T) or (n, T, C); (n, K) where tasks are of several kinds.
        std: Standard deviation of the training targets (T), where they were scaled.
        loss: Mean loss, if it was computed.
        thresholds: Probability of each task (T) from which class 1 is predicted; `None` takes 0.5.
    """
    parts = [
        measure(part, None if thresholds is None else [thresholds[place] for place in part.places])
        for part in by_kind(dataset, predictions)
    ]
    results = merge_results(parts, dataset.num_tasks, dataset.metric)
    decided = zip(dataset.task_names, dataset.kind_by_task, thresholds or (), strict=False)
    applied = {name: cut for name, kind, cut in decided if kinds.labels_of(kind) == ZERO_ONE}
    resample = partial(merge_intervals, parts, dataset.num_tasks)
    return Evaluation(results, dataset.task_names, std, loss, applied, resample)


def measure(part: KindPart, thresholds: Sequence[float] | None) -> KindResults:
    """Compute all metrics of tasks of one kind; thresholds (t) as for `summarize`."""
    dataset = part.dataset
    metrics.check_metric(dataset.metric, dataset.task)
    targets, predictions = measured(dataset.targets, dataset.bounds, part.predictions, dataset.measure_bounds)
    facts = targets, predictions, dataset.metric_args, thresholds
    results = metrics.evaluate_all(dataset.task, dataset.metric, *facts)
    return KindResults(part.places, results, partial(metrics.bootstrap_all, results, *facts))


class Validation:
    """Validation part of a training: its encoded molecules and how the model does on them.

    Args:
        model: Model that trains.
        part: Molecules and labels.
        loader: The same molecules, encoded, not shuffled.
        objective: What training minimises.
        scaler: Scaling of the targets.
    """

    def __init__(
        self,
        model: nn.Module,
        part: MoleculeDataset,
        loader: MoleculeLoader,
        objective: Supervised,
        scaler: TargetScaler | None,
    ) -> None:
        self.model, self.part, self.loader, self.objective, self.scaler = model, part, loader, objective, scaler

    def __call__(self) -> Evaluation:
        """Metrics and loss of the model as it is now."""
        return validate(self.part, run_model(self.model, self.loader), self.objective, self.scaler)

    def predict(self) -> np.ndarray:
        """Predictions (n, T) or (n, T, C) of the model as it is now."""
        return to_predictions(run_model(self.model, self.loader), self.objective.task, self.scaler)


def validate(
    dataset: MoleculeDataset, scores: Tensor, objective: Supervised, scaler: TargetScaler | None
) -> Evaluation:
    """Metrics and loss of scores (n, S) on a data set."""
    loss = mean_loss(objective, scores, dataset, scaler)
    predictions = to_predictions(scores, objective.task, scaler)
    return summarize(dataset, predictions, None if scaler is None else scaler.unit_std, loss)


def mean_loss(
    objective: Supervised, scores: Tensor, dataset: MoleculeDataset, scaler: TargetScaler | None = None
) -> float:
    """Mean loss over the labels of the molecules that have finite scores; NaN where no molecule has.

    Args:
        objective: What training minimises.
        scores: (n, S).
        dataset: Labels (n, T), with their bounds and weights.
        scaler: Scaling of the targets in training.
    """
    finite = torch.isfinite(scores).all(dim=1)
    targets = torch.from_numpy(np.array(dataset.targets if scaler is None else scaler.transform(dataset.targets)))
    known = ~torch.isnan(targets[finite])
    if not known.any():
        return float("nan")
    wanted = targets[finite].where(known, 0.0).to(scores.dtype)
    bounds = None if dataset.bounds is None else torch.from_numpy(dataset.bounds[finite.numpy()])
    weights = None if dataset.weights is None else torch.from_numpy(dataset.weights[finite.numpy()]).to(scores.dtype)
    found = objective.of_scores(scores[finite], wanted, known.to(scores.dtype), bounds=bounds, weights=weights)
    return float(found.total)
