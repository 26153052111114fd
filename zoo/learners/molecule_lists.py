"""Molecules in every form that users give, as lists of bounded length."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from rdkit import Chem

from zoo.data import MoleculeDataset, stream

CHUNK = 4096
TABLE = re.compile(r".+\.(csv|tsv|tab|txt|smi|smiles|ism|can|parquet|pq)(\.(gz|bz2|xz))?", re.IGNORECASE | re.DOTALL)
EXPECTED = "give SMILES or RDKit molecules, a data set, a DataFrame with a SMILES column, or the name of a file"


def is_file(molecules: Any) -> bool:
    """Return whether this is the name of a file; a text without the ending of a table is a SMILES."""
    return isinstance(molecules, os.PathLike) or (isinstance(molecules, str) and bool(TABLE.fullmatch(molecules)))


def index_of(molecules: Any) -> Any:
    """Return the row labels of a frame or a series; `None` of anything else."""
    return molecules.index if isinstance(molecules, (pd.DataFrame, pd.Series)) else None


def in_chunks(molecules: Any, size: int = CHUNK) -> Iterator[Sequence[Any]]:
    """Give molecules in their order.

    Args:
        molecules: SMILES or RDKit molecules, one or many; a data set; a frame or a mapping of columns, by its SMILES
            column; the name of a CSV, TSV, SMI or Parquet file, which is read as it is needed.
        size: Most molecules at a time.

    Raises:
        TypeError: Anything else; a list is judged by its first chunk, since single cells may be damaged.
        DataError: The file or frame cannot be read, or has no column of SMILES.
    """
    if isinstance(molecules, Mapping):
        molecules = pd.DataFrame(molecules)
    if isinstance(molecules, pd.DataFrame) and molecules.empty:
        return
    if isinstance(molecules, pd.DataFrame) or is_file(molecules):
        for chunk in stream(molecules, chunk_size=size):
            yield chunk.smiles
        return
    rows = iter(as_iterable(molecules))
    first = True
    while part := list(islice(rows, size)):
        if first and not any(isinstance(entry, (str, Chem.Mol)) or is_missing(entry) for entry in part):
            raise TypeError(f"molecules={shorten(part[0])}, ...: {EXPECTED}")
        first = False
        yield part


def as_iterable(molecules: Any) -> Any:
    """Return one molecule or many as something to iterate over."""
    if isinstance(molecules, MoleculeDataset):
        return molecules.smiles
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
