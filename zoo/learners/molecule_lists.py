"""Molecules in every form that users give, as lists of bounded length."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from zoo.data import MoleculeDataset, MoleculeRows, stream
from zoo.learners.own_features import given_features, require_given, rows_of_dataset
from zoo.recipe.inputs import Inputs

CHUNK = 4096
NO_INPUTS = Inputs()
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


def with_features(molecules: Any, features: Any, inputs: Inputs) -> Any:
    """Return molecules together with features that were given next to them, if any were.

    Args:
        molecules: See `in_chunks`; whatever features they have themselves are replaced.
        features: See `given_features`; `None` returns the molecules as they are, but for rows of several molecules.
        inputs: Columns that the learner reads.
    """
    if features is None and not inputs.molecules:
        return molecules
    known = inputs if features is None else replace(inputs, features=())
    rows = together([*in_chunks(molecules, inputs=known)], inputs)
    numbers = rows.features if features is None else given_features(features, inputs.features, len(rows))
    return GivenRows(rows.smiles, numbers, rows.reasons, rows.partners, rows.columns, index_of(molecules))


def together(chunks: list[MoleculeRows], inputs: Inputs) -> MoleculeRows:
    """Put chunks of rows one after another."""
    places = range(len(inputs.molecules[1:]))
    starts = np.cumsum([0, *map(len, chunks)]).tolist()
    features = [chunk.features for chunk in chunks if chunk.features is not None]
    return MoleculeRows(
        [molecule for chunk in chunks for molecule in chunk.smiles],
        np.concatenate(features) if features else None,
        {start + row: why for start, c in zip(starts, chunks, strict=False) for row, why in c.reasons.items()},
        tuple([molecule for chunk in chunks for molecule in chunk.partners[place]] for place in places),
        inputs.molecules,
    )


def in_chunks(molecules: Any, size: int = CHUNK, inputs: Inputs = NO_INPUTS) -> Iterator[MoleculeRows]:
    """Give molecules in their order.

    Args:
        molecules: SMILES or RDKit molecules, one or many; a data set; a frame or a mapping of columns, by its SMILES
            column; the name of a file (`zoo.data.stream`), which is read as it is needed. Where a learner reads several
            molecules in a row, lists have one tuple for each row.
        size: Most molecules at a time.
        inputs: Columns that a learner reads; molecules without its features are refused.

    Raises:
        TypeError: Anything else; a list is judged by its first chunk, since single cells may be damaged.
        DataError: The file or frame cannot be read, has no column of SMILES, or lacks a feature.
    """
    if isinstance(molecules, MoleculeDataset):
        molecules = rows_of_dataset(molecules, inputs)
    if isinstance(molecules, MoleculeRows):
        yield from molecules.chunks(size)
        return
    if isinstance(molecules, Mapping):
        molecules = pd.DataFrame(molecules)
    if isinstance(molecules, pd.DataFrame) and molecules.empty:
        return
    if isinstance(molecules, pd.DataFrame) or is_file(molecules):
        yield from (chunk.molecules for chunk in stream(molecules, chunk_size=size, inputs=inputs))
        return
    require_given(inputs.features)
    if isinstance(molecules, tuple) and len(molecules) == len(inputs.molecules) and isinstance(molecules[0], str):
        molecules = [molecules]
    rows = iter(as_iterable(molecules))
    first = True
    while part := list(islice(rows, size)):
        if inputs.molecules:
            yield rows_of_tuples(part, inputs.molecules)
            continue
        if first and not any(isinstance(entry, (str, Chem.Mol)) or is_missing(entry) for entry in part):
            raise TypeError(f"molecules={shorten(part[0])}, ...: {EXPECTED}")
        first = False
        yield MoleculeRows(part)


def rows_of_tuples(rows: list[Any], columns: tuple[str, ...]) -> MoleculeRows:
    """Make rows of several molecules each.

    Raises:
        TypeError: A row has another number of them.
    """
    for row in rows:
        if isinstance(row, (str, Chem.Mol)) or not hasattr(row, "__len__") or len(row) != len(columns):
            raise TypeError(
                f"molecules={shorten(row)}, ...: this learner reads {len(columns)} molecules in a row "
                f"({', '.join(columns)}): give a tuple of them for each row, a frame, or the name of a file"
            )
    smiles, *partners = (list(column) for column in zip(*rows, strict=True))
    return MoleculeRows(smiles, partners=tuple(partners), columns=columns)


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
