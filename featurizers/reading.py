"""`read_molecule`: the one reader of molecules, for features, splits, checks and predictions alike."""

from __future__ import annotations

from rdkit import Chem

from featurizers.common_bonds import note_common_bonds
from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.guard import INCHI, is_risky, why_refused
from featurizers.normalize import is_plain, normalize
from featurizers.silence import silence

MOST_LETTERS = 300_000
"""No molecule of `MOST_ATOMS` needs a longer SMILES, with an atom map and isotope on every atom."""
MOST_ATOMS = 10_000
"""RDKit's search for a canonical order overflows the stack of a process some thousand atoms later."""


def read_molecule(molecule: str | Chem.Mol, max_atoms: int | None = None, *, as_written: bool = False) -> Chem.Mol:
    """Read a molecule, silently; every way of writing one gives the same atoms, bonds and counts (`normalize`).

    Args:
        molecule: A SMILES, also with a CXSMILES extension, or an InChI (blanks around it do not matter), or an RDKit
            molecule, which is not changed.
        max_atoms: Refuse molecules with more heavy atoms; `None` takes `MOST_ATOMS`.
        as_written: Keep hydrogen counts and atom maps as RDKit reads them.

    Raises:
        InvalidMolecule: It is empty, cannot be read (with RDKit's reason), or is too large.

    Example:
        >>> read_molecule(" [H]OCC ").GetNumAtoms()
        3
    """
    if not isinstance(molecule, (str, Chem.Mol)):
        raise InvalidMolecule(str(molecule), f"not a SMILES but {type(molecule).__name__}")
    if isinstance(molecule, str) and len(molecule) > MOST_LETTERS:
        raise InvalidMolecule(molecule[:100], f"{len(molecule):,} letters, more than {MOST_LETTERS:,}")
    with silence():
        if is_risky(molecule):
            _try_first(molecule)
        mol = read_here(molecule, as_written)
    check_size(mol, molecule, max_atoms)
    return mol


def read_here(molecule: str | Chem.Mol, as_written: bool = False) -> Chem.Mol:
    """Read a molecule in this process, however large it is; otherwise as `read_molecule`."""
    if isinstance(molecule, str) and molecule.lstrip().startswith(INCHI):
        mol = _read_inchi(molecule.strip(), as_written)
    elif isinstance(molecule, str):
        mol = _read_smiles(molecule.strip(), as_written)
    else:
        mol = _read_object(molecule, as_written)
    if mol.GetNumAtoms() == 0:
        raise InvalidMolecule(name_of(molecule), "a molecule without atoms")
    return mol


def check_size(mol: Chem.Mol, molecule: str | Chem.Mol, max_atoms: int | None = None, limit: int = MOST_ATOMS) -> None:
    """Refuse a molecule of too many atoms.

    Args:
        mol: The molecule.
        molecule: What it was read from, for the message.
        max_atoms: What the user allows; `None` leaves it to `limit`.
        limit: What the use of the molecule allows.

    Raises:
        InvalidMolecule: It has more atoms than either.
    """
    most = limit if max_atoms is None else min(max_atoms, limit)
    if mol.GetNumAtoms() > most:
        raise InvalidMolecule(name_of(molecule), f"{mol.GetNumAtoms()} atoms, more than max_atoms={most}")


def name_of(molecule: str | Chem.Mol) -> str:
    """Return what messages call a molecule: its SMILES, of an object that is not too large to write it."""
    if isinstance(molecule, str):
        return molecule.strip()
    if is_risky(molecule):
        return f"a molecule of {molecule.GetNumAtoms()} atoms"
    try:
        return Chem.MolToSmiles(molecule)
    except FAILURES:
        return "a molecule"


def _try_first(molecule: str | Chem.Mol) -> None:
    """Refuse what a child process cannot read."""
    try:
        reason = why_refused(molecule)
    except (OSError, *FAILURES) as error:
        reason = f"it is large, and no process can be started to try it: {error}"
    if reason:
        raise InvalidMolecule(name_of(molecule), reason)


def _read_smiles(smiles: str, as_written: bool) -> Chem.Mol:
    if not smiles:
        raise InvalidMolecule(smiles, "empty SMILES")
    try:
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise InvalidMolecule(smiles, _why_unreadable(smiles))
        return note_common_bonds(mol, smiles) if as_written or is_plain(smiles) else normalize(mol)
    except InvalidMolecule:
        raise
    except FAILURES as error:
        raise InvalidMolecule(smiles, f"RDKit cannot read this SMILES: {why_failed(error)}") from error


def _read_inchi(inchi: str, as_written: bool) -> Chem.Mol:
    try:
        mol = Chem.MolFromInchi(inchi)
        if mol is None:
            raise InvalidMolecule(inchi, "RDKit cannot read this InChI")
        return mol if as_written else normalize(mol)
    except InvalidMolecule:
        raise
    except FAILURES as error:
        raise InvalidMolecule(inchi, f"RDKit cannot read this InChI: {why_failed(error)}") from error


def _read_object(molecule: Chem.Mol, as_written: bool) -> Chem.Mol:
    try:
        if as_written:
            copy = Chem.Mol(molecule)
            Chem.SanitizeMol(copy)
            return copy
        return normalize(molecule)
    except FAILURES as error:
        raise InvalidMolecule(name_of(molecule), f"RDKit cannot sanitize it: {why_failed(error)}") from error


def _why_unreadable(smiles: str) -> str:
    """RDKit's own complaint where it has one: valence and aromaticity are found only after the text was parsed."""
    plain, *rest = smiles.split(None, 1)
    if rest and rest[0].startswith("|") and Chem.MolFromSmiles(plain) is not None:
        return "the CXSMILES extension behind the blank cannot be read"
    if ">" in plain:
        return "a reaction, not a molecule"
    mol = Chem.MolFromSmiles(smiles, sanitize=False)
    if mol is None:
        return "not a SMILES (syntax error)"
    problems = Chem.DetectChemistryProblems(mol)
    return problems[0].Message() if problems else "RDKit cannot read this SMILES"
