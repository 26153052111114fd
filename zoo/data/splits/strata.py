"""Strata of molecules: classes, or deciles of numbers."""

from __future__ import annotations

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.registry import kinds
from zoo.registry.catalog.targets import NUMBERS


def strata_of(data: MoleculeDataset, split: str, otherwise: str) -> np.ndarray:
    """Return the stratum of each molecule (n,): class, or decile of a regression target; -1 without a label.

    Args:
        data: With one task.
        split: Name of the split that asks, for the message.
        otherwise: Name of one that takes any data.

    Raises:
        DataError: There is not exactly one task.
    """
    if data.num_tasks != 1:
        raise DataError(f"split={split!r} needs one task, {data.name} has {data.num_tasks}: use {otherwise!r}")
    labels = data.targets[:, 0]
    known = ~np.isnan(labels)
    strata = np.full(len(data), -1)
    if kinds.labels_of(data.task) == NUMBERS:
        bins = int(np.clip(known.sum() // 10, 1, 10))  # a stratum of a few molecules would go to train as one
        edges = np.quantile(labels[known], np.linspace(1 / bins, 1 - 1 / bins, bins - 1))
        strata[known] = np.searchsorted(edges, labels[known], side="right")
    else:
        strata[known] = labels[known]
    return strata
