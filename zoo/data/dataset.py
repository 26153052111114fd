"""`MoleculeDataset`: molecules and their labels, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from zoo.data.errors import DataError
from zoo.data.molecules import canonical_smiles, murcko_scaffold

if TYPE_CHECKING:
    from zoo.data.splits.splitting import Split

TASK_METRICS = {"classification": "roc_auc", "regression": "rmse", "unlabelled": ""}


class InvalidRow(NamedTuple):
    """A row whose SMILES cannot be used: its number in the source (from 0), the SMILES and the reason."""

    row: int
    smiles: str
    reason: str


@dataclass(frozen=True, eq=False)
class MoleculeDataset:
    """Molecules, labels and where they came from; immutable.

    Args:
        name: What reports call it.
        smiles: One SMILES per molecule (n).
        targets: Labels (n, T), float32; NaN is a missing label. Classes are 0 and 1, regression has the source's units.
        task_names: Column names of the tasks (T).
        task: `"classification"`, `"regression"`, or `"unlabelled"` where T = 0.
        metric: `"roc_auc"`, `"prc_auc"`, `"rmse"` or `"mae"`; empty takes the usual one of the task.
        rows: Number of each molecule's row in the source, from 0 (n,).
        invalid: Rows whose SMILES cannot be read, left out or (with `on_invalid="nan"`) kept without labels.
        notes: What was understood of the source: guessed columns, encodings, label mappings, left-out rows.
        label_names: For tasks whose classes were words: the words of class 0 and 1.
        splits: The user's own `train` / `valid` / `test` column (n,), or `None`.

    Example:
        >>> data = MoleculeDataset("two", ["CCO", "CCN"], np.array([[0.0], [1.0]]), ("active",), "classification")
        >>> len(data), data.num_tasks, data.metric
        (2, 1, 'roc_auc')
    """

    name: str
    smiles: list[str]
    targets: np.ndarray
    task_names: tuple[str, ...]
    task: str
    metric: str = ""
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    invalid: list[InvalidRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    label_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    splits: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.smiles)
        targets = np.array(self.targets, dtype=np.float32).reshape(n, len(self.task_names))
        rows = np.array(self.rows, dtype=np.int64) if len(self.rows) or not n else np.arange(n, dtype=np.int64)
        if len(rows) != n:
            raise DataError(f"{self.name}: {n} molecules but {len(rows)} row numbers: give one of each per molecule")
        if self.task not in TASK_METRICS:
            raise DataError(f"{self.name}: task={self.task!r}: choose 'classification' or 'regression'")
        for array in (targets, rows):
            array.flags.writeable = False
        object.__setattr__(self, "targets", targets)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "metric", self.metric or TASK_METRICS[self.task])

    def __len__(self) -> int:
        return len(self.smiles)

    def __repr__(self) -> str:
        return f"MoleculeDataset({self.name!r}: {len(self)} molecules, {self.num_tasks} {self.task} task(s))"

    @property
    def num_tasks(self) -> int:
        """Number of tasks T."""
        return len(self.task_names)

    @cached_property
    def readable(self) -> np.ndarray:
        """Which molecules can be read (n,), bool: all of them unless `on_invalid="nan"` kept the others."""
        return ~np.isin(self.rows, np.array([entry.row for entry in self.invalid], dtype=np.int64))

    @cached_property
    def canonical_smiles(self) -> list[str]:
        """Canonical isomeric SMILES of each molecule (n): equal for duplicates."""
        return [canonical_smiles(smiles) for smiles in self.smiles]

    @cached_property
    def scaffolds(self) -> list[str]:
        """Bemis-Murcko scaffold of each molecule (n), without chirality; empty for molecules without rings."""
        return [murcko_scaffold(smiles) for smiles in self.smiles]

    def subset(self, indices: Sequence[int] | np.ndarray) -> MoleculeDataset:
        """The molecules at `indices` (or where a boolean mask is true), in that order; `rows` stay the source's."""
        chosen = np.arange(len(self))[np.asarray(indices, dtype=None if len(indices) else np.int64)]
        part = replace(
            self,
            smiles=[self.smiles[i] for i in chosen],
            targets=self.targets[chosen],
            rows=self.rows[chosen],
            splits=None if self.splits is None else self.splits[chosen],
        )
        for computed in ("canonical_smiles", "scaffolds"):
            if computed in self.__dict__:
                values = self.__dict__[computed]
                part.__dict__[computed] = [values[i] for i in chosen]
        return part

    def to_frame(self) -> pd.DataFrame:
        """One row per molecule: `smiles`, the tasks, and the source's row number as index."""
        frame = pd.DataFrame({"smiles": self.smiles}, index=pd.Index(self.rows, name="row"))
        labels = pd.DataFrame(self.targets, index=frame.index, columns=list(self.task_names))
        return pd.concat([frame, labels], axis=1)

    def split(
        self,
        name: Any = "scaffold",
        *,
        seed: int = 0,
        fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
        fold: int = 0,
        num_folds: int = 5,
    ) -> Split:
        """Cut into train, validation and test parts; see `zoo.data.split_dataset` for names and arguments."""
        from zoo.data.splits.splitting import split_dataset

        return split_dataset(self, name, seed=seed, fractions=fractions, fold=fold, num_folds=num_folds)
