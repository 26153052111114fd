"""`MoleculeDataset`: molecules and their labels, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.arrays import Bool, Float32, Float64, Int8, Int64
from zoo.data.errors import DataError, printable
from zoo.data.features import checked_features
from zoo.data.molecules import canonical_smiles, murcko_scaffold
from zoo.data.row_arrays import check_bounds, check_weights, count_classes, hash_rows, measured, require_kinds
from zoo.data.row_frames import frame_of, write_columns
from zoo.data.rows import InvalidRow
from zoo.data.split_report import PART_NAMES, SplitReport
from zoo.registry import kinds
from zoo.registry.registry import Entry

# Named by its place, since the rules of splits stand on this module.
SPLIT_FUNCTION: Entry[Any] = Entry("split", "zoo.data.splits.splitting:split", "Cut a dataset into three parts")


@dataclass(frozen=True, eq=False)
class MoleculeDataset:
    """Molecules, labels and where they came from; immutable.

    A *row* is a position in the source, counted from 0 as by `frame.iloc`; a *line* is a line of a text file, counted
    from 1 with the header, as editors and spreadsheets show it. Messages and reports name lines where there are any.

    Args:
        name: What reports call it.
        smiles: One SMILES per molecule (n).
        targets: Labels (n, T), float64; NaN is a missing label. Classes are 0 and 1, regression has the source's units.
        task_names: Column names of the tasks (T).
        task: Kind of target: `"classification"` (two classes), `"multiclass"`, `"regression"` or a registered one;
            `"unlabelled"` where T = 0.
        metric: Name of a metric that fits; empty takes the usual one of the task.
        metric_args: Arguments of the metric.
        rows: Number of each molecule's row in the source, from 0 (n,).
        invalid: Rows whose SMILES cannot be read, left out or (with `on_invalid="nan"`) kept without labels.
        notes: What was understood of the source: guessed columns, encodings, label mappings, left-out rows.
        label_names: Words of the classes by task, where they were words or there are more than two.
        num_classes: Largest number C of classes of a task of several classes; 0 for other kinds of target, or to count.
        task_kinds: Kind of each task (T) where `task` is `"mixed"`; empty for all alike.
        splits: The user's own `train` / `valid` / `test` column (n,), or `None`.
        split_column: Name of the column that the user named as the split, or `""`.
        lines: Line of each molecule in its text file (n,), or `None` for other sources.
        extras: The source's other columns (n rows), neither SMILES nor tasks, with their cells as they were.
        partners: The other molecules of each row, where a row has several: SMILES (n) for each further column.
        smiles_columns: Names of the columns of molecules (K) where there are several; else empty.
        features: Numbers that models read next to the molecule (n, F), float32, as in the source; NaN where missing.
        feature_names: Their columns (F).
        weights: Weight of each molecule in the loss (n,), at least 0; `None` weighs all alike. Metrics ignore it.
        bounds: What each label is (n, T): -1 an upper bound (`<`), 1 a lower bound (`>`), 0 exact; `None`: all exact.
        measure_bounds: Whether metrics take bounds too; a prediction that keeps one then has no error.

    Example:
        >>> data = MoleculeDataset("two", ["CCO", "CCN"], np.array([[0.0], [1.0]]), ("active",), "classification")
        >>> len(data), data.num_tasks, data.metric
        (2, 1, 'roc_auc')
    """

    name: str
    smiles: list[str]
    targets: Float64
    task_names: tuple[str, ...]
    task: str
    metric: str = ""
    metric_args: Mapping[str, Any] = field(default_factory=dict)
    rows: Int64 = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    invalid: list[InvalidRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    label_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    num_classes: int = 0
    task_kinds: tuple[str, ...] = ()
    splits: np.ndarray | None = None
    split_column: str = ""
    lines: Int64 | None = None
    extras: pd.DataFrame | None = None
    partners: tuple[list[str], ...] = ()
    smiles_columns: tuple[str, ...] = ()
    features: Float32 | None = None
    feature_names: tuple[str, ...] = ()
    weights: Float64 | None = None
    bounds: Int8 | None = None
    measure_bounds: bool = False

    def __post_init__(self) -> None:
        n = len(self.smiles)
        targets = np.array(self.targets, dtype=np.float64).reshape(n, len(self.task_names))
        rows = np.array(self.rows, dtype=np.int64) if len(self.rows) or not n else np.arange(n, dtype=np.int64)
        if len(rows) != n:
            raise DataError(f"{self.name}: {n} molecules but {len(rows)} row numbers: give one of each per molecule")
        if self.task != kinds.UNLABELLED:
            try:
                kinds.check_task(self.task)
            except ValueError as error:
                raise DataError(f"{self.name}: {error}") from error
        several = require_kinds(self.name, self.task, self.task_kinds, self.task_names)
        if not self.num_classes and several:
            object.__setattr__(self, "num_classes", count_classes(targets, self.label_names, self.task_names, several))
        if self.features is not None or self.feature_names:
            object.__setattr__(self, "features", checked_features(self.name, self.features, n, self.feature_names))
        weights = None if self.weights is None else check_weights(self.name, self.weights, n)
        bounds = None if self.bounds is None else check_bounds(self.name, self.bounds, targets)
        for name, array in {"targets": targets, "rows": rows, "weights": weights, "bounds": bounds}.items():
            if array is not None:
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "notes", [printable(note) for note in self.notes])
        object.__setattr__(self, "metric", self.metric or kinds.default_metric((*self.kind_by_task, self.task)[0]))

    def __len__(self) -> int:
        return len(self.smiles)

    def __repr__(self) -> str:
        return f"MoleculeDataset({self.name!r}: {len(self)} molecules, {self.num_tasks} {self.task} task(s))"

    @property
    def num_tasks(self) -> int:
        """Number of tasks T."""
        return len(self.task_names)

    @property
    def kind_by_task(self) -> tuple[str, ...]:
        """Kind of target of each task (T)."""
        return self.task_kinds or (self.task,) * self.num_tasks

    @cached_property
    def exact_targets(self) -> Float64:
        """Labels (n, T) that are values themselves: NaN where a label is missing or a bound."""
        return measured(self.targets, self.bounds, self.targets, False)[0]

    def without_bounds(self) -> MoleculeDataset:
        """The same molecules with their exact labels only."""
        return replace(self, targets=self.exact_targets, bounds=None)

    @cached_property
    def readable(self) -> Bool:
        """Mask of the molecules that can be read (n,), bool: all of them unless `on_invalid="nan"` kept the others."""
        return ~np.isin(self.rows, np.array([entry.row for entry in self.invalid], dtype=np.int64))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything that is learned from, as 64 hex digits: equal for equal content only.

        The name, notes, extra columns and the way the source was written do not count. The value is the same on every
        platform.
        """
        texts = [self.smiles, self.task_names, *filter(None, [self.feature_names, *self.partners])]
        return hash_rows(texts, self.targets, self.rows, self.weights, self.bounds, self.features)

    @cached_property
    def canonical_smiles(self) -> list[str]:
        """Canonical isomeric SMILES of each row (n), of several molecules joined by ` + `: equal for duplicates."""
        columns = [map(canonical_smiles, column) for column in (self.smiles, *self.partners)]
        return [" + ".join(molecules) for molecules in zip(*columns, strict=True)]

    @cached_property
    def scaffolds(self) -> list[str]:
        """Bemis-Murcko scaffold of the (first) molecule of each row (n), without chirality; empty without rings."""
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
            lines=None if self.lines is None else self.lines[chosen],
            extras=None if self.extras is None else self.extras.iloc[chosen].reset_index(drop=True),
            partners=tuple([column[i] for i in chosen] for column in self.partners),
            features=None if self.features is None else self.features[chosen],
            weights=None if self.weights is None else self.weights[chosen],
            bounds=None if self.bounds is None else self.bounds[chosen],
        )
        for computed in ("canonical_smiles", "scaffolds"):
            if computed in self.__dict__:
                values = self.__dict__[computed]
                part.__dict__[computed] = [values[i] for i in chosen]
        return part

    def where(self, position: int) -> str:
        """Name the molecule at a position for messages: `line 9` of a text file, else `row 7`."""
        return f"row {self.rows[position]}" if self.lines is None else f"line {self.lines[position]}"

    def to_frame(self, *, extras: bool = False) -> pd.DataFrame:
        """One row per molecule: `smiles`, the tasks (bounds as text such as `>4.5`), the source's row number as index.

        Args:
            extras: Also give the `line` in the text file and the source's other columns; one of these whose name is
                taken gets `_source` behind it.
        """
        labels = write_columns(self.targets, self.bounds, self.task_names)
        carried = (self.extras, self.lines) if extras else (None, None)
        return frame_of(self.smiles, labels, self.rows, *carried)

    def split(self, name: Any = None, *, seed: int = 0, **options: Any) -> Split:
        """Cut into train, validation and test parts; the arguments are those of `zoo.data.split`."""
        parts: Split = SPLIT_FUNCTION.resolve()(self, name, seed=seed, **options)
        return parts


@dataclass(frozen=True, eq=False)
class Split:
    """Three parts of a dataset that share no row.

    Args:
        dataset: The dataset that was cut.
        indices: Positions in `dataset` of train, valid and test; sorted, int64.
        name: Name of the rule, or of the file with row numbers.
        seed: Seed of the rule.
        warnings: What the parts cannot be used for, each with the remedy.
        options: Options of the rule that were given.
    """

    dataset: MoleculeDataset
    indices: tuple[np.ndarray, np.ndarray, np.ndarray]
    name: str
    seed: int
    warnings: list[str] = field(default_factory=list)
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def train(self) -> MoleculeDataset:
        """Training part."""
        return self.dataset.subset(self.indices[0])

    @cached_property
    def valid(self) -> MoleculeDataset:
        """Validation part, which chooses the epoch."""
        return self.dataset.subset(self.indices[1])

    @cached_property
    def test(self) -> MoleculeDataset:
        """Test part."""
        return self.dataset.subset(self.indices[2])

    def __repr__(self) -> str:
        return f"Split({self.name!r}, seed={self.seed}: {'/'.join(str(len(i)) for i in self.indices)})"

    def report(self) -> SplitReport:
        """Sizes, positives, scaffolds, and duplicates across parts; `str()` of it is a table."""
        return SplitReport.of(self.dataset, self.indices, self.name, self.seed, self.warnings)

    def to_dict(self) -> dict[str, list[int]]:
        """Row numbers in the source of each part; as a JSON file it can be given to `split` again."""
        return {name: self.dataset.rows[part].tolist() for name, part in zip(PART_NAMES, self.indices, strict=True)}
