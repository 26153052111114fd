"""What splits and checks need to know of a molecule: is it readable, is it a duplicate, which scaffold has it."""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from featurizers import InvalidMolecule

MOST_ATOMS = 10_000
"""RDKit's search for a canonical order overflows the stack of a process some thousand atoms later."""


def read_molecule(smiles: str, max_atoms: int | None = None) -> Chem.Mol:
    """Read a SMILES, silently.

    Args:
        smiles: One molecule; blanks around it do not matter.
        max_atoms: Refuse molecules with more heavy atoms; `None` takes `MOST_ATOMS`.

    Raises:
        InvalidMolecule: It is empty, cannot be read (with RDKit's reason), or is too large.

    Example:
        >>> read_molecule(" CCO ").GetNumAtoms()
        3
    """
    smiles = smiles.strip()
    if not smiles:
        raise InvalidMolecule(smiles, "empty SMILES")
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise InvalidMolecule(smiles, _why_unreadable(smiles))
    if mol.GetNumAtoms() == 0:
        raise InvalidMolecule(smiles, "a molecule without atoms")
    most = min(MOST_ATOMS if max_atoms is None else max_atoms, MOST_ATOMS)
    if mol.GetNumAtoms() > most:
        raise InvalidMolecule(smiles, f"{mol.GetNumAtoms()} atoms, more than max_atoms={most}")
    return mol


def _why_unreadable(smiles: str) -> str:
    """RDKit's own complaint where it has one: valence and aromaticity are found only after the text was parsed."""
    if smiles.startswith("InChI="):
        return "an InChI, not a SMILES"
    if ">" in smiles.split()[0]:
        return "a reaction, not a molecule"
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    if mol is None:
        return "not a SMILES (syntax error)"
    problems = Chem.DetectChemistryProblems(mol)
    return problems[0].Message() if problems else "RDKit cannot read this SMILES"


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
