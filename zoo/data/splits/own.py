"""Splits that the user made: a column of part names, or row numbers."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from zoo.data.dataset import MoleculeDataset
from zoo.data.errors import DataError, DataNotFoundError
from zoo.data.labels.words import is_missing

PART_WORDS = {
    "train": 0,
    "training": 0,
    "trn": 0,
    "valid": 1,
    "val": 1,
    "validation": 1,
    "dev": 1,
    "test": 2,
    "tst": 2,
    "testing": 2,
    "holdout": 2,
}


def parts_of_column(data: MoleculeDataset) -> tuple[list[int], list[int], list[int]]:
    """Parts as the source's split column names them; rows with an empty cell, or `NA` and the like, are in no part.

    Raises:
        DataError: There is no such column, or it holds other words.
    """
    if data.splits is None:
        raise DataError(f"{data.name} has no split column: name it with split_column= when loading")
    words = ["" if is_missing(word) else str(word).strip().lower() for word in data.splits]
    unknown = sorted(set(words) - PART_WORDS.keys() - {""})
    if unknown:
        first = words.index(unknown[0])
        raise DataError(
            f"{data.name}: split column has {unknown[0]!r} ({data.where(first)}): write train, valid or test"
        )
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for position, word in enumerate(words):
        if word:
            parts[PART_WORDS[word]].append(position)
    return parts


def describe_left_out(data: MoleculeDataset, count: int) -> list[str]:
    """Report the number of molecules that belong to none of the parts."""
    return [f"{count} of {len(data)} molecules are in no part of this split"] if count else []


def read_index_file(path: str | os.PathLike[str], names: Sequence[str]) -> Any:
    """Row numbers from a JSON or NPZ file with train, valid, test.

    Raises:
        DataError: There is no such file (the closest split name is suggested), or it is something else.
    """
    path = os.fspath(path)
    if not os.path.exists(path):
        close = get_close_matches(path.lower(), names, n=1)
        guess = f" Did you mean {close[0]!r}?" if close else ""
        raise DataNotFoundError(f"unknown split or index file {path!r}.{guess} Known splits: {', '.join(names)}")
    try:
        if path.endswith((".npz", ".npy")):
            with np.load(path) as arrays:
                return {name: arrays[name] for name in arrays.files}
        with open(path, encoding="utf-8-sig") as file:
            return json.load(file)
    except (OSError, ValueError, AttributeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a JSON or NPZ file of row numbers for train, valid, test ({error})") from error


def split_by_rows(
    data: MoleculeDataset, parts: Mapping[str, Sequence[int]] | Sequence[Sequence[int]], label: str
) -> tuple[tuple[np.ndarray, ...], list[str]]:
    """Parts from row numbers of the source (those of `data.rows`).

    Raises:
        DataError: Not three parts, a row in two parts or twice, or a row that the source does not have.
    """
    if isinstance(parts, Mapping):
        by_part = {PART_WORDS.get(str(name).lower(), -1): rows for name, rows in parts.items()}
        if set(by_part) != {0, 1, 2} or len(parts) != 3:
            raise DataError(f"{label}: parts are {', '.join(map(str, parts))}: name them train, valid, test")
        parts = [by_part[number] for number in range(3)]
    if not isinstance(parts, (Sequence, np.ndarray)) or isinstance(parts, str):
        raise DataError(f"{label}: {parts!r} are not parts: give row numbers for train, valid, test")
    if len(parts) != 3:
        raise DataError(f"{label}: {len(parts)} parts: give three sequences of row numbers for train, valid, test")
    wanted = [_row_numbers(rows, label) for rows in parts]
    everything = np.concatenate(wanted)
    rows, counts = np.unique(everything, return_counts=True)
    if (counts > 1).any():
        raise DataError(f"{label}: row {rows[counts > 1][0]} is listed more than once: each row belongs to one part")
    position = {int(row): i for i, row in enumerate(data.rows)}
    unreadable = {entry.row for entry in data.invalid}
    strange = [int(row) for row in rows if int(row) not in position and int(row) not in unreadable]
    if strange:
        raise DataError(f"{label}: row {strange[0]} is not in {data.name} (rows are counted from 0)")
    found = tuple(
        np.array([position[int(r)] for r in part if int(r) in position and int(r) not in unreadable], dtype=np.int64)
        for part in wanted
    )
    warnings = describe_left_out(data, len(data) - sum(map(len, found)))
    dropped = sum(int(row) in unreadable for row in rows)
    return found, warnings + ([f"{label}: {dropped} listed rows cannot be read, left out"] if dropped else [])


def _row_numbers(rows: Any, label: str) -> np.ndarray:
    """Rows of a part (n,), int64."""
    try:
        numbers = np.asarray(rows)
        if numbers.ndim == 1 and not len(numbers):
            return np.empty(0, np.int64)
        if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
            raise ValueError(f"not {numbers.dtype} of shape {numbers.shape}")
        return numbers.astype(np.int64)
    except ValueError as error:
        raise DataError(f"{label}: a part is a list of row numbers, whole numbers from 0 ({error})") from error
