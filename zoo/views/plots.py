"""Pictures of a run: learning curves, ROC curves, predicted against measured values."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from sklearn.metrics import RocCurveDisplay

from zoo.data.errors import printable
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES, NUMBERS, ZERO_ONE
from zoo.tasks.evaluation import format_value
from zoo.views.classes import draw_confusion

if TYPE_CHECKING:
    from zoo.data import MoleculeDataset
    from zoo.training.history import History

MOST_CURVES, MOST_SQUARES = 12, 4
INK, ACCENT, GREY = "#1f3b57", "#d1495b", "#8d99a6"


class Picture(Figure):
    """A figure that notebooks show by itself, whether or not pyplot is in use."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def new_panels(count: int, side: float = 3.2, columns: int = 4) -> tuple[Figure, list[Axes]]:
    """A figure with several sets of axes, at most `columns` in a row."""
    columns = min(count, columns)
    rows = -(-count // columns)
    figure = Picture(figsize=(side * columns, side * rows), layout="constrained")
    axes = [figure.add_subplot(rows, columns, number + 1) for number in range(count)]
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)
    return figure, axes


def new_figure(width: float = 6.0, height: float = 4.0) -> tuple[Figure, Axes]:
    """A figure with one set of axes, in inches."""
    figure = Picture(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def learning_curve(history: History) -> Figure:
    """Training loss (left scale) and validation metric (right scale) of every epoch; the best epoch is marked."""
    figure, axes = new_figure()
    epochs = [record.epoch for record in history.epochs]
    axes.plot(epochs, [record.loss for record in history.epochs], color=INK, marker="o", markersize=3)
    axes.set(xlabel="epoch", ylabel="training loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.label.set_color(INK)
    values = [record.valid.get(history.metric, np.nan) for record in history.epochs]
    if not np.all(np.isnan(values)):
        right = axes.twinx()
        right.spines["top"].set_visible(False)
        right.plot(epochs, values, color=ACCENT, marker="o", markersize=3)
        right.set_ylabel(plain(f"validation {history.metric}"))
        right.yaxis.label.set_color(ACCENT)
        if history.best_epoch is not None:
            right.axvline(history.best_epoch, color=GREY, linestyle=":", linewidth=1)
            axes.set_title(
                f"best: epoch {history.best_epoch}, {history.metric} {format_value(history.best)}", fontsize=10
            )
    return figure


def plain(text: str) -> str:
    """Prepare a name from a file for a picture: dollars begin no formula, a leading `_` does not hide it."""
    shown = printable(text).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def quality(dataset: MoleculeDataset, predictions: np.ndarray) -> Figure:
    """Show ROC curves of binary tasks, predicted against measured values of regression, confusion of several classes.

    Args:
        dataset: With targets (n, T).
        predictions: (n, T) or (n, T, C).
    """
    if kinds.labels_of(dataset.task) == CLASSES:
        return confusion(dataset, predictions)
    draw = DRAWINGS[kinds.labels_of(dataset.task)]
    tasks = min(dataset.num_tasks, MOST_CURVES)
    apart = draw is draw_parity and tasks > 1  # values of several tasks have units of their own
    figure, axes = new_panels(tasks) if apart else new_panels(1, 4.8)
    for task in range(tasks):
        panel, name = axes[task if apart else 0], plain(dataset.task_names[task])
        present = ~(np.isnan(dataset.targets[:, task]) | np.isnan(predictions[:, task]))
        draw(panel, name, dataset.targets[present, task], predictions[present, task])
        if apart:
            panel.set_title(name, fontsize=9)
        elif panel.get_legend_handles_labels()[0]:
            panel.legend(fontsize=7, frameon=False, loc="lower right")
    left_out = dataset.num_tasks - MOST_CURVES
    title = plain(dataset.name) + (f" (first {MOST_CURVES} tasks)" if left_out > 0 else "")
    if apart:
        figure.suptitle(title, fontsize=10)
    else:
        axes[0].set_title(title, fontsize=10)
    return figure


def confusion(dataset: MoleculeDataset, predictions: np.ndarray) -> Figure:
    """Show the confusion of several classes, one square for each task."""
    shown = min(dataset.num_tasks, MOST_SQUARES)
    figure = Picture(figsize=(4.4 * shown, 4.4), layout="constrained")
    for task, axes in enumerate(figure.subplots(1, shown, squeeze=False)[0]):
        draw_confusion(axes, dataset, predictions, task)
        axes.set_title(plain(dataset.task_names[task]), fontsize=10)
    return figure


def draw_roc(axes: Axes, name: str, labels: np.ndarray, probabilities: np.ndarray) -> None:
    """Add the ROC curve of one task, if it has both classes."""
    if len(np.unique(labels)) == 2:
        RocCurveDisplay.from_predictions(labels, probabilities, name=name, ax=axes)
        axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
        axes.set(xlabel="false positive rate", ylabel="true positive rate")


def draw_parity(axes: Axes, name: str, values: np.ndarray, predicted: np.ndarray) -> None:
    """Add the points of one task."""
    if len(values):
        axes.scatter(values, predicted, s=9, alpha=0.6, label=name)
        axes.axline((values[0], values[0]), slope=1, color=GREY, linestyle=":", linewidth=1)
        axes.set(xlabel="measured", ylabel="predicted")
        axes.set_aspect("equal", adjustable="datalim")


DRAWINGS = {ZERO_ONE: draw_roc, NUMBERS: draw_parity}
