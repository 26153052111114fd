"""The splits of the catalog: each cuts a dataset of readable molecules and returns positions of three parts.

A function takes the dataset and, by keyword, what it uses of `seed` and `fractions`, and its own options; `split` reads
the signature, so that an argument that a split does not use is refused instead of ignored.
"""

from __future__ import annotations

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.splits import rules
from zoo.data.splits.own import parts_of_column
from zoo.data.splits.rules import Fractions, Parts
from zoo.registry import kinds
from zoo.registry.catalog.targets import NUMBERS


def scaffold(dataset: MoleculeDataset, *, seed: int, fractions: Fractions) -> Parts:
    """Keep molecules of one scaffold together; large scaffolds train, chance decides about the others."""
    return rules.scaffold_balanced(dataset.scaffolds, seed, fractions)


def scaffold_deterministic(dataset: MoleculeDataset, *, fractions: Fractions) -> Parts:
    """Keep molecules of one scaffold together, largest scaffolds first."""
    return rules.scaffold_sorted(dataset.scaffolds, fractions)


def random(dataset: MoleculeDataset, *, seed: int, fractions: Fractions) -> Parts:
    """Shuffle; duplicates stay together."""
    return rules.random_grouped(dataset.canonical_smiles, seed, fractions)


def random_stratified(dataset: MoleculeDataset, *, seed: int, fractions: Fractions) -> Parts:
    """Shuffle within each class, or each decile of a regression target.

    Raises:
        DataError: The dataset does not have exactly one task.
    """
    return rules.random_stratified(dataset.canonical_smiles, _strata(dataset), seed, fractions)


def kfold(dataset: MoleculeDataset, *, seed: int, fold: int = 0, num_folds: int = 5) -> Parts:
    """Cut random folds: `fold` is the test part, the next one validates, the others train.

    Args:
        dataset: Readable molecules.
        seed: Seed of the shuffling.
        fold: Which fold is the test part, 0 <= fold < num_folds.
        num_folds: How many folds there are, >= 3.

    Raises:
        DataError: Numbers out of range.
    """
    whole = all(isinstance(number, (int, np.integer)) for number in (fold, num_folds))
    if not whole or num_folds < 3 or not 0 <= fold < num_folds:
        raise DataError(f"fold={fold}, num_folds={num_folds}: give at least 3 folds and 0 <= fold < num_folds")
    return rules.cross_validation(dataset.canonical_smiles, seed, fold, num_folds)


def butina(dataset: MoleculeDataset, *, fractions: Fractions, cutoff: float = 0.65) -> Parts:
    """Keep clusters of similar molecules together, the largest ones in train.

    Args:
        dataset: Readable molecules, at most 10,000.
        fractions: Shares of train, valid and test.
        cutoff: Tanimoto distance of ECFP4 within a cluster, 0 to 1.

    Raises:
        DataError: A cutoff out of range, or too many molecules.
    """
    if isinstance(cutoff, str) or not 0 <= cutoff <= 1:
        raise DataError(f"cutoff={cutoff!r}: give a Tanimoto distance between 0 and 1")
    return rules.butina_clusters(dataset.smiles, fractions, cutoff)


def maxmin(dataset: MoleculeDataset, *, seed: int, fractions: Fractions) -> Parts:
    """Test and validate on the molecules that are most unlike each other; duplicates stay together."""
    return rules.maxmin_diverse(dataset.canonical_smiles, seed, fractions)


def column(dataset: MoleculeDataset) -> Parts:
    """Cut by the source's own column of train, valid and test."""
    return parts_of_column(dataset)


def _strata(data: MoleculeDataset) -> np.ndarray:
    """Class, or decile of a regression target, of each molecule; those without a label are a stratum of their own."""
    if data.num_tasks != 1:
        raise DataError(f"split='random_stratified' needs one task, {data.name} has {data.num_tasks}: use 'random'")
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
