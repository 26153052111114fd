"""Rows of a data set as a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from zoo.data.row_arrays import UPPER


def write_columns(targets: np.ndarray, bounds: np.ndarray | None, names: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    """Return the columns of labels (n, T) as files hold them: numbers, or with text such as `>4.5` for bounds.

    Example:
        >>> write_columns(np.array([[4.5], [1.0]]), np.array([[1], [0]]), ["y"])[0][1].tolist()
        ['>4.5', 1.0]
    """
    columns = list(targets.T)
    for task, sides in enumerate([] if bounds is None else bounds.T):
        if sides.any():
            texts = columns[task].astype(object)
            for row in np.flatnonzero(sides):
                texts[row] = f"{'<' if sides[row] == UPPER else '>'}{float(texts[row])!r}"
            columns[task] = texts
    return list(zip(names, columns, strict=True))


def frame_of(
    smiles: Sequence[str],
    labels: Sequence[tuple[str, np.ndarray]],
    rows: np.ndarray,
    extras: pd.DataFrame | None,
    lines: np.ndarray | None,
) -> pd.DataFrame:
    """Return one row per molecule: line, SMILES, the source's other columns, labels.

    Args:
        smiles: One SMILES per molecule (n).
        labels: Names and columns of the labels.
        rows: Row numbers in the source (n,), the index.
        extras: The source's other columns (n rows); `None` leaves them out.
        lines: Lines in the text file (n,); `None` leaves them out.
    """
    index = pd.Index(rows, name="row")
    names, columns = [name for name, _ in labels], dict(enumerate(column for _, column in labels))
    parts = [
        pd.DataFrame({"smiles": list(smiles)}, index=index),
        pd.DataFrame(columns, index=index).set_axis(names, axis=1),
    ]
    if extras is not None:
        taken = {"row", "line", "smiles", *names}
        own = [f"{name}_source" if name in taken else name for name in extras.columns]
        parts.insert(1, extras.set_axis(own, axis=1).set_axis(index, axis=0))
    if lines is not None:
        parts.insert(0, pd.DataFrame({"line": lines}, index=index))
    return pd.concat(parts, axis=1)
