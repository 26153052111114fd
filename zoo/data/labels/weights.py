"""Reading the column of the weights that molecules have in the loss."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zoo.data.arrays import Float64
from zoo.data.errors import DataError
from zoo.data.labels.cells import NOT_A_NUMBER, complaint, decimal_mark, hashable, to_number
from zoo.data.labels.words import is_missing
from zoo.data.reading.table import Table

NEEDED = "weights are numbers of at least 0: correct it, or name another weight_column="


def check_weight_column(table: Table, name: str, used: Sequence[str]) -> None:
    """Raise a `DataError` unless a column is there and used for nothing else.

    Args:
        table: The source.
        name: The column.
        used: Columns of SMILES, labels and features.
    """
    table.column(name)
    if name in used:
        raise DataError(
            f"{table.label}: column {name!r} holds the weights and is the SMILES, a label or a feature too: name "
            "another weight_column=, or other tasks="
        )


def read_weights(table: Table, name: str, decimal: str | None = None) -> Float64:
    """Read the weights of the molecules (n,).

    Args:
        table: The source.
        name: Of the column.
        decimal: Decimal mark; `None` finds it out.

    Raises:
        DataError: A cell is missing, no number, negative or infinite, or all are 0.
    """
    cells = table.column(name)
    codes, uniques = pd.factorize(hashable(cells.astype(object)))
    distinct = np.array([*uniques, None], dtype=object)
    mark = decimal or decimal_mark(table, name, distinct[:-1])[0]
    numbers = [None if is_missing(cell) else to_number(cell, mark) for cell in distinct]
    values = np.array([np.nan if number is None else number for number in numbers])[codes]
    wrong = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(wrong):
        row = int(wrong[0])
        count = f" ({len(wrong)} such rows)" if len(wrong) > 1 else ""
        raise DataError(f"{table.label}: weight column {name!r}, {table.where(row)}: {_why(cells.iloc[row])}{count}")
    if not values.any():
        raise DataError(
            f"{table.label}: weight column {name!r} holds 0 only, so that nothing would be learned: {NEEDED}"
        )
    return values


def _why(cell: object) -> str:
    """Return what is wrong with a cell."""
    shown = repr(str(cell).strip()[:40])
    if is_missing(cell):
        return f"the weight is missing: {NEEDED}"
    if to_number(cell) is None and (reason := complaint(cell)) != NOT_A_NUMBER:
        return f"{shown} {reason}"
    return f"{shown} is no weight: {NEEDED}"
