"""`load`: any source of molecules and labels to a `MoleculeDataset`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from typing_extensions import Unpack

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError
from zoo.data.labels.columns import describe_relations
from zoo.data.labels.features import describe_missing, read_features
from zoo.data.labels.labels import describe_labels, read_labels
from zoo.data.labels.roles import Roles, find_roles
from zoo.data.labels.weights import read_weights
from zoo.data.molecule_columns import read_molecules
from zoo.data.reading.molecule_cells import cell_text
from zoo.data.reading.sources import Opened, open_source
from zoo.data.reading.table import Table
from zoo.data.rows import InvalidRow
from zoo.recipe.options import ReadKeywords, ReadOptions

POLICIES = ("skip", "raise", "nan")


def load(
    source: Any = "b3db",
    options: ReadOptions | None = None,
    *,
    base_url: str | None = None,
    name: str | None = None,
    num_workers: int = 0,
    **reading: Unpack[ReadKeywords],
) -> MoleculeDataset:
    """Load molecules and labels.

    Args:
        source: A name (`zoo.data.list_datasets()`); a file (CSV, TSV, SMI, SDF, MOL, also .gz; Parquet, XLSX), `-` for
            standard input; a DataFrame or mapping of columns; a list of SMILES, InChI or RDKit molecules; or a pair of
            such a list and targets (n,) or (n, T).
        options: How it is read.
        base_url: Where to download from; else the environment variable `MOLZOO_DATA_URL`; else MoleculeNet's host.
        name: What reports call the dataset.
        num_workers: Processes that read the SMILES; 0 works in this one.
        **reading: Fields of `zoo.recipe.ReadOptions`, such as `tasks=["logS"]` or `separator=";"`; they override
            `options`.

    Raises:
        DataError: Anything that cannot be used, in one line that names the file, row or column and the remedy.

    Example:
        >>> data = load((["CCO", "c1ccccc1", "CCN"], [0, 1, 0]))
        >>> len(data), data.task, data.metric
        (3, 'classification', 'roc_auc')
    """
    chosen = ReadOptions.of(options, reading)
    opened = open_source(source, chosen, base_url=base_url)
    return assemble(opened, find_roles(opened, chosen), chosen, name=name, num_workers=num_workers)


def assemble(
    opened: Opened, roles: Roles, options: ReadOptions, *, name: str | None = None, num_workers: int = 0
) -> MoleculeDataset:
    """Make the dataset of an opened source; the arguments are those of `load`.

    Raises:
        DataError: A label cannot be read, no molecule can, or one cannot and `on_invalid="raise"`.
    """
    on_invalid, max_atoms = options.on_invalid, options.max_atoms
    if on_invalid not in POLICIES:
        raise DataError(f"on_invalid={on_invalid!r}: choose one of {', '.join(POLICIES)}")
    if max_atoms is not None and max_atoms < 1:
        raise DataError(f"max_atoms={max_atoms}: give a positive number, or None for no limit")
    table = opened.table
    labels = read_labels(
        table,
        roles.tasks,
        roles.task,
        decimal=options.decimal,
        label_names=options.label_names,
        task_kinds=roles.task_kinds,
    )
    weights = read_weights(table, roles.weight, options.decimal) if roles.weight else None
    features = read_features(table, roles.features, options.decimal) if roles.features else None
    molecules = read_molecules(table, (roles.smiles, *roles.partners), options, num_workers)
    labels.targets[molecules.bad] = np.nan
    keep = np.delete(np.arange(len(table.frame)), molecules.bad if on_invalid == "skip" else [])
    splits = np.array([cell_text(cell) for cell in table.column(roles.split)], dtype=object) if roles.split else None
    dropped = _describe_invalid(table, molecules.invalid, on_invalid) + _describe_names(table, molecules.columns[0])
    dropped += describe_relations(table, [roles.smiles, *roles.tasks])
    dropped += [] if features is None else describe_missing(features[keep], roles.features)
    bounds = None if labels.bounds is None else labels.bounds[keep]
    learned = describe_labels(
        labels.targets[keep], roles.tasks, labels.task_kinds or [labels.task] * len(roles.tasks), bounds
    )
    return MoleculeDataset(
        name=name or opened.name,
        **molecules.taken(keep),
        targets=labels.targets[keep],
        task_names=tuple(roles.tasks),
        task=labels.task,
        task_kinds=labels.task_kinds,
        metric=roles.metric,
        metric_args=options.metric_args,
        rows=keep,
        invalid=molecules.invalid,
        notes=table.notes + labels.notes + dropped + learned,
        label_names=labels.label_names,
        splits=None if splits is None else splits[keep],
        split_column=options.split_column or "",
        lines=None if table.lines is None else table.lines[keep],
        extras=_other_columns(table, roles).iloc[keep].reset_index(drop=True),
        features=None if features is None else features[keep],
        feature_names=roles.features,
        weights=None if weights is None else weights[keep],
        bounds=bounds,
        measure_bounds=options.measure_bounds,
    )


def _other_columns(table: Table, roles: Roles) -> pd.DataFrame:
    """The columns that are neither SMILES nor tasks."""
    used = {roles.smiles, *roles.tasks}
    return table.frame.loc[:, [name not in used for name in table.frame.columns]]


def _describe_invalid(table: Table, invalid: Sequence[InvalidRow], on_invalid: str) -> list[str]:
    if not invalid:
        return []
    first = invalid[0]
    fate = "left out" if on_invalid == "skip" else "kept without labels"
    return [
        f"{len(invalid)} of {len(table.frame)} rows {fate}, their SMILES cannot be used "
        f"(first: {first.where}, {first.smiles[:60]!r}: {first.reason})"
    ]


def _describe_names(table: Table, smiles: Sequence[str]) -> list[str]:
    """Say that a SMILES ends at its first blank, as "C C" may be meant as something else than methane called C."""
    rows = [row for row, text in enumerate(smiles) if (rest := text.split(None, 1)[1:]) and not rest[0].startswith("|")]
    if not rows:
        return []
    return [
        f"{len(rows)} SMILES end at a blank, what follows is taken for a name "
        f"(first: {table.where(rows[0])}, {smiles[rows[0]][:60]!r})"
    ]
