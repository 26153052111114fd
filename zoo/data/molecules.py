"""What splits and checks need to know of a molecule: is it readable, is it a duplicate, which scaffold has it."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from featurizers import InvalidMolecule, read_molecule


def is_molecule(text: str) -> bool:
    """Whether a text can be read as SMILES."""
    try:
        read_molecule(text)
    except InvalidMolecule:
        return False
    return True


def mostly_molecules(cells: Sequence[str]) -> bool:
    """Whether nearly all cells that are not blank can be read and some are more than a single atom's symbol."""
    known = [cell.strip() for cell in cells if cell.strip()]
    return any(len(cell) > 2 for cell in known) and sum(map(is_molecule, known)) > 0.7 * len(known)


def canonical_smiles(smiles: str) -> str:
    """Canonical isomeric SMILES, the same for every way to write a molecule; `""` if it cannot be read."""
    try:
        return Chem.MolToSmiles(read_molecule(smiles))
    except InvalidMolecule:
        return ""


def murcko_scaffold(smiles: str) -> str:
    """Bemis-Murcko scaffold as SMILES without chirality; `""` for a molecule without rings.

    Reference: Bemis & Murcko, J. Med. Chem. 39, 2887 (1996).

    Example:
        >>> murcko_scaffold("CCc1ccccc1")
        'c1ccccc1'
    """
    with rdBase.BlockLogs():
        try:
            mol = read_molecule(smiles)
            if not mol.GetRingInfo().NumRings():  # RDKit cuts side chains atom by atom, for minutes in a long chain
                return ""
            return MurckoScaffold.MurckoScaffoldSmiles(mol=mol, includeChirality=False)
        except InvalidMolecule:
            return ""
        except (ValueError, RuntimeError):  # RDKit cannot cut this one: it is a scaffold of its own
            return canonical_smiles(smiles)
