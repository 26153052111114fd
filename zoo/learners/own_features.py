"""Own features of the molecules that a learner gets: found by name, given by hand, reported where they are missing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from zoo.data import DataError, MoleculeDataset, MoleculeRows
from zoo.data.arrays import Float32
from zoo.data.errors import quote
from zoo.data.features import MissingFeatureWarning, checked_features
from zoo.data.labels.features import read_features
from zoo.data.reading.table import Table
from zoo.recipe.inputs import Inputs

REMEDY = "a blank cell gets the mean of the training part"


def take_features(dataset: MoleculeDataset, names: tuple[str, ...]) -> MoleculeDataset:
    """Return a data set with these features in this order; columns that were read as something else count too.

    Raises:
        DataError: A feature is not there, or a cell of it is not a number.
    """
    if dataset.feature_names == names:
        return dataset
    if not names:
        return replace(dataset, features=None, feature_names=())
    known = dict(zip(dataset.feature_names, columns_of(dataset), strict=True))
    others = pd.DataFrame() if dataset.extras is None else dataset.extras
    if missing := [name for name in names if name not in known and name not in others.columns]:
        raise DataError(
            f"{dataset.name}: no column {quote(missing)}, which this learner reads next to the molecules: add it "
            f"({REMEDY}), and name it with feature_columns="
        )
    table = Table(others, dataset.name, dataset.lines)
    columns = [known[name] if name in known else read_features(table, [name])[:, 0] for name in names]
    return replace(dataset, features=np.stack(columns, axis=1), feature_names=names)


def require_same_features(dataset: MoleculeDataset, names: tuple[str, ...]) -> None:
    """Raise a `ValueError` if a data set has features that a learner would not read."""
    if unread := [name for name in dataset.feature_names if name not in names]:
        raise ValueError(
            f"{dataset.name} has the features {quote(dataset.feature_names)}, and this learner reads "
            f"{quote(names) or 'none'}: build it with dataset=, or load the data without {quote(unread)}"
        )


def columns_of(dataset: MoleculeDataset) -> Iterable[np.ndarray]:
    """Feature columns of a data set, each (n,)."""
    return () if dataset.features is None else dataset.features.T


def rows_of_dataset(dataset: MoleculeDataset, inputs: Inputs) -> MoleculeRows:
    """Rows of a data set with what a learner reads of them; one that reads one molecule gets the first column."""
    if inputs.molecules:
        require_same_molecules(dataset, inputs.molecules)
    features = take_features(dataset, inputs.features).features
    partners = dataset.partners if inputs.molecules else ()
    return MoleculeRows(dataset.smiles, features, partners=partners, columns=inputs.molecules)


def require_same_molecules(dataset: MoleculeDataset, columns: tuple[str, ...]) -> None:
    """Raise a `ValueError` if a data set has molecules in other columns than a learner reads."""
    if dataset.smiles_columns != columns:
        has = quote(dataset.smiles_columns) or "one column"
        wants = f"{quote(columns)}: load the data with smiles_columns={list(columns)}" if columns else "one column"
        raise DataError(
            f"{dataset.name} has its molecules in {has}, and this learner reads {wants}, or build one with dataset="
        )


def given_features(features: Any, names: tuple[str, ...], rows: int) -> Float32:
    """Return features (n, F) that were given by hand.

    Args:
        features: Columns by name, in a mapping (of lists, or of one number for all rows) or a frame; or an array in the
            order of `names`.
        names: Features that the learner reads (F).
        rows: n.

    Raises:
        DataError: They do not fit.
    """
    if not names:
        raise DataError("features= were given, and this learner reads none: leave them out")
    if not isinstance(features, (Mapping, pd.DataFrame)):
        values = np.asarray(features, dtype=np.float32)
        return checked_features("features=", values.reshape(rows, -1) if values.size else values, rows, names)
    if missing := [name for name in names if name not in features]:
        raise DataError(f"features= lack {quote(missing)}: give {quote(names)}, each once ({REMEDY})")
    columns = {name: getattr(features[name], "array", features[name]) for name in names}
    try:
        frame = pd.DataFrame(columns, index=range(rows))
    except ValueError as error:
        raise DataError(f"features= do not fit {rows} molecules ({error}): give one number for each") from error
    return read_features(Table(frame, "features="), names)


def require_given(names: Sequence[str]) -> None:
    """Raise a `DataError` if molecules come without the features that a learner reads."""
    if names:
        raise DataError(
            f"this learner reads {quote(names)} next to each molecule: give a frame, a file or a data set with these "
            "columns, or features={...} next to the list"
        )


def report_missing(chunks: Iterable[MoleculeRows], names: Sequence[str]) -> Iterator[MoleculeRows]:
    """Pass rows on; warn in the end of features that some of them lack."""
    missing, rows = np.zeros(len(names), dtype=np.int64), 0
    for chunk in chunks:
        if names:
            missing += chunk.missing
            rows += len(chunk)
        yield chunk
    if missing.any():
        warnings.warn(describe_missing(names, missing.tolist(), rows), MissingFeatureWarning, stacklevel=2)


def describe_missing(names: Sequence[str], missing: Sequence[int], rows: int) -> str:
    """Say how many molecules lack which feature."""
    lacking = ", ".join(f"{name!r} in {count}" for name, count in zip(names, missing, strict=True) if count)
    return f"features are missing ({lacking} of {rows} rows): the mean of the training part takes their place"
