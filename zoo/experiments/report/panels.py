"""The figures of a report: a function that draws, and a line in `PANELS`, make one more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import pandas as pd
from matplotlib.figure import Figure

from zoo.experiments.report import figures
from zoo.experiments.report.differences import paired_differences
from zoo.experiments.report.figures import Form
from zoo.experiments.report.palette import Palette
from zoo.experiments.report.rises import rise_points, score_against_rise


class ReportData(Protocol):
    """Tables of a report that a figure may draw, see `statistics`."""

    @property
    def finished(self) -> pd.DataFrame:
        """A row for each run with a result."""

    @property
    def summary(self) -> pd.DataFrame:
        """A row for each data set, model and optimizer."""

    @property
    def comparison(self) -> pd.DataFrame:
        """A row for each data set, model and optimizer that is compared with the reference."""

    @property
    def palette(self) -> Palette:
        """Colours of the optimizers."""

    @property
    def reference(self) -> str:
        """Optimizer that others are compared with."""


@dataclass(frozen=True)
class Panel:
    """A figure of a report.

    Args:
        draw: Function of the report and the form of its page; returns a figure, `None` without data for it.
        title: Description for those who cannot see it; `{reference}` becomes the reference's name.
        caption: Text under the figure, with the same placeholder.
        section: "differences" (to the reference) or "results".
        optional: Leave it out of reports without data for it; others keep an empty place.
    """

    draw: Callable[[ReportData, Form], Figure | None]
    title: str
    caption: str
    section: str = "results"
    optional: bool = False


def draw_differences(report: ReportData, form: Form) -> Figure | None:
    """Draw the differences to the reference with their intervals."""
    if not len(report.comparison):
        return None
    return paired_differences(report.comparison, report.palette, report.reference, form)


def draw_time(report: ReportData, form: Form) -> Figure | None:
    """Draw the test metric over the training time."""
    if not figures.comparable(report.summary):
        return None
    return figures.metric_against_time(report.summary, report.palette, report.reference, form)


def draw_curves(report: ReportData, form: Form) -> Figure | None:
    """Draw the learning curves."""
    return figures.learning_curves(report.finished, report.palette, form) if report.palette.names else None


def draw_rises(report: ReportData, form: Form) -> Figure | None:
    """Draw the differences over the measured rise of the loss."""
    points = rise_points(report.finished, report.reference)
    return score_against_rise(points, report.palette, report.reference, form) if len(points) else None


PANELS: dict[str, Panel] = {
    "differences": Panel(
        draw_differences,
        "Paired differences to {reference}",
        "Mean difference to {reference} on equal seeds with its 95 % interval (Student's t). An interval that contains "
        "0 does not settle the sign. An arrow marks what goes on beyond the edge; the table has the numbers.",
        "differences",
    ),
    "rises": Panel(
        draw_rises,
        "Difference to {reference} against the measured rise of the loss",
        "Each run that measured its ascent (`ascent_every`): the mean relative rise of the loss of a batch from the "
        "weights to the perturbed weights, and the difference of its test score to {reference}'s on the same seed. "
        "Left of 0 the perturbation goes downhill.",
        "differences",
        optional=True,
    ),
    "time": Panel(
        draw_time,
        "Test metric against training time",
        "Right is slower; the arrow at the metric points to the better side; bars are standard deviations over the "
        "seeds.",
    ),
    "curves": Panel(
        draw_curves,
        "Learning curves",
        "Validation metric over training time at the end of each epoch: each seed thin, their mean thick.",
    ),
}
