"""The figure of scores against the rise of the loss along the perturbation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from zoo.experiments.report.figures import WIDE, Form, legend, panels
from zoo.experiments.report.palette import Palette
from zoo.experiments.report.statistics import BLOCK, records
from zoo.registry.kinds import higher_is_better
from zoo.views.plots import plain
from zoo.views.themed import INK, SETTINGS


def rise_points(rows: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Measured rise of each run and its difference to the reference of the same seed.

    Returns:
        `dataset`, `model`, `optimizer`, `rise` (percent of the loss, mean over the epochs that measured it) and
        `difference` (percent of the reference's test score, positive is better); runs without a measurement are left
        out.
    """
    found = []
    for (dataset, model), block in rows.groupby(BLOCK, sort=False):
        sign = 1.0 if higher_is_better(block["metric"].iloc[0]) else -1.0
        references = {row.seed: row.test for row in records(block[block["optimizer"] == reference])}
        for row in records(block):
            rise = measured_rise(row.history)
            if rise is not None and row.optimizer != reference and references.get(row.seed):
                base = references[row.seed]
                values = (100 * rise, 100 * sign * (row.test - base) / abs(base))
                found.append((dataset, model, row.optimizer, *values))
    return pd.DataFrame(found, columns=[*BLOCK, "optimizer", "rise", "difference"])


def measured_rise(history: Sequence[Mapping[str, Any]]) -> float | None:
    """Return the mean relative rise of the loss along the perturbation; None where it was not measured."""
    values = [epoch["ascent_rise"] for epoch in history if epoch.get("ascent_rise") is not None]
    values = [value for value in values if np.isfinite(value)]
    return float(np.mean(values)) if values else None


def score_against_rise(points: pd.DataFrame, palette: Palette, reference: str, form: Form = WIDE) -> Figure:
    """Difference to the reference over the measured rise, a panel for each data set and model, a point for each run."""
    blocks = dict(iter(points.groupby(BLOCK, sort=False)))
    names = [name for name in palette.names if name in set(points["optimizer"])]
    with matplotlib.rc_context(SETTINGS):
        figure, axes = panels(len(blocks), form)
        for axis, ((dataset, model), block) in zip(axes, blocks.items(), strict=True):
            axis.axhline(0, color=INK, linewidth=1)
            axis.axvline(0, color=INK, linewidth=0.7, alpha=0.4)
            for name in names:
                part = block[block["optimizer"] == name]
                axis.scatter(
                    part["rise"], part["difference"], color=palette.colors[name], marker=palette.markers[name], s=34
                )
            axis.set_title(plain(f"{dataset} · {model}"))
            axis.set_xlabel("measured rise of the loss (%)")
            axis.set_ylabel(plain(f"test, % better than {reference}"))
        legend(figure, palette, form, names)
        return figure
