"""Figures of a report; as SVG they follow the light or dark scheme of whoever looks at them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from zoo.experiments.report.palette import Palette
from zoo.experiments.report.statistics import records
from zoo.registry.kinds import higher_is_better
from zoo.views.plots import Picture, plain
from zoo.views.themed import SETTINGS


@dataclass(frozen=True)
class Form:
    """Widths of figures, so that their text keeps its size on the page.

    Args:
        width: Width in inches.
        columns: Most panels in a row.
        legend: Most entries in a row of the legend.
    """

    width: float
    columns: int
    legend: int


WIDE, NARROW = Form(11.6, 4, 6), Form(4.0, 1, 2)


class Chart(Picture):
    """A figure of a report, which notebooks show as a report does."""

    def _repr_png_(self) -> bytes:
        with matplotlib.rc_context(SETTINGS):  # ticks are made when they are drawn
            return super()._repr_png_()


def legend(figure: Figure, palette: Palette, form: Form, names: Sequence[str] | None = None) -> None:
    """Add one legend above all panels."""
    names = palette.names if names is None else names
    handles = [
        Line2D([], [], color=palette.colors[n], marker=palette.markers[n], markersize=6, label=plain(n)) for n in names
    ]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(len(names), form.legend), handlelength=1.8)


def panels(count: int, form: Form) -> tuple[Figure, list[Axes]]:
    """Make axes side by side, as many in a row as the form allows."""
    columns = min(count, form.columns)
    rows = -(-count // columns)
    width = min(form.width / columns, 5.2)
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Chart(figsize=(width * columns, min(0.8 * width, 3.3) * rows + 0.5), layout=layout)
    axes = [figure.add_subplot(rows, columns, i + 1) for i in range(count)]
    return figure, axes


def metric_against_time(summary: pd.DataFrame, palette: Palette, reference: str, form: Form = WIDE) -> Figure:
    """Test metric over training time, a panel for each data set and model; bars are standard deviations."""
    blocks = comparable(summary)
    slowest = slowest_ratio(blocks.values(), reference)
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels(len(blocks), form)
        for axis, ((dataset, model), block) in zip(axes, blocks.items(), strict=True):
            base = block.loc[block["optimizer"] == reference, "seconds"]
            scale = float(base.iloc[0]) if len(base) else 1.0
            for row in records(block):
                axis.errorbar(
                    row.seconds / scale,
                    row.mean,
                    yerr=None if np.isnan(row.sd) else row.sd,
                    color=palette.colors[row.optimizer],
                    marker=palette.markers[row.optimizer],
                    markersize=6,
                    elinewidth=1.3,
                    capsize=2.5,
                )
            title(axis, dataset, model, block["metric"].iloc[0])
            axis.set_xlim(0, None if base.empty else 1.08 * slowest)
            axis.set_xlabel(f"training time, {plain(reference)} = 1" if len(base) else "training time (s)")
        legend(figure, palette, form)
        return figure


def slowest_ratio(blocks: Iterable[pd.DataFrame], reference: str) -> float:
    """Longest training time relative to the reference, so that all panels have one scale; NaN without a reference."""
    ratios = [
        block["seconds"].max() / block.loc[block["optimizer"] == reference, "seconds"].iloc[0]
        for block in blocks
        if reference in set(block["optimizer"])
    ]
    return max(ratios, default=np.nan)


def learning_curves(rows: pd.DataFrame, palette: Palette, form: Form = WIDE) -> Figure:
    """Validation metric over training time, a panel for each data set and model: each seed thin, their mean thick."""
    trained = rows[rows["optimizer"].isin(palette.names)]
    blocks: dict[Any, pd.DataFrame] = dict(iter(trained.groupby(["dataset", "model"], sort=False)))
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels(len(blocks), form)
        for axis, ((dataset, model), block) in zip(axes, blocks.items(), strict=True):
            metric = block["metric"].iloc[0]
            for optimizer, runs in block.groupby("optimizer", sort=False):
                curves = [curve(history, metric) for history in runs["history"]]
                draw_curves(axis, curves, palette.colors[str(optimizer)])
            title(axis, dataset, model, metric, "valid ")
            axis.set_xlabel("training time (s)")
        legend(figure, palette, form)
        return figure


def curve(history: Sequence[Mapping], metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of training and validation metric at the end of each epoch."""
    seconds = np.cumsum([record["seconds"] for record in history])
    return seconds, np.array([record["valid"].get(metric, np.nan) for record in history], dtype=np.float64)


def draw_curves(axis: Axes, curves: Sequence[tuple[np.ndarray, np.ndarray]], color: str) -> None:
    """Draw each run, and the mean over those epochs that all runs have."""
    for seconds, values in curves:
        axis.plot(seconds, values, color=color, linewidth=0.8, alpha=0.45)
    shortest = min(len(values) for _, values in curves)
    means = [np.mean([each[part][:shortest] for each in curves], axis=0) for part in (0, 1)]
    axis.plot(*means, color=color, linewidth=2.2, marker="o" if shortest == 1 else None, markersize=4)


def comparable(summary: pd.DataFrame) -> dict[Any, pd.DataFrame]:
    """The data sets and models with more than one optimizer."""
    blocks = summary.groupby(["dataset", "model"], sort=False)
    return {block: part for block, part in blocks if len(part) > 1}


def title(axis: Axes, dataset: str, model: str, metric: str, part: str = "test ") -> None:
    """Set the title of a panel, with an arrow to the better side."""
    axis.set_title(plain(f"{dataset} · {model}"))
    axis.set_ylabel(f"{part}{plain(metric)} {'↑' if higher_is_better(metric) else '↓'}")
