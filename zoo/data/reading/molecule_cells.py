"""Cells that hold molecules: SMILES, InChI, RDKit's objects, and records of structure files that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from rdkit import Chem, rdBase

from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.guard import is_risky
from featurizers.reading import INCHI, read_molecule


class Unreadable(str):
    """Empty cell in the place of a molecule that cannot be read.

    Args:
        reason: Why not.
    """

    __slots__ = ("reason",)
    reason: str

    def __new__(cls, reason: str) -> Unreadable:
        """Make an empty text that knows the reason."""
        self = super().__new__(cls, "")
        self.reason = reason
        return self

    def __reduce__(self) -> tuple[type[Unreadable], tuple[str]]:
        return Unreadable, (self.reason,)


def cell_text(cell: Any) -> str:
    """A cell of SMILES or words as text without blanks around it; an absent one is empty."""
    if isinstance(cell, Unreadable):
        return cell
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, Chem.Mol):
        return smiles_of_object(cell)
    if isinstance(cell, bytes):
        return cell.decode("utf-8", "replace").strip()
    return "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)


def smiles_of_object(mol: Chem.Mol) -> str:
    """Write an RDKit molecule as SMILES; an `Unreadable` where that cannot be done."""
    try:
        with rdBase.BlockLogs():
            return Chem.MolToSmiles(read_molecule(mol) if is_risky(mol) else mol)
    except InvalidMolecule as error:
        return Unreadable(error.reason)
    except FAILURES as error:
        return Unreadable(f"RDKit cannot write it as SMILES: {why_failed(error)}")


def molecule_texts(cells: Iterable[Any]) -> tuple[list[str], dict[int, str]]:
    """Return the text of each cell (n), and why cells cannot be read that are known not to be, by place."""
    texts = [cell_text(cell) for cell in cells]
    return texts, {place: text.reason for place, text in enumerate(texts) if isinstance(text, Unreadable)}


def as_smiles(text: str) -> str:
    """Return the SMILES of an InChI that can be read; every other text as it is."""
    return Chem.MolToSmiles(read_molecule(text)) if text.startswith(INCHI) else text
