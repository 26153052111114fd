"""Meanings of the names of targets and metrics, without heavy imports."""

from __future__ import annotations

from typing import Any

from zoo.registry.catalog.targets import METRICS, MIXED, TASKS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Entry

UNLABELLED = "unlabelled"
__all__ = ["MIXED", "UNLABELLED", "check_metric", "check_task", "default_metric", "higher_is_better", "is_task",
           "labels_of", "metric_entry", "metrics_of", "same_task", "task_entry"]  # fmt: skip


def task_entry(name: str) -> Entry[Any]:
    """Return the catalog entry of a kind of target; "classification" means "binary".

    Raises:
        UnknownName: There is no such kind; the message names all.

    Example:
        >>> task_entry("classification").name
        'binary'
    """
    load_plugins()
    return TASKS[name]


def is_task(name: str) -> bool:
    """Return whether a name is that of a kind of target."""
    load_plugins()
    return name in TASKS


def check_task(name: str) -> None:
    """Raise a `ValueError` that names all kinds of target unless `name` is one of them."""
    load_plugins()
    if name not in TASKS:
        raise ValueError(
            f"task={name!r}: choose one of classification (the same as binary), {', '.join(TASKS.names())}"
        )


def labels_of(task: str) -> str:
    """Return the type of a target's labels: "zero_one", "classes" or "numbers"; empty where there are none."""
    return "" if task == UNLABELLED else task_entry(task).facts["labels"]


def default_metric(task: str) -> str:
    """Default metric of a kind of target; empty where there are no labels."""
    return "" if task == UNLABELLED else task_entry(task).facts["metric"]


def same_task(first: str, second: str) -> bool:
    """Return whether two names mean the same kind of target.

    Example:
        >>> same_task("classification", "binary"), same_task("binary", "multiclass")
        (True, False)
    """
    if UNLABELLED in (first, second):
        return first == second
    return task_entry(first).name == task_entry(second).name


def metric_entry(name: str) -> Entry[Any]:
    """Catalog entry of a metric.

    Raises:
        UnknownName: There is no such metric; the message names all.
    """
    load_plugins()
    return METRICS[name]


def higher_is_better(metric: str) -> bool:
    """Return whether larger values of a metric are better."""
    return bool(metric_entry(metric).facts["higher_is_better"])


def metrics_of(task: str) -> list[str]:
    """Names of the metrics that fit a kind of target, its default first.

    Example:
        >>> metrics_of("regression")
        ['rmse', 'mae', 'r2', 'mse', 'pearson', 'spearman', 'kendall']
    """
    entry = task_entry(task)
    if entry.facts["labels"] == MIXED:  # which of them fit is known with the kinds of the columns
        return METRICS.names()
    first = entry.facts["metric"]
    names, own = {entry.name, entry.facts.get("like")}, entry.facts.get("metrics", ())
    fitting = [m.name for m in METRICS if names.intersection(m.facts["fits"]) or m.name in own]
    return [first, *(name for name in fitting if name != first)]


def check_metric(name: str, task: str) -> None:
    """Raise a `ValueError` that names the metrics of the kind of target unless `name` is one of them."""
    known = metrics_of(task)
    if name not in known:
        raise ValueError(f"metric {name!r} is not one for {task}: choose one of {', '.join(known)}")
