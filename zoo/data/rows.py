"""Rows of a source: those that cannot be used, and those that are to be predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from zoo.data.arrays import Float32


class InvalidRow(NamedTuple):
    """Row whose SMILES cannot be used.

    Args:
        row: Position in the source, from 0.
        smiles: The text in the SMILES column.
        reason: Why it cannot be used.
        line: Line in the text file, from 1 with the header, as an editor shows it; `None` for other sources.
    """

    row: int
    smiles: str
    reason: str
    line: int | None = None

    @property
    def where(self) -> str:
        """Name of the row in messages: `line 9` in a text file, else `row 7`."""
        return f"row {self.row}" if self.line is None else f"line {self.line}"


@dataclass(frozen=True)
class MoleculeRows:
    """Rows that are to be predicted, with everything that a model reads of them.

    Args:
        smiles: SMILES or RDKit molecules (n).
        features: Numbers next to the molecules (n, F), in the order in which the learner knows them; NaN where missing.
        reasons: Why a row cannot be predicted whatever its molecule is, by row.
        partners: The other molecules of each row, where a row has several: (n) for each further column.
        columns: Names of the columns of molecules, where there are several.
    """

    smiles: Sequence[Any]
    features: Float32 | None = None
    reasons: Mapping[int, str] = field(default_factory=dict)
    partners: tuple[Sequence[Any], ...] = ()
    columns: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def missing(self) -> list[int]:
        """Rows without each feature (F), those left out that cannot be predicted for another reason."""
        if self.features is None:
            return []
        gaps = np.isnan(self.features)
        gaps[list(self.reasons)] = False
        return gaps.sum(axis=0).tolist()

    def chunks(self, size: int) -> Iterator[MoleculeRows]:
        """Give the rows in pieces of at most `size`."""
        for start in range(0, len(self), size):
            stop = start + size
            yield MoleculeRows(
                self.smiles[start:stop],
                None if self.features is None else self.features[start:stop],
                {row - start: why for row, why in self.reasons.items() if start <= row < stop},
                tuple(column[start:stop] for column in self.partners),
                self.columns,
            )
