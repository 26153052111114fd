"""TensorBoard pages about the test part: curves, the worst predictions as drawings, molecules in embedding space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.views import drawings, intervals, plots
from zoo.views.classes import class_name, probability_of_label
from zoo.views.uncertainty import draw_reliability

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from zoo.data import MoleculeDataset
    from zoo.runs.log import RunLog
    from zoo.tasks import Evaluation

PICTURES = {ZERO_ONE: "roc", NUMBERS: "parity", CLASSES: "confusion"}
MOST_WORST = 9
THRESHOLDS = 501
MOST_SPRITES = 1024
SEED = 0


def write_metrics(log: RunLog, found: Evaluation, step: int) -> None:
    """Write the metrics of the test part: means and their intervals as scalars, and tasks as a picture and a table.

    Args:
        log: Log of the run.
        found: Metrics of the test part.
        step: Where they appear on the time axis.
    """
    log.scalars({f"test/{name}": value for name, value in found.items()}, step)
    for name, (low, high) in found.interval.items():
        log.scalars({f"test/{name}/lower": low, f"test/{name}/upper": high}, step)
    if len(found.task_names) > 1:
        for task, values in found.by_task.items():
            log.scalars({f"test/{name}/{task}": value for name, value in values.items()}, step)
    log.figure("test/intervals", intervals.draw_intervals(found), step)
    log.text("test/metrics", intervals.format_markdown(found), step)


def write_test_pages(log: RunLog, test: MoleculeDataset, predictions: np.ndarray, step: int) -> None:
    """Write the pages that cost next to nothing.

    PR curves of each task (under "PR curves"), ROC curves and frequencies against probabilities for classification,
    predicted against measured values for regression, and the molecules that were predicted worst (under "Images").

    Args:
        log: Log of the run.
        test: With targets (n, T).
        predictions: (n, T) or (n, T, C), probabilities or values; NaN for molecules that could not be predicted.
        step: Where they appear on the time axis.
    """
    labels = kinds.labels_of(test.task)
    if labels == ZERO_ONE:
        for task in range(min(test.num_tasks, plots.MOST_CURVES)):
            add_pr_curve(log, test, predictions, task, step)
        log.figure("test/calibration", draw_calibration(test, predictions), step)
    log.figure(f"test/{PICTURES[labels]}", plots.quality(test, predictions), step)
    picture = draw_worst(test, predictions)
    if picture is not None:
        log.image("test/worst_predictions", picture, step)


def draw_calibration(test: MoleculeDataset, predictions: np.ndarray) -> Figure:
    """Show the frequency of class 1 against its probability, one panel for each of the first tasks."""
    figure, axes = plots.new_panels(min(test.num_tasks, plots.MOST_CURVES))
    for task, panel in enumerate(axes):
        labels, probabilities = test.targets[:, task], predictions[:, task].astype(np.float64)
        present = ~(np.isnan(labels) | np.isnan(probabilities))
        if present.any():
            both = np.stack([1 - probabilities[present], probabilities[present]], axis=1)
            draw_reliability(panel, labels[present], both)
        panel.set_title(plots.plain(test.task_names[task]), fontsize=9)
    return figure


def add_pr_curve(log: RunLog, test: MoleculeDataset, predictions: np.ndarray, task: int, step: int) -> None:
    """Add the precision-recall curve of one task, if it has both classes."""
    labels, probabilities = test.targets[:, task], predictions[:, task]
    present = ~(np.isnan(labels) | np.isnan(probabilities))
    if len(np.unique(labels[present])) == 2:
        log.pr_curve(f"test/{test.task_names[task]}", labels[present], probabilities[present], step, THRESHOLDS)


def worst(test: MoleculeDataset, predictions: np.ndarray, most: int = MOST_WORST) -> list[tuple[int, int]]:
    """Molecule and task of the largest errors, largest first.

    Regression errors are compared in standard deviations of each task's labels.

    Args:
        test: With targets (n, T).
        predictions: (n, T) or (n, T, C).
        most: How many.
    """
    if predictions.ndim == 3:
        errors = 1 - probability_of_label(test, predictions)
    else:
        errors = np.abs(predictions - test.targets)
    if kinds.labels_of(test.task) == NUMBERS:
        spread = np.ma.masked_invalid(test.targets).std(axis=0).filled(0)
        errors = errors / np.where(spread > 0, spread, 1.0)
    order = np.argsort(-np.nan_to_num(errors, nan=-1.0), axis=None, kind="stable")[:most]
    found = zip(*np.unravel_index(order, errors.shape), strict=True)
    return [(int(row), int(task)) for row, task in found if not np.isnan(errors[row, task])]


def draw_worst(test: MoleculeDataset, predictions: np.ndarray) -> np.ndarray | None:
    """Drawings of the worst predictions with both values, (height, width, 3); `None` where nothing can be compared."""
    found = worst(test, predictions)
    if not found:
        return None
    legends = []
    for row, task in found:
        name = f"{test.task_names[task]}, " if test.num_tasks > 1 else ""
        values = "measured {}, predicted {}".format(*format_values(test, predictions, row, task))
        legends.append(f"{name}{test.where(row)}\n{values}")
    try:
        return drawings.draw_grid([test.smiles[row] for row, _ in found], legends)
    except drawings.CannotDraw as error:
        drawings.warn_of_missing("TensorBoard has no page of the worst predictions", error)
        return None


def write_projector(
    log: RunLog,
    test: MoleculeDataset,
    predictions: np.ndarray,
    embed: Callable[[Sequence[str]], np.ndarray],
    step: int,
    max_molecules: int = MOST_SPRITES,
) -> None:
    """Write the vectors of molecules before the head for TensorBoard's projector, each with its drawing.

    Args:
        log: Log of the run.
        test: Molecules and labels (n, T); at most `max_molecules` of them, drawn at random, are shown.
        predictions: (n, T) or (n, T, C), shown next to the labels.
        embed: SMILES to vectors (n, D), such as `Learner.embed`.
        step: Where they appear on the time axis.
        max_molecules: From 2 to 1024, what one picture of drawings can hold in browsers.

    Raises:
        ValueError: `max_molecules` out of its range.
    """
    check_number(max_molecules)
    readable = np.flatnonzero(~np.isnan(predictions.reshape(len(predictions), -1)).any(axis=1))
    chosen = np.sort(np.random.default_rng(SEED).permutation(readable)[:max_molecules])
    smiles = [test.smiles[row] for row in chosen]
    names = test.task_names[: plots.MOST_CURVES]
    rows = [
        [
            test.smiles[row],
            *(cell for task in range(len(names)) for cell in format_values(test, predictions, row, task)),
        ]
        for row in chosen
    ]
    header = ["smiles", *(f"{name} {kind}" for name in names for kind in ("measured", "predicted"))]
    try:
        sprites = drawings.draw_sprites(smiles)
    except drawings.CannotDraw as error:
        drawings.warn_of_missing("the projector has no drawings of molecules", error)
        sprites = None
    log.embedding(embed(smiles), rows, header, sprites, step)


def check_number(max_molecules: int) -> None:
    """Raise a `ValueError` for a number of molecules that one picture of drawings cannot hold."""
    if not 2 <= max_molecules <= MOST_SPRITES:
        raise ValueError(f"projector={max_molecules}: give a number of molecules from 2 to {MOST_SPRITES}")


def format_values(test: MoleculeDataset, predictions: np.ndarray, row: int, task: int) -> tuple[str, str]:
    """Format label and prediction for the projector."""
    label = test.targets[row, task]
    if predictions.ndim == 3:
        likeliest = float(predictions[row, task].argmax())
        measured = "missing" if np.isnan(label) else class_name(test, task, label)
        return measured, f"{class_name(test, task, likeliest)} ({predictions[row, task].max():.2f})"
    return "missing" if np.isnan(label) else f"{label:.3g}", f"{predictions[row, task]:.3g}"
