"""Pictures of the applicability domain: the error of predictions against the similarity to the training molecules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS
from zoo.views.classes import probability_of_label
from zoo.views.plots import ACCENT, GREY, new_figure

if TYPE_CHECKING:
    from zoo.data import MoleculeDataset

MOST_BINS, LEAST_IN_BIN = 8, 5
LINE = "#3d86c6"
"""A blue that is seen on light and dark pages."""


def error_by_similarity(errors: np.ndarray, similarity: np.ndarray) -> pd.DataFrame:
    """Mean error of the molecules in bins of equal size, from the least to the most similar to the training molecules.

    Args:
        errors: Error of each label (n, T), see `label_errors`; NaN where there is none.
        similarity: To the nearest training molecule (n,); NaN leaves a molecule out.

    Returns:
        A row for each of at most eight bins: `from`, `to`, `similarity` (mean), `error`, `labels`.
    """
    known = np.isfinite(errors) & np.isfinite(similarity)[:, None]
    rows, values = np.nonzero(known)[0], errors[known]
    order = np.argsort(similarity[rows], kind="stable")
    bins = min(MOST_BINS, max(len(order) // LEAST_IN_BIN, min(len(order), 1)))
    found = []
    for part in np.array_split(order, bins) if bins else ():
        near, wrong = similarity[rows[part]], values[part]
        found.append((near.min(), near.max(), near.mean(), wrong.mean(), len(part)))
    return pd.DataFrame(found, columns=["from", "to", "similarity", "error", "labels"])


def label_errors(dataset: MoleculeDataset, predictions: np.ndarray) -> np.ndarray:
    """Errors (n, T) of all labels: of numbers in standard deviations, of classes 1 - probability of the measured one.

    Args:
        dataset: With targets (n, T), NaN where there is none.
        predictions: (n, T) or (n, T, C).
    """
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
    axes.plot(table["similarity"], table["error"], color=LINE, marker="o", markersize=5)
    axes.hlines(table["error"], table["from"], table["to"], color=LINE, alpha=0.4, linewidth=3)
    if threshold is not None:
        axes.axvline(threshold, color=ACCENT, linestyle=":", linewidth=1.5)
        axes.annotate(" edge of the domain", (threshold, 0.02), xycoords=("data", "axes fraction"), fontsize=8,
                      color=ACCENT, va="bottom")  # fmt: skip
    axes.set(xlim=(0, 1.02), xlabel="similarity to the nearest training molecule", ylabel=word)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=GREY, alpha=0.3)
    return figure
