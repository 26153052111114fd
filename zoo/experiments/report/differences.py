"""The figure of paired differences to the reference."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.markers import CARETLEFT, CARETRIGHT

from zoo.experiments.report.figures import WIDE, Chart, Form, legend
from zoo.experiments.report.palette import Palette
from zoo.experiments.report.statistics import records
from zoo.experiments.report.tables import MINUS
from zoo.views.plots import plain
from zoo.views.themed import INK, SETTINGS

WIDEST = 2.0
"""An interval this many times as wide as common ones is cut at the edge of a figure."""


def paired_differences(comparison: pd.DataFrame, palette: Palette, reference: str, form: Form = WIDE) -> Figure:
    """Mean difference to the reference with its confidence interval, in percent: right of 0 is better."""
    blocks = list(comparison.groupby(["dataset", "model"], sort=False))
    others = [name for name in palette.names if name in set(comparison["optimizer"])]
    height = 0.17 * len(comparison) + 0.2 * len(blocks) + 1.2
    with matplotlib.rc_context({**SETTINGS, "axes.spines.left": False}):
        figure = Chart(figsize=(min(9.5, form.width), height), layout="constrained")
        axis = figure.add_subplot()
        edges = shown_range(comparison)
        ticks, position = {}, 0.0
        for (dataset, model), block in blocks:
            first = position
            for row in records(block):
                draw_interval(axis, row, position, palette, edges)
                position += 1.0
            between = " · " if form is WIDE else "\n"
            ticks[(first + position - 1) / 2] = plain(f"{dataset}{between}{model}")
            axis.axhline(position - 0.1, color=INK, alpha=0.12, linewidth=0.7)
            position += 0.8
        axis.axvline(0, color=INK, linewidth=1)
        axis.set_ylim(position - 0.6, -0.9)
        axis.set_xlim(*edges)
        axis.set_yticks(list(ticks), list(ticks.values()))
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(plain(f"difference to {reference} in % of its score"))
        for place, side, words in ((0, "left", "← worse"), (1, "right", "better →")):
            axis.text(place, 1.0, words, transform=axis.transAxes, ha=side, va="bottom", alpha=0.7)
        legend(figure, palette, form, others)
        return figure


def shown_range(comparison: pd.DataFrame) -> tuple[float, float]:
    """Return the range in percent that a figure of differences shows.

    It holds all intervals, unless a few are so wide that the others could no longer be distinguished.
    """
    ends = comparison[["relative", "relative_low", "relative_high"]].to_numpy(dtype=np.float64)
    lows, highs = np.fmin(ends[:, 0], ends[:, 1]), np.fmax(ends[:, 0], ends[:, 2])
    low, common_low = min(lows.min(), 0.0), min(np.quantile(lows, 0.05), 0.0)
    high, common_high = max(highs.max(), 0.0), max(np.quantile(highs, 0.95), 0.0)
    low = common_low if low < WIDEST * common_low < 0 else low
    high = common_high if high > WIDEST * common_high > 0 else high
    margin = 0.04 * (high - low) or 1.0
    return low - margin, high + margin


def draw_interval(axis: Axes, row: Any, position: float, palette: Palette, edges: tuple[float, float]) -> None:
    """Draw one difference with its interval, and an arrow at an edge beyond which it goes on."""
    color = palette.colors[row.optimizer]
    if not np.isnan(row.low):
        axis.plot([row.relative_low, row.relative_high], [position] * 2, color=color, linewidth=1.8, alpha=0.75)
    axis.plot(row.relative, position, color=color, marker=palette.markers[row.optimizer], markersize=6)
    low, high = np.fmin(row.relative, row.relative_low), np.fmax(row.relative, row.relative_high)
    for edge, marker, side, shift, beyond in (
        (edges[0], CARETLEFT, "left", 9, low < edges[0]),
        (edges[1], CARETRIGHT, "right", -9, high > edges[1]),
    ):
        if beyond:
            axis.plot(edge, position, color=color, marker=marker, markersize=7, clip_on=False)
            if abs(row.relative) >= abs(edge) and row.relative * edge > 0:
                axis.annotate(
                    f"{row.relative:+.0f} %".replace("-", MINUS), (edge, position), xytext=(shift, 1), ha=side,
                    va="bottom", textcoords="offset points", fontsize=8, color=color,
                )  # fmt: skip
