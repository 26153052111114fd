"""The splits of the catalog: each cuts a dataset of readable molecules and returns positions of three parts.

A function takes the dataset and, by keyword, what it uses of `seed` and `fractions`, and its own options; `split` reads
the signature, so that an argument that a split does not use is refused instead of ignored.
"""

from __future__ import annotations

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.splits import rules
from zoo.data.splits.own import parts_of_column
from zoo.data.splits.rules import Fractions, Parts
from zoo.data.splits.strata import strata_of


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
    strata = strata_of(dataset, "random_stratified", "random")
    return rules.random_stratified(dataset.canonical_smiles, strata, seed, fractions)


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


def none(dataset: MoleculeDataset) -> Parts:
    """Train on everything; nothing validates or tests."""
    return list(range(len(dataset))), [], []
