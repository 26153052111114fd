"""Molecules in every form that users give, as lists of bounded length."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from zoo.data import MoleculeDataset, MoleculeRows, stream
from zoo.learners.own_features import given_features, require_given, rows_of_dataset

CHUNK = 4096
TABLE = re.compile(
    r".+\.(csv|tsv|tab|txt|smi|smiles|ism|can|cxsmi|cxsmiles|sdf|sd|mol|mdl|xlsx|xlsm|parquet|pq)(\.(gz|bz2|xz))?",
    re.IGNORECASE | re.DOTALL,
)
EXPECTED = "give SMILES or RDKit molecules, a data set, a DataFrame with a SMILES column, or the name of a file"


@dataclass(frozen=True)
class GivenRows(MoleculeRows):
    """Molecules whose features were given next to them.

    Args:
        index: Labels of the rows in tables (n); `None` numbers them.
    """

    index: Any = None


def is_file(molecules: Any) -> bool:
    """Return whether this is the name of a file; a text without the ending of a table is a SMILES."""
    return isinstance(molecules, os.PathLike) or (isinstance(molecules, str) and bool(TABLE.fullmatch(molecules)))


def index_of(molecules: Any) -> Any:
    """Return the row labels of a frame or a series; `None` of anything else."""
    if isinstance(molecules, GivenRows):
        return molecules.index
    return molecules.index if isinstance(molecules, (pd.DataFrame, pd.Series)) else None


def with_features(molecules: Any, features: Any, names: tuple[str, ...]) -> Any:
    """Return molecules together with features that were given next to them, if any were.

    Args:
        molecules: See `in_chunks`; whatever features they have themselves are replaced.
        features: See `given_features`; `None` returns the molecules as they are.
        names: Features that the learner reads.
    """
    if features is None:
        return molecules
    rows = [molecule for chunk in in_chunks(molecules) for molecule in chunk.smiles]
    return GivenRows(rows, given_features(features, names, len(rows)), index=index_of(molecules))


def in_chunks(molecules: Any, size: int = CHUNK, feature_names: tuple[str, ...] = ()) -> Iterator[MoleculeRows]:
    """Give molecules in their order.

    Args:
        molecules: SMILES or RDKit molecules, one or many; a data set; a frame or a mapping of columns, by its SMILES
            column; the name of a file (`zoo.data.stream`), which is read as it is needed.
        size: Most molecules at a time.
        feature_names: Features that a learner reads; molecules without them are refused.

    Raises:
        TypeError: Anything else; a list is judged by its first chunk, since single cells may be damaged.
        DataError: The file or frame cannot be read, has no column of SMILES, or lacks a feature.
    """
    if isinstance(molecules, MoleculeDataset):
        molecules = rows_of_dataset(molecules, feature_names)
    if isinstance(molecules, MoleculeRows):
        yield from molecules.chunks(size)
        return
    if isinstance(molecules, Mapping):
        molecules = pd.DataFrame(molecules)
    if isinstance(molecules, pd.DataFrame) and molecules.empty:
        return
    if isinstance(molecules, pd.DataFrame) or is_file(molecules):
        for chunk in stream(molecules, chunk_size=size, feature_columns=feature_names):
            yield chunk.molecules
        return
    require_given(feature_names)
    rows = iter(as_iterable(molecules))
    first = True
    while part := list(islice(rows, size)):
        if first and not any(isinstance(entry, (str, Chem.Mol)) or is_missing(entry) for entry in part):
            raise TypeError(f"molecules={shorten(part[0])}, ...: {EXPECTED}")
        first = False
        yield MoleculeRows(part)


def as_iterable(molecules: Any) -> Any:
    """Return one molecule or many as something to iterate over."""
    if isinstance(molecules, (str, Chem.Mol)):
        return [molecules]
    if isinstance(molecules, bytes) or not hasattr(molecules, "__iter__"):
        raise TypeError(f"molecules={shorten(molecules)}: {EXPECTED}")
    return molecules


def is_missing(entry: Any) -> bool:
    """Return whether a cell is absent, as pandas marks it."""
    return entry is None or entry is pd.NA or (isinstance(entry, (float, np.floating)) and bool(np.isnan(entry)))


def shorten(value: Any) -> str:
    """Return a value for a message, cut to 60 letters."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}..."
