"""Metrics of each task with their intervals, as a picture and as a Markdown table."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from zoo.tasks import Evaluation
from zoo.tasks.evaluation import format_interval, format_value
from zoo.views.plots import ACCENT, GREY, INK, new_figure, plain

MOST_TASKS = 60


def draw_intervals(found: Evaluation) -> Figure:
    """Show the first metric of each task with its interval, best task on top, and the mean as a line.

    Args:
        found: Metrics of a data set; the first 60 tasks are shown.
    """
    name = next(iter(found.results))
    values, ends = found.per_task[name], found.interval_by_task
    tasks = [task for task in found.task_names[:MOST_TASKS] if not math.isnan(values[task])]
    tasks.sort(key=lambda task: values[task])
    figure, axes = new_figure(6.0, 1.4 + 0.25 * max(len(tasks), 2))
    for place, task in enumerate(tasks):
        axes.plot(ends[task][name], (place, place), color=GREY, linewidth=2)
        axes.plot(values[task], place, "o", color=INK, markersize=5)
    if not math.isnan(found[name]):
        axes.axvline(found[name], color=ACCENT, linestyle=":", linewidth=1)
    axes.set_yticks(range(len(tasks)), [plain(task)[:30] for task in tasks], fontsize=8)
    axes.set(
        xlabel=f"{plain(name)} and its interval of {found.intervals.level * 100:g} %", ylim=(-0.7, len(tasks) - 0.3)
    )
    return figure


def format_markdown(found: Evaluation) -> str:
    """Write every metric of every task with its interval as a Markdown table, a row for each task."""
    ends = found.interval_by_task
    lines = ["| task | " + " | ".join(found.results) + " |", "|---" * (len(found.results) + 1) + "|"]
    for task, values in found.by_task.items():
        cells = [f"{format_value(value)} ({format_interval(*ends[task][name])})" for name, value in values.items()]
        lines.append(f"| {plain(task).replace('|', '/')} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
