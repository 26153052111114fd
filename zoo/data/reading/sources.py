"""Opening whatever a user calls data: a name, a file, a frame, lists."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.errors import DataError, DataNotFoundError, quote
from zoo.data.reading.sets import EMBEDDED, KNOWN_SETS, KnownSet, find_in_folder
from zoo.data.reading.standard_input import from_standard_input
from zoo.data.reading.table import Table, read_table, table_of_frame, table_of_lists
from zoo.recipe.options import ReadOptions
from zoo.registry.registry import normalize


@dataclass
class Opened:
    """Source whose columns are known, but not yet their meaning.

    Args:
        table: Its rows.
        name: What reports call it.
        known: The named set that it is, or `None`.
    """

    table: Table
    name: str
    known: KnownSet | None = None


def open_source(source: Any, options: ReadOptions, *, base_url: str | None = None) -> Opened:
    """Read a source; the arguments are those of `load`.

    Raises:
        DataError: It is not there, or cannot be read.
    """
    source, known = from_standard_input(source), find_named_set(source)
    if known is not None:
        return Opened(_read_known(known, options.data_dir, base_url), known.name, known)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source).expanduser()
        if not path.exists():
            raise DataNotFoundError(_not_found(os.fspath(source)))
        table = read_table(path, options)
        return Opened(table, path.name.split(".")[0], _recognise(table))
    if isinstance(source, pd.DataFrame):
        return Opened(table_of_frame(source), "DataFrame")
    if isinstance(source, Mapping):
        return Opened(table_of_columns(source), "mapping")
    if isinstance(source, tuple) and len(source) == 2 and not isinstance(source[0], str):
        return Opened(table_of_lists(list(source[0]), source[1], options.tasks), "list")
    if isinstance(source, (Sequence, np.ndarray, pd.Series)) and not isinstance(source, bytes):
        return Opened(table_of_lists(list(source)), "list")
    raise DataError(
        f"cannot load from {type(source).__name__}: give a name, a file, a DataFrame, a list of SMILES "
        "or (smiles, targets)"
    )


def table_of_columns(columns: Mapping[str, Any]) -> Table:
    """A mapping of column names to cells as a table; cells of one place are a row, whatever index a Series has.

    Raises:
        DataError: The columns have different lengths.
    """
    try:
        frame = pd.DataFrame({name: getattr(cells, "array", cells) for name, cells in columns.items()})
    except ValueError as error:
        raise DataError(f"columns {quote(list(columns))} do not make a table ({error}): give equal lengths") from error
    return table_of_frame(frame, "mapping")


def find_named_set(source: Any) -> KnownSet | None:
    """The set of this name, if it is one: `"Free-Solv"` and `"freesolv"` are the same."""
    if isinstance(source, str) and not any(mark in source for mark in "/\\."):
        return KNOWN_SETS.get(normalize(source).replace("_", ""))
    return None


def _read_known(known: KnownSet, data_dir: str | None, base_url: str | None) -> Table:
    folder = data_dir or os.environ.get("MOLZOO_DATA")
    notes: list[str] = []
    if known.embedded:
        path = EMBEDDED / known.file
    elif folder:
        path = find_in_folder(known, folder)
    else:
        from zoo.data.reading.download import fetch  # with its library for the web, which most sources do not need

        path, notes = fetch(known, base_url=base_url)
    table = read_table(path)
    table.notes += notes
    repeated = table.frame.columns.duplicated()
    if repeated.any():
        twice = quote(list(table.frame.columns[repeated]))
        table.notes.append(f"{known.file}: the second of equal columns is not used: {twice}")
        table.frame = table.frame.loc[:, ~repeated]
    return table


def _recognise(table: Table) -> KnownSet | None:
    """The known set whose file this is, so that predictions next to the labels are not taken for labels."""
    stem = Path(table.label).name.lower().removesuffix(".gz")
    for known in KNOWN_SETS.values():
        needed = {known.smiles_column, *(known.tasks or ())}
        if table.lines is not None and stem == known.file.lower() and needed <= set(table.frame.columns):
            table.notes.append(f"{Path(table.label).name} is read as the data set {known.name!r}")
            return known
    return None


def _not_found(source: str) -> str:
    """Suggest what the user may have meant."""
    path = Path(source).expanduser()
    neighbours = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    if len(path.parts) > 1 or path.suffix:
        close = difflib.get_close_matches(path.name, neighbours, n=1)
        guess = f" Did you mean {str(path.parent / close[0])!r}?" if close else ""
        there = "" if path.parent.is_dir() else f" (nor is there a folder {path.parent})"
        return f"no such file: {source!r}{there}.{guess}"
    close = difflib.get_close_matches(normalize(source), list(KNOWN_SETS), n=1, cutoff=0.5)
    guess = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"no data set or file {source!r}.{guess} Known sets: {', '.join(KNOWN_SETS)}; a single SMILES goes into a list"
    )
