"""`Inputs`: the columns that a learner reads in every row."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Inputs:
    """Columns that a learner reads in every row, by name and in its order.

    Args:
        features: Numbers next to the molecules (F).
        molecules: Columns of molecules (K), where there are several; empty for one molecule in whatever column.
    """

    features: tuple[str, ...] = ()
    molecules: tuple[str, ...] = ()
