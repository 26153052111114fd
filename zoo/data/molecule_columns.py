"""Reading the columns of molecules of a table: which rows can be used, and why others cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from featurizers import InvalidMolecule
from zoo.data.errors import DataError
from zoo.data.molecules import read_molecule
from zoo.data.packing.processes import ordered_map
from zoo.data.reading.molecule_cells import Unreadable, as_smiles, molecule_texts
from zoo.data.reading.table import Table
from zoo.data.rows import InvalidRow
from zoo.recipe.options import ReadOptions

CHUNK_SIZE = 1000


@dataclass(frozen=True)
class MoleculeColumns:
    """Molecules of a table.

    Args:
        names: Names of the columns (K).
        columns: SMILES (n) of each column.
        invalid: Rows in which a molecule cannot be used.
    """

    names: tuple[str, ...]
    columns: list[list[str]]
    invalid: list[InvalidRow]

    @property
    def bad(self) -> np.ndarray:
        """Positions of the rows that cannot be used, int64."""
        return np.array([entry.row for entry in self.invalid], dtype=np.int64)

    def taken(self, rows: np.ndarray) -> dict[str, Any]:
        """Return the molecules of some rows, as `MoleculeDataset` names them."""
        smiles, *partners = ([column[row] for row in rows] for column in self.columns)
        return {
            "smiles": smiles,
            "partners": tuple(partners),
            "smiles_columns": self.names if partners else (),
        }


def read_molecules(table: Table, names: tuple[str, ...], options: ReadOptions, num_workers: int) -> MoleculeColumns:
    """Read the columns of molecules of a table; InChI become SMILES.

    Args:
        table: The source.
        names: The columns (K).
        options: What is done with molecules that cannot be used, and which are too large.
        num_workers: Processes that read the SMILES.

    Raises:
        DataError: No row can be used, or one cannot and `on_invalid="raise"`.
    """
    columns = [molecule_texts(table.column(name))[0] for name in names]
    invalid = _find_invalid(table, dict(zip(names, columns, strict=True)), options, num_workers)
    _refuse_unreadable(table, names[0], columns[0], invalid)
    bad = {entry.row for entry in invalid}
    columns = [[text if row in bad else as_smiles(text) for row, text in enumerate(column)] for column in columns]
    return MoleculeColumns(names, columns, invalid)


def _why_invalid(chunk: tuple[int, Sequence[str]], max_atoms: int | None) -> list[InvalidRow]:
    """Rows of a chunk (number of the first, SMILES) that cannot be used."""
    start, smiles = chunk
    invalid = []
    for row, text in enumerate(smiles, start):
        try:
            if isinstance(text, Unreadable):
                raise InvalidMolecule(text, text.reason)
            read_molecule(text, max_atoms)
        except InvalidMolecule as error:
            invalid.append(InvalidRow(row, text, error.reason))
    return invalid


def _find_invalid(
    table: Table, columns: Mapping[str, Sequence[str]], options: ReadOptions, num_workers: int
) -> list[InvalidRow]:
    """Rows in which a molecule cannot be used; of several molecules the first such one counts.

    Args:
        table: The source.
        columns: SMILES (n) by column.
        options: What is done with such rows, and which are too large.
        num_workers: Processes that read the SMILES.
    """
    invalid: dict[int, InvalidRow] = {}
    for name, smiles in columns.items():
        chunks = ((start, smiles[start : start + CHUNK_SIZE]) for start in range(0, len(smiles), CHUNK_SIZE))
        for found in ordered_map(partial(_why_invalid, max_atoms=options.max_atoms), chunks, num_workers):
            for entry in found:
                line = None if table.lines is None else int(table.lines[entry.row])
                reason = entry.reason if len(columns) == 1 else f"{name}: {entry.reason}"
                invalid.setdefault(entry.row, entry._replace(line=line, reason=reason))
            if found and options.on_invalid == "raise":
                first = next(iter(invalid.values()))
                raise DataError(
                    f"{table.label}: {first.where}: {first.smiles!r}: {first.reason}: correct it, or give "
                    "on_invalid='skip'"
                )
    return [invalid[row] for row in sorted(invalid)]


def _refuse_unreadable(table: Table, column: str, smiles: Sequence[str], invalid: Sequence[InvalidRow]) -> None:
    if len(invalid) == len(smiles):
        raise DataError(
            f"{table.label}: none of the {len(smiles)} rows has a readable SMILES in column {column!r} "
            f"({table.where(0)}: {smiles[0][:40]!r}: {invalid[0].reason}): correct them, or name the right column with "
            "smiles_column= and what stands between columns with separator="
        )
