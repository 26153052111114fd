"""Pictures of loss landscapes, on shared scales."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from zoo.sharpness.slices import Landscape
from zoo.views import plots

COLORS = (plots.INK, plots.ACCENT, "#4c956c", "#e09f3e", plots.GREY)
LEVELS = 15


def draw(*landscapes: Landscape) -> Figure:
    """Draw landscapes for comparison: lines in one set of axes, grids side by side on one scale of colours.

    Args:
        *landscapes: At least one, all lines or all grids.

    Raises:
        ValueError: None, lines among grids, or no finite loss above zero.
    """
    grids = [each.betas is not None for each in landscapes]
    if not landscapes or len(set(grids)) > 1:
        raise ValueError(f"{len(landscapes)} landscapes, {sum(grids)} of them grids: give lines only, or grids only")
    return draw_grids(landscapes) if grids[0] else draw_lines(landscapes)


def draw_lines(landscapes: tuple[Landscape, ...]) -> Figure:
    """Loss over the coordinate, a line for each; logarithmic where it spans a decade."""
    figure, axes = plots.new_figure()
    for number, each in enumerate(landscapes):
        axes.plot(
            each.alphas, each.losses, label=each.name, color=COLORS[number % len(COLORS)], marker="o", markersize=2
        )
    low, high = range_of(landscapes)
    scale = "log" if high > 10 * low else "linear"
    axes.set(xlabel=landscapes[0].axis, ylabel=f"loss of {landscapes[0].molecules} molecules", yscale=scale)
    for position in (0, 1) if landscapes[0].axis.startswith("position") else (0,):
        axes.axvline(position, color=plots.GREY, linestyle=":", linewidth=1)
    axes.legend(frameon=False, fontsize=8)
    return figure


def draw_grids(landscapes: tuple[Landscape, ...]) -> Figure:
    """Contours of the loss (logarithmic); a cross marks the model."""
    low, high = range_of(landscapes)
    levels = np.geomspace(low, max(high, low * 1.001), LEVELS)
    figure = plots.Picture(figsize=(1.9 + 3.5 * len(landscapes), 3.9), layout="constrained")
    panels = figure.subplots(1, len(landscapes), sharex=True, sharey=True, squeeze=False)[0]
    for axes, each in zip(panels, landscapes, strict=True):
        shown = np.clip(np.nan_to_num(each.losses.T, nan=high, posinf=high), low, high)
        filled = axes.contourf(each.alphas, each.betas, shown, levels=levels, norm="log", cmap="viridis")
        axes.contour(each.alphas, each.betas, shown, levels=levels, colors="white", linewidths=0.4)
        axes.plot(0, 0, marker="+", color="white", markersize=9)
        center = each.losses[len(each.alphas) // 2, each.losses.shape[1] // 2]
        axes.set(title=f"{each.name}: loss {center:.3g}", xlabel="direction 1", aspect="equal")
    panels[0].set_ylabel("direction 2")
    label = f"loss of {landscapes[0].molecules} molecules"
    figure.colorbar(filled, ax=panels, label=label, ticks=levels[::2], format="%.3g")
    return figure


def range_of(landscapes: tuple[Landscape, ...]) -> tuple[float, float]:
    """Smallest and largest of the losses that are finite and above zero.

    Raises:
        ValueError: There is none.
    """
    losses = np.concatenate([each.losses.ravel() for each in landscapes])
    shown = losses[np.isfinite(losses) & (losses > 0)]
    if not len(shown):
        raise ValueError("no loss in the landscapes is finite and above zero: the model has diverged, or has no error")
    return float(shown.min()), float(shown.max())
