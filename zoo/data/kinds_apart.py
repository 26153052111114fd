"""Data sets of several kinds of target, taken apart by kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.registry import kinds
from zoo.registry.catalog.targets import CLASSES


class KindPart(NamedTuple):
    """Tasks of one kind.

    Args:
        dataset: All molecules with the labels of these tasks.
        places: Numbers of the tasks among all T.
        predictions: Of these tasks (n, t) or (n, t, C).
    """

    dataset: MoleculeDataset
    places: list[int]
    predictions: np.ndarray


def take_tasks(dataset: MoleculeDataset, places: Sequence[int]) -> MoleculeDataset:
    """Return a data set with some of its tasks, in this order; tasks of one kind are no longer mixed."""
    chosen = list(places)
    names = tuple(dataset.task_names[place] for place in chosen)
    found = tuple(dataset.kind_by_task[place] for place in chosen)
    alike = len(set(found)) == 1
    several = any(kinds.labels_of(kind) == CLASSES for kind in found)
    task = found[0] if alike else dataset.task
    fits = not alike or not dataset.task_kinds or dataset.metric in kinds.metrics_of(task)
    return replace(
        dataset,
        task_names=names,
        task=task,
        task_kinds=() if alike else found,
        targets=dataset.targets[:, chosen],
        bounds=None if dataset.bounds is None else dataset.bounds[:, chosen],
        label_names={name: words for name, words in dataset.label_names.items() if name in names},
        num_classes=dataset.num_classes if several else 0,
        metric=dataset.metric if fits else "",
        metric_args=dataset.metric_args if fits else {},
    )


def widths(dataset: MoleculeDataset) -> list[int]:
    """Numbers that a prediction has for each task (T): C for several classes of a mixed data set, else 1."""
    several = [kinds.labels_of(kind) == CLASSES for kind in dataset.task_kinds] or [False] * dataset.num_tasks
    return [dataset.num_classes if each else 1 for each in several]


def by_kind(dataset: MoleculeDataset, predictions: np.ndarray) -> Iterator[KindPart]:
    """Take a data set apart, in the order in which its kinds occur; one of a single kind is returned as it is.

    Args:
        dataset: With labels (n, T).
        predictions: (n, T) or (n, T, C); (n, K) for a mixed data set.
    """
    if not dataset.task_kinds:
        yield KindPart(dataset, list(range(dataset.num_tasks)), predictions)
        return
    sizes = widths(dataset)
    starts = np.cumsum([0, *sizes])
    for kind in dict.fromkeys(dataset.task_kinds):
        places = [place for place, each in enumerate(dataset.task_kinds) if each == kind]
        columns = [predictions[:, starts[place] : starts[place] + sizes[place]] for place in places]
        several = kinds.labels_of(kind) == CLASSES
        yield KindPart(
            take_tasks(dataset, places),
            places,
            np.stack(columns, axis=1) if several else np.concatenate(columns, axis=1),
        )
