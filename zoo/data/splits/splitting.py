"""`Split`: train, validation and test parts of a dataset, what is in them, and the names of the rules."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.splits import rules as partition
from zoo.data.splits.own import read_index_file, split_by_column, split_by_rows
from zoo.data.splits.report import SplitReport, split_warnings

PART_NAMES = ("train", "valid", "test")
SPLIT_NAMES = (
    "scaffold",
    "scaffold_deterministic",
    "random",
    "random_stratified",
    "kfold",
    "butina",
    "maxmin",
    "column",
)


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of a dataset that share no molecule's row.

    Args:
        dataset: The whole.
        indices: Positions in `dataset` of train, valid and test; sorted, int64.
        name: The rule.
        seed: Its seed.
        warnings: What the parts cannot be used for, each with the remedy.
    """

    dataset: MoleculeDataset
    indices: tuple[np.ndarray, np.ndarray, np.ndarray]
    name: str
    seed: int
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def train(self) -> MoleculeDataset:
        """The part to fit."""
        return self.dataset.subset(self.indices[0])

    @cached_property
    def valid(self) -> MoleculeDataset:
        """The part that chooses the epoch."""
        return self.dataset.subset(self.indices[1])

    @cached_property
    def test(self) -> MoleculeDataset:
        """The part that is measured."""
        return self.dataset.subset(self.indices[2])

    def __repr__(self) -> str:
        return f"Split({self.name!r}, seed={self.seed}: {'/'.join(str(len(i)) for i in self.indices)})"

    def report(self) -> SplitReport:
        """Sizes, positives, scaffolds, and duplicates across parts; `str()` of it is a table."""
        return SplitReport.of(self.dataset, self.indices, self.name, self.seed, self.warnings)

    def to_dict(self) -> dict[str, list[int]]:
        """Row numbers in the source of each part; as a JSON file it can be given to `split` again."""
        return {name: self.dataset.rows[part].tolist() for name, part in zip(PART_NAMES, self.indices, strict=True)}


def split_dataset(
    dataset: MoleculeDataset,
    name: str | os.PathLike[str] | Mapping[str, Sequence[int]] | Sequence[Sequence[int]] = "scaffold",
    *,
    seed: int = 0,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
    fold: int = 0,
    num_folds: int = 5,
) -> Split:
    """Cut a dataset into train, validation and test.

    Args:
        dataset: What to cut; molecules that cannot be read are in no part.
        name: `scaffold` (balanced, as GROVER and chemprop), `scaffold_deterministic` (as dgllife), `random` (duplicates
            together), `random_stratified`, `kfold`, `butina`, `maxmin`, `column` (the `split` column of the source);
            or the user's own row numbers: three sequences, a mapping with keys train, valid, test, or a JSON / NPZ
            file of one.
        seed: Of the rules that draw, >= 0.
        fractions: Of train, valid and test; they sum to 1. `kfold` and own splits do not use them.
        fold: Which fold of `kfold` is the test part, 0 <= fold < num_folds.
        num_folds: Folds of `kfold`, >= 3.

    Raises:
        DataError: Unknown name, arguments out of range, or a part would be empty.

    Example:
        >>> smiles = ["C" * n for n in range(1, 21)]
        >>> data = MoleculeDataset("alkanes", smiles, np.arange(20.0), ("length",), "regression")
        >>> split_dataset(data, "random", seed=1)
        Split('random', seed=1: 16/2/2)
    """
    fractions = _check_arguments(dataset, seed, fractions)
    if fold and name != "kfold":
        raise DataError(f"fold={fold} would be ignored by split {name!r}: use split='kfold'")
    own_warnings: list[str] = []
    if isinstance(name, str) and name in SPLIT_NAMES:
        label = name
        if name == "column":
            parts, own_warnings = split_by_column(dataset)
        else:
            readable = np.flatnonzero(dataset.readable)
            usable = dataset if len(readable) == len(dataset) else dataset.subset(readable)
            chosen = _apply_rule(usable, name, seed, fractions, fold, num_folds)
            parts = tuple(readable[np.array(part, dtype=np.int64)] for part in chosen)
    elif isinstance(name, (str, os.PathLike)):
        label = os.path.basename(name)
        parts, own_warnings = split_by_rows(dataset, read_index_file(name, SPLIT_NAMES), label)
    else:
        label = "own indices"
        parts, own_warnings = split_by_rows(dataset, name, label)
    indices = tuple(np.sort(part) for part in parts)
    _refuse_empty_parts(dataset, indices, label, fractions if label in SPLIT_NAMES else (1, 1, 1))
    warnings = own_warnings + split_warnings(dataset, indices, label)
    return Split(dataset, indices, label, seed, warnings)  # type: ignore[arg-type]


def _check_arguments(dataset: MoleculeDataset, seed: int, fractions: Sequence[float]) -> tuple[float, float, float]:
    if seed < 0:
        raise DataError(f"seed={seed}: give 0 or a positive number")
    if len(fractions) != 3 or min(fractions) < 0 or not abs(sum(fractions) - 1) <= 1e-6 or fractions[0] == 0:
        raise DataError(f"fractions={tuple(fractions)}: give three numbers for train, valid, test that sum to 1")
    if not dataset.readable.any():
        raise DataError(f"{dataset.name}: no readable molecule, nothing to split")
    return fractions[0], fractions[1], fractions[2]


def _apply_rule(
    data: MoleculeDataset, name: str, seed: int, fractions: partition.Fractions, fold: int, num_folds: int
) -> partition.Parts:
    if name == "scaffold":
        return partition.scaffold_balanced(data.scaffolds, seed, fractions)
    if name in ("scaffold_deterministic", "butina"):
        if seed != 0:
            raise DataError(f"split={name!r} draws nothing, seed={seed} would be ignored: leave it at 0")
        if name == "butina":
            return partition.butina_clusters(data.smiles, fractions)
        return partition.scaffold_sorted(data.scaffolds, fractions)
    if name == "random":
        return partition.random_grouped(data.canonical_smiles, seed, fractions)
    if name == "random_stratified":
        return partition.random_stratified(data.canonical_smiles, _strata(data), seed, fractions)
    if name == "maxmin":
        return partition.maxmin_diverse(data.smiles, seed, fractions)
    if num_folds < 3 or not 0 <= fold < num_folds:
        raise DataError(f"fold={fold}, num_folds={num_folds}: give at least 3 folds and 0 <= fold < num_folds")
    return partition.cross_validation(data.canonical_smiles, seed, fold, num_folds)


def _strata(data: MoleculeDataset) -> np.ndarray:
    """Class, or decile of a regression target, of each molecule; those without a label are a stratum of their own."""
    if data.num_tasks != 1:
        raise DataError(f"split='random_stratified' needs one task, {data.name} has {data.num_tasks}: use 'random'")
    labels = data.targets[:, 0]
    known = ~np.isnan(labels)
    strata = np.full(len(data), -1)
    edges = [0.5] if data.task == "classification" else np.quantile(labels[known], np.linspace(0.1, 0.9, 9))
    strata[known] = np.searchsorted(edges, labels[known], side="right")
    return strata


def _refuse_empty_parts(
    data: MoleculeDataset, indices: Sequence[np.ndarray], label: str, fractions: Sequence[float]
) -> None:
    empty = [
        name
        for name, part, share in zip(PART_NAMES, indices, fractions, strict=True)
        if not len(part) and (share > 0 or name == "train")
    ]
    if not empty:
        return
    n = int(data.readable.sum())
    if label == "column" or label not in SPLIT_NAMES:
        remedy = "give every part at least one readable molecule"
    elif n < 10:
        remedy = f"{n} molecules are too few to split, get at least 10 (better hundreds)"
    elif label.startswith("scaffold"):
        groups = len(set(data.scaffolds))
        remedy = f"the {n} molecules have {groups} scaffold(s), too few or too unequal to part: use split='random'"
    else:
        remedy = f"the {n} molecules have too few distinct groups: use another split or other fractions"
    raise DataError(f"{data.name}: split {label!r} leaves the {' and '.join(empty)} part empty: {remedy}")
