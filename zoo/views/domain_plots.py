"""Pictures of the applicability domain: the error of predictions against the similarity to the training molecules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS
from zoo.views.classes import probability_of_label
from zoo.views.plots import ACCENT, GREY, INK, new_figure

if TYPE_CHECKING:
    from zoo.data import MoleculeDataset

MOST_BINS, LEAST_IN_BIN = 8, 5


def error_by_similarity(dataset: MoleculeDataset, predictions: np.ndarray, similarity: np.ndarray) -> pd.DataFrame:
    """Mean error of the molecules in bins of equal size, from the least to the most similar to the training molecules.

    The error of a number is |measured - predicted| in standard deviations of the task's labels, that of a class one
    minus the probability of the measured class; the mean goes over all labels.

    Args:
        dataset: With targets (n, T).
        predictions: (n, T) or (n, T, C).
        similarity: To the nearest training molecule (n,); NaN leaves a molecule out.

    Returns:
        A row for each of at most eight bins: `from`, `to`, `similarity` (mean), `error`, `labels`.
    """
    errors = label_errors(dataset, predictions)
    rows, _ = np.nonzero(np.isfinite(errors) & np.isfinite(similarity)[:, None])
    values, order = errors[np.isfinite(errors) & np.isfinite(similarity)[:, None]], np.argsort(similarity[rows])
    bins = min(MOST_BINS, max(len(order) // LEAST_IN_BIN, min(len(order), 1)))
    found = []
    for part in np.array_split(order, bins) if bins else ():
        near, wrong = similarity[rows[part]], values[part]
        found.append((near.min(), near.max(), near.mean(), wrong.mean(), len(part)))
    return pd.DataFrame(found, columns=["from", "to", "similarity", "error", "labels"])


def label_errors(dataset: MoleculeDataset, predictions: np.ndarray) -> np.ndarray:
    """Error (n, T) of each label, see `error_by_similarity`; NaN where there is none."""
    if kinds.labels_of(dataset.task) == CLASSES:
        return 1 - probability_of_label(dataset, predictions)
    errors = np.abs(predictions - dataset.targets)
    if kinds.labels_of(dataset.task) == NUMBERS:
        spread = np.ma.masked_invalid(dataset.targets).std(axis=0).filled(0)
        errors = errors / np.where(spread > 0, spread, 1.0)
    return errors


def draw_error_by_similarity(table: pd.DataFrame, threshold: float | None = None, word: str = "mean error") -> Figure:
    """Draw the table of `error_by_similarity`; a line marks the edge of the domain."""
    figure, axes = new_figure(5.0, 3.2)
    axes.plot(table["similarity"], table["error"], color=INK, marker="o", markersize=5)
    axes.hlines(table["error"], table["from"], table["to"], color=INK, alpha=0.35, linewidth=3)
    if threshold is not None:
        axes.axvline(threshold, color=ACCENT, linestyle=":", linewidth=1.5)
        axes.annotate(" edge of the domain", (threshold, 1.0), xycoords=("data", "axes fraction"), fontsize=8,
                      color=ACCENT, va="top")  # fmt: skip
    axes.set(xlim=(0, 1.02), xlabel="similarity to the nearest training molecule", ylabel=word)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=GREY, alpha=0.3)
    return figure
