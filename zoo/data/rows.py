"""`InvalidRow`: a row of a source that cannot be used."""

from __future__ import annotations

from typing import NamedTuple


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
