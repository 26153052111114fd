"""Predictions of several classes, as pictures and texts need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes

if TYPE_CHECKING:
    from zoo.data import MoleculeDataset

MOST_NAMES = 12


def class_name(dataset: MoleculeDataset, task: int, number: float) -> str:
    """Word of a class, or its number where it has none."""
    words = dataset.label_names.get(dataset.task_names[task], ())
    return str(words[int(number)]) if number < len(words) else f"{number:g}"


def probability_of_label(dataset: MoleculeDataset, predictions: np.ndarray) -> np.ndarray:
    """Probability (n, T) that predictions (n, T, C) give the class that was measured; NaN where none was."""
    known = ~np.isnan(dataset.targets)
    numbers = np.where(known, dataset.targets, 0).astype(np.int64)
    found = np.take_along_axis(predictions, numbers[:, :, None], axis=2)[:, :, 0]
    return np.where(known, found, np.nan)


def draw_confusion(axes: Axes, dataset: MoleculeDataset, predictions: np.ndarray, task: int) -> None:
    """Show how many molecules of each class (rows) were predicted as each class (columns).

    Args:
        axes: Where.
        dataset: With targets (n, T).
        predictions: (n, T, C).
        task: Which task.
    """
    labels, probabilities = dataset.targets[:, task], predictions[:, task]
    present = ~(np.isnan(labels) | np.isnan(probabilities).any(axis=1))
    counts = np.zeros((predictions.shape[2],) * 2)
    np.add.at(counts, (labels[present].astype(np.int64), probabilities[present].argmax(axis=1)), 1)
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
    if len(counts) <= MOST_NAMES:
        names = [class_name(dataset, task, number)[:20] for number in range(len(counts))]
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right", parse_math=False)
        axes.set_yticks(range(len(names)), names, parse_math=False)
        for (row, column), count in np.ndenumerate(counts):
            dark = count > counts[row].sum() / 2
            axes.text(column, row, f"{count:.0f}", ha="center", va="center", color="white" if dark else "black")
    axes.set(xlabel="predicted", ylabel="measured")
