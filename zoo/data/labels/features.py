"""Reading columns of numbers that models get next to the molecules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from zoo.data.arrays import Float32
from zoo.data.errors import DataError, quote
from zoo.data.labels.cells import complaint, decimal_mark, hashable, to_number
from zoo.data.labels.words import is_missing
from zoo.data.reading.table import Table

TOO_LARGE = "is infinite or too large: correct it, or leave the cell blank"


class FeatureCells(NamedTuple):
    """Numbers in the feature columns of some rows.

    Args:
        values: (n, F), float32; NaN where a cell is missing, or no number.
        reasons: Why a row has a cell that is not a number, by row.
    """

    values: Float32
    reasons: dict[int, str]


def check_feature_columns(table: Table, names: Sequence[str], used: Sequence[str]) -> None:
    """Refuse feature columns that cannot be features.

    Args:
        table: The source.
        names: The columns.
        used: Columns of SMILES and labels.

    Raises:
        DataError: One is not there, is there twice, is named twice, or is used for something else.
    """
    for name in names:
        table.column(name)
    if len(set(names)) < len(names):
        raise DataError(f"{table.label}: feature_columns {quote(names)}: name each column once")
    if both := [name for name in names if name in used]:
        raise DataError(
            f"{table.label}: column {both[0]!r} is a feature and the SMILES or a label too, so that the answer would "
            "be given away: leave it out of feature_columns= or of tasks="
        )


def read_features(table: Table, names: Sequence[str], decimal: str | None = None) -> Float32:
    """Read feature columns (n, F), float32; NaN where a cell is missing.

    Args:
        table: The source.
        names: Its columns (F).
        decimal: Decimal mark; `None` finds it out.

    Raises:
        DataError: A cell is not a number; names the first row.
    """
    found = feature_cells(table, names, decimal)
    if found.reasons:
        row = min(found.reasons)
        count = f" ({len(found.reasons)} such rows)" if len(found.reasons) > 1 else ""
        raise DataError(f"{table.label}: {table.where(row)}: {found.reasons[row]}{count}")
    return found.values


def feature_cells(table: Table, names: Sequence[str], decimal: str | None = None) -> FeatureCells:
    """Read feature columns as `read_features`, but report the cells that are no numbers instead of raising."""
    values = np.empty((len(table.frame), len(names)), dtype=np.float32)
    reasons: dict[int, str] = {}
    for place, name in enumerate(names):
        values[:, place], bad = _read_column(table, name, decimal)
        for row, why in bad.items():
            reasons.setdefault(row, f"feature {name!r}: {why}")
    return FeatureCells(values, reasons)


def describe_missing(features: np.ndarray, names: Sequence[str]) -> list[str]:
    """Say which columns have missing cells, and what takes their place."""
    counts = np.isnan(features).sum(axis=0)
    return [
        f"feature {name!r} is missing in {count} of {len(features)} rows: the mean of the training part takes its place"
        for name, count in zip(names, counts, strict=True)
        if count
    ]


def _read_column(table: Table, name: str, decimal: str | None) -> tuple[np.ndarray, dict[int, str]]:
    """Numbers of a column (n,), and what is wrong with other cells, by row."""
    cells = table.column(name)
    codes, uniques = pd.factorize(hashable(cells.astype(object)))
    distinct = np.array([*uniques, None], dtype=object)
    mark = decimal or decimal_mark(table, name, distinct[:-1])[0]
    numbers = [np.nan if is_missing(cell) else to_number(cell, mark) for cell in distinct]
    wrong = {
        place: f"{str(distinct[place]).strip()[:40]!r} {complaint(distinct[place]) if number is None else TOO_LARGE}"
        for place, number in enumerate(numbers)
        if number is None or np.isinf(number)
    }
    values = np.array([np.nan if place in wrong else number for place, number in enumerate(numbers)])[codes]
    bad = np.flatnonzero(np.isin(codes, list(wrong))).tolist() if wrong else []
    return values, {row: wrong[int(codes[row])] for row in bad}
