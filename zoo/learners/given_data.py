"""Data that `fit` is given as an object: their parts, and their description for a recipe."""

from __future__ import annotations

from dataclasses import replace

from zoo.data import MoleculeDataset, Split
from zoo.recipe.options import DataOptions


def cut(dataset: MoleculeDataset, split: str | Split | None, seed: int) -> Split | None:
    """Cut a data set into its parts."""
    return split if split is None or isinstance(split, Split) else dataset.split(split, seed=seed)


def describe_data(dataset: MoleculeDataset, parts: Split | None) -> DataOptions:
    """Describe data that were given as an object, for a recipe."""
    known = DataOptions(source=dataset.name, task=dataset.task, tasks=dataset.task_names)
    return known if parts is None else replace(known, split=parts.name, split_args=parts.options, split_seed=parts.seed)
