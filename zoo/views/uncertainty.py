"""Pictures of uncertainty: calibration curve, reliability diagram, error against deviation, error of the surest."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from zoo.data.arrays import Floats
from zoo.views.plots import ACCENT, GREY, INK, new_panels, plain

BINS = 10
WIDE = 20  # times the median, from which uncertainties are shown on a logarithmic axis


def draw_numbers(title: str, errors: Floats, spread: Floats | None) -> Figure:
    """Draw three panels for numbers.

    Args:
        title: Of the figure.
        errors: (n,).
        spread: Deviations (n,); None, where nothing is told, leaves the panels empty.
    """
    figure, axes = new_panels(3)
    figure.suptitle(plain(title), fontsize=10)
    if spread is not None and len(errors):
        draw_calibration(axes[0], errors, spread)
        draw_errors(axes[1], errors, spread)
        draw_confidence(axes[2], errors, spread, squared=True)
    return figure


def draw_classes(title: str, labels: Floats, probabilities: Floats, errors: Floats, uncertainty: Floats) -> Figure:
    """Draw three panels for classes.

    Args:
        title: Of the figure.
        labels: Class of each molecule (n,).
        probabilities: (n, C).
        errors: 1 minus the probability of the true class (n,).
        uncertainty: (n,).
    """
    figure, axes = new_panels(3)
    figure.suptitle(plain(title), fontsize=10)
    if len(labels):
        draw_reliability(axes[0], labels, probabilities)
        draw_errors(axes[1], errors, uncertainty)
        draw_confidence(axes[2], errors, uncertainty, squared=False)
    return figure


def draw_calibration(axes: Axes, errors: Floats, spread: Floats) -> None:
    """Show the share of the errors that central Gaussian intervals hold against the share that they should."""
    from scipy.stats import norm

    expected = np.linspace(0, 1, 101)
    widths = norm.ppf((1 + expected[1:-1]) / 2)
    observed = np.mean(np.abs(errors)[None] <= widths[:, None] * spread[None], axis=1)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    axes.plot(expected, [0, *observed, 1], color=INK)
    axes.fill_between(expected, expected, [0, *observed, 1], color=ACCENT, alpha=0.2, linewidth=0)
    axes.set(xlabel="share that should be inside", ylabel="share inside", title="calibration", aspect="equal")


def draw_reliability(axes: Axes, labels: Floats, probabilities: Floats) -> None:
    """Show the frequency of class 1 (of several classes, of a correct prediction) against its probability, in bins."""
    two = probabilities.shape[1] == 2
    stated = probabilities[:, 1] if two else probabilities.max(axis=1)
    happened = labels == 1 if two else probabilities.argmax(axis=1) == labels
    bins = np.minimum((stated * BINS).astype(np.int64), BINS - 1)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1)
    used = [each for each in range(BINS) if (bins == each).any()]
    places = [stated[bins == each].mean() for each in used]
    counts = np.array([(bins == each).sum() for each in used])
    axes.plot(places, [happened[bins == each].mean() for each in used], color=INK, linewidth=1)
    axes.scatter(places, [happened[bins == each].mean() for each in used], s=8 + 60 * counts / counts.max(), color=INK)
    stated_as = "probability of class 1" if two else "probability of the prediction"
    axes.set(xlabel=stated_as, ylabel="frequency", title="reliability", xlim=(0, 1), ylim=(0, 1), aspect="equal")


def draw_errors(axes: Axes, errors: Floats, uncertainty: Floats) -> None:
    """Show the size of each error against its uncertainty, with the mean in bins of equal size."""
    axes.scatter(uncertainty, np.abs(errors), s=8, alpha=0.4, color=INK, linewidth=0)
    order = np.argsort(uncertainty, kind="stable")
    parts = [rows for rows in np.array_split(order, min(BINS, len(order))) if len(rows)]
    means = [(uncertainty[rows].mean(), np.abs(errors)[rows].mean()) for rows in parts]
    axes.plot(*zip(*means, strict=True), color=ACCENT, marker="o", markersize=3)
    if uncertainty.min() > 0 and uncertainty.max() > WIDE * np.median(uncertainty):
        axes.set_xscale("log")
    axes.set(xlabel="uncertainty", ylabel="size of the error", title="error against uncertainty")


def draw_confidence(axes: Axes, errors: Floats, uncertainty: Floats, squared: bool) -> None:
    """Show the error of the surest share of the molecules, and that of the best possible order."""
    sizes = np.abs(errors)
    counts = np.arange(1, len(sizes) + 1)
    for order, color, label in ((uncertainty, INK, "by uncertainty"), (sizes, GREY, "best possible")):
        ordered = sizes[np.argsort(order, kind="stable")]
        sums = np.cumsum(ordered**2 if squared else ordered) / counts
        axes.plot(100 * counts / len(sizes), np.sqrt(sums) if squared else sums, color=color, label=label)
    axes.set(xlabel="surest molecules, %", ylabel="RMSE" if squared else "mean error", title="confidence curve")
    axes.legend(fontsize=7, frameon=False)
