"""Choice of the number of epochs and of the metric, where the options leave it open."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from zoo.data import MoleculeDataset
from zoo.recipe.options import TrainingOptions
from zoo.registry.kinds import metrics_of
from zoo.tasks.metrics import LOSS, check_metric, make_metric, why_undefined

ENOUGH_STEPS = 1000
FEWEST_EPOCHS, MOST_EPOCHS = 10, 200
LEAST_PATIENCE = 5


@dataclass(frozen=True)
class TrainingPlan:
    """Choices of a run where its options leave them open.

    Args:
        options: With the number of epochs.
        metric: Validation metric that decides which epoch is best, or "loss".
        validated: Whether a validation part decides; without one the last epoch is kept.
        notes: What was chosen, and why.
    """

    options: TrainingOptions
    metric: str
    validated: bool
    notes: tuple[str, ...] = ()


def plan_training(options: TrainingOptions, train: MoleculeDataset, valid: MoleculeDataset | None) -> TrainingPlan:
    """Choose the number of epochs and the metric that decides.

    Args:
        options: What was asked for.
        train: Training part.
        valid: Validation part; `None` without one.

    Raises:
        ValueError: `options.monitor` is not a metric of these tasks.
    """
    metric = options.monitor or usual_monitor(train)
    check_monitor(metric, train.task)
    if valid is None or not len(valid):
        chosen, notes = choose_epochs(options, len(train), False)
        return TrainingPlan(chosen, metric, False, notes)
    if np.isnan(valid.targets).all():
        chosen, notes = choose_epochs(options, len(train), False)
        return TrainingPlan(
            chosen, metric, False, (*notes, "the validation part has no labels: the last epoch is kept")
        )
    chosen, notes = choose_epochs(options, len(train), True)
    reason = no_value(metric, valid)
    if not reason:
        return TrainingPlan(chosen, metric, True, notes)
    note = f"{metric} has no value on the validation part ({reason}): its loss decides which epoch is best"
    return TrainingPlan(chosen, LOSS, True, (*notes, note))


def usual_monitor(dataset: MoleculeDataset) -> str:
    """Return what decides which epoch is best: the data set's metric, or the loss of targets of several kinds."""
    return LOSS if dataset.task_kinds else dataset.metric


def check_monitor(name: str, task: str) -> None:
    """Raise a `ValueError` unless `name` is "loss" or a metric that fits the kind of target."""
    if name == LOSS:
        return
    try:
        check_metric(name, task)
    except ValueError as error:
        raise ValueError(f"{error}, or {LOSS} (of the validation part)") from None


def no_value(metric: str, part: MoleculeDataset) -> str:
    """Return why a metric has no value on a part, whatever is predicted; an empty string where it has one."""
    if metric == LOSS:
        return ""
    made = make_metric(metric, part.metric_args if metric == part.metric else None)
    targets = part.targets if part.measure_bounds else part.exact_targets
    fitting = [column for kind, column in zip(part.kind_by_task, targets.T, strict=True) if metric in metrics_of(kind)]
    known = [column[~np.isnan(column)] for column in fitting]
    reasons = [why_undefined(made, labels, labels) for labels in known] or ["it fits none of the tasks"]
    return "" if not all(reasons) else "; ".join(dict.fromkeys(reasons))


def choose_epochs(options: TrainingOptions, molecules: int, validated: bool) -> tuple[TrainingOptions, tuple[str, ...]]:
    """Fill in the number of epochs, and patience with it.

    Enough epochs for 1000 optimizer steps, at least 10 and at most 200. Where there is a validation part, training
    then stops after a quarter of them (at least 5) without improvement.

    Args:
        options: What was asked for; its own `epochs` stay.
        molecules: Size of the training part.
        validated: Whether there is a validation part.

    Example:
        >>> chosen, notes = choose_epochs(TrainingOptions(), 240, validated=True)
        >>> chosen.epochs, chosen.patience
        (125, 31)
        >>> choose_epochs(TrainingOptions(), 6246, validated=True)[0].epochs
        10
    """
    if options.epochs is not None:
        return options, ()
    steps = max(1, -(-molecules // (options.batch_size * options.accumulate)))
    epochs = min(max(-(-ENOUGH_STEPS // steps), FEWEST_EPOCHS), MOST_EPOCHS)
    patience = options.patience
    if patience is None and validated:
        patience = max(LEAST_PATIENCE, epochs // 4)
    note = f"{epochs} epochs of {steps} steps chosen for {molecules} molecules"
    note += f", stopping after {patience} without improvement" if patience else ""
    return replace(options, epochs=epochs, patience=patience), (f"{note} (epochs= overrides)",)
