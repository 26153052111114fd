"""Facts about molecules that splits and checks need: readable or not, duplicates, scaffolds."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem, rdBase

from featurizers.errors import FAILURES, InvalidMolecule
from featurizers.reading import read_molecule
from featurizers.scaffold import scaffold_smiles


def is_molecule(text: str) -> bool:
    """Return whether a text can be read as SMILES."""
    try:
        read_molecule(text)
    except InvalidMolecule:
        return False
    return True


def mostly_molecules(cells: Sequence[str]) -> bool:
    """Return whether nearly all cells that are not blank can be read and some are more than a single atom's symbol."""
    known = [cell.strip() for cell in cells if cell.strip()]
    return any(len(cell) > 2 for cell in known) and sum(map(is_molecule, known)) > 0.7 * len(known)


def canonical_smiles(smiles: str) -> str:
    """Canonical isomeric SMILES, the same for every way to write a molecule; `""` if it cannot be read."""
    try:
        return Chem.MolToSmiles(read_molecule(smiles))
    except FAILURES:
        return ""


def murcko_scaffold(smiles: str) -> str:
    """Bemis-Murcko scaffold as SMILES without chirality; `""` for a molecule without rings, or that cannot be read.

    Reference: Bemis & Murcko, J. Med. Chem. 39, 2887 (1996).

    Example:
        >>> murcko_scaffold("CCc1ccccc1")
        'c1ccccc1'
    """
    with rdBase.BlockLogs():
        try:
            return scaffold_smiles(read_molecule(smiles))
        except InvalidMolecule:
            return ""
        except FAILURES:  # RDKit cannot cut this one: it is a scaffold of its own
            return canonical_smiles(smiles)
