"""Folds for cross-validation: molecules by chance, by scaffold, or in equal shares of each class."""

from __future__ import annotations

import random

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.splits.rules import Parts, cross_validation, deal, group_by, of_folds, shuffle_groups
from zoo.data.splits.splitting import accepted_options
from zoo.data.splits.strata import strata_of
from zoo.registry import kinds
from zoo.registry.catalog import SPLITS
from zoo.registry.catalog.targets import NUMBERS
from zoo.registry.plugins import load_plugins

FEWEST = 3
FOLDED = {"scaffold": "scaffold_kfold", "random": "kfold", "random_stratified": "stratified_kfold"}
"""Splits into folds that group or draw as another split does."""


def kfold(dataset: MoleculeDataset, *, seed: int, fold: int = 0, num_folds: int = 5) -> Parts:
    """Cut random folds, duplicates together: `fold` is the test part, the next one validates, the others train.

    Args:
        dataset: Readable molecules.
        seed: Seed of the shuffling.
        fold: Which fold is the test part, 0 <= fold < num_folds.
        num_folds: How many folds there are, >= 3.

    Raises:
        DataError: Numbers out of range, or more folds than different molecules.
    """
    check_numbers(fold, num_folds)
    molecules = dataset.canonical_smiles
    require_groups(dataset, len(set(molecules)), num_folds, "different molecules", "")
    return cross_validation(molecules, seed, fold, num_folds)


def scaffold_kfold(dataset: MoleculeDataset, *, seed: int, fold: int = 0, num_folds: int = 5) -> Parts:
    """Cut folds that keep molecules of one scaffold together; otherwise as `kfold`.

    Scaffolds with more molecules than half a fold are dealt first, so that the folds are as equal as they allow.

    Args:
        dataset: Readable molecules.
        seed: Seed of the shuffling.
        fold: Which fold is the test part, 0 <= fold < num_folds.
        num_folds: How many folds there are, >= 3.

    Raises:
        DataError: Numbers out of range, or more folds than scaffolds.
    """
    check_numbers(fold, num_folds)
    groups = group_by(dataset.scaffolds)
    require_groups(dataset, len(groups), num_folds, "scaffolds", ", or split='kfold'")
    generator, half = random.Random(seed), len(dataset) / num_folds / 2
    big, small = ([group for group in groups if (len(group) > half) == large] for large in (True, False))
    generator.shuffle(big)
    generator.shuffle(small)
    return of_folds(deal(big + small, num_folds), fold)


def stratified_kfold(dataset: MoleculeDataset, *, seed: int, fold: int = 0, num_folds: int = 5) -> Parts:
    """Cut folds with equal shares of each class, or decile of a regression target; otherwise as `kfold`.

    Args:
        dataset: Readable molecules.
        seed: Seed of the shuffling.
        fold: Which fold is the test part, 0 <= fold < num_folds.
        num_folds: How many folds there are, >= 3.

    Raises:
        DataError: Numbers out of range, a class of fewer molecules than folds, or several tasks.
    """
    check_numbers(fold, num_folds)
    strata, groups = strata_of(dataset, "stratified_kfold", "kfold"), group_by(dataset.canonical_smiles)
    require_groups(dataset, len(groups), num_folds, "different molecules", "")
    folds: list[list[int]] = [[] for _ in range(num_folds)]
    for stratum in np.unique(strata):
        inside = [group for group in groups if strata[group[0]] == stratum]
        if stratum >= 0 and kinds.labels_of(dataset.task) != NUMBERS:
            what = f"molecules of class {word_of(dataset, int(stratum))}"
            require_groups(dataset, len(inside), num_folds, what, ", or split='kfold'")
        dealt = deal(shuffle_groups(inside, seed), num_folds)
        order = sorted(range(num_folds), key=lambda number: len(folds[number]))
        for place, part in zip(order, sorted(dealt, key=len, reverse=True), strict=True):
            folds[place] += part
    return of_folds(folds, fold)


def check_numbers(fold: int, num_folds: int) -> None:
    """Raise a `DataError` unless there are at least three folds and `fold` is one of them."""
    whole = all(isinstance(number, (int, np.integer)) for number in (fold, num_folds))
    if not whole or num_folds < FEWEST or not 0 <= fold < num_folds:
        raise DataError(f"fold={fold}, num_folds={num_folds}: give at least 3 folds and 0 <= fold < num_folds")


def require_groups(dataset: MoleculeDataset, number: int, num_folds: int, what: str, otherwise: str) -> None:
    """Raise a `DataError` of one line unless each fold can have a group of its own."""
    if number >= num_folds:
        return
    remedy = f"give at most {number} folds{otherwise}" if number >= FEWEST else f"get more of them{otherwise}"
    raise DataError(f"{dataset.name}: {num_folds} folds of {number} {what}: {remedy}")


def word_of(dataset: MoleculeDataset, label: int) -> str:
    """Return the word of a class of the only task, or its number."""
    words = dataset.label_names.get(dataset.task_names[0], ())
    return repr(words[label]) if label < len(words) else str(label)


def folded(split: str) -> str:
    """Return the split into folds that stands for a split: itself, or the one that groups or draws alike.

    Raises:
        DataError: There is none.

    Example:
        >>> folded("scaffold"), folded("kfold")
        ('scaffold_kfold', 'kfold')
    """
    load_plugins()
    name = FOLDED.get(split, split)
    if name not in SPLITS or not {"fold", "num_folds"} <= set(accepted_options(name)):
        raise DataError(f"split={split!r} cuts no folds: choose one of {', '.join(FOLDED.values())}")
    return name
