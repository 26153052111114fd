"""Data that `fit` is given: their parts, the scaling of their features, and their description for a recipe."""

from __future__ import annotations

from dataclasses import replace

from zoo.data import MoleculeDataset, Split
from zoo.data.features import FeatureScaler
from zoo.recipe.options import DataOptions


def cut(dataset: MoleculeDataset, split: str | Split | None, seed: int) -> Split | None:
    """Cut a data set into its parts."""
    return split if split is None or isinstance(split, Split) else dataset.split(split, seed=seed)


def scale_features(train: MoleculeDataset) -> FeatureScaler | None:
    """Take the scaling of the features of a training part, if it has any."""
    return None if train.features is None else FeatureScaler.fit(train.features, train.feature_names)


def describe_features(scaler: FeatureScaler | None) -> tuple[str, ...]:
    """Return the notes on the features of a training part."""
    return () if scaler is None else tuple(scaler.describe())


def describe_data(dataset: MoleculeDataset, parts: Split | None) -> DataOptions:
    """Describe data that were given as an object, for a recipe."""
    known = DataOptions(
        source=dataset.name,
        task=dataset.task,
        tasks=dataset.task_names,
        smiles_columns=dataset.smiles_columns or None,
        feature_columns=dataset.feature_names or None,
    )
    return known if parts is None else replace(known, split=parts.name, split_args=parts.options, split_seed=parts.seed)
