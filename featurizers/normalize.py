"""One form for each molecule: traces of its notation are removed before features are computed."""

from __future__ import annotations

import re

from rdkit import Chem
from rdkit.Chem.rdchem import BondDir, BondStereo, ChiralType

ORGANIC = frozenset([5, 6, 7, 8, 9, 15, 16, 17, 35, 53])
"""Elements that SMILES writes without brackets."""

# Hydrogens as atoms, atom maps, CXSMILES extensions, and brackets around atoms that may not need them.
UNUSUAL = re.compile(r"\[\d*H|:\d|\||\[(?:Br?|Cl?|N|O|P|S|F|I|[bcops])H?\d*\]|\[n\]")

MARKS = frozenset("[:|")
"""Letters of which every unusual notation has one."""


def is_plain(smiles: str) -> bool:
    """Return whether a SMILES has no unusual notation, so that `normalize` would leave its molecule as it is.

    Example:
        >>> [is_plain(smiles) for smiles in ("C[C@H](N)c1cc[nH]c1", "[CH3:1][OH:2]", "[H]OC", "[CH3]O")]
        [True, False, False, False]
    """
    if not MARKS.intersection(smiles):
        return True
    return UNUSUAL.search(smiles) is None


def normalize(mol: Chem.Mol) -> Chem.Mol:
    """Return a molecule in the form that its plain SMILES would give.

    Atom maps, substance groups and hydrogens that are atoms are removed, stereo labels that depended on them are
    perceived anew, and hydrogen counts are stored as `store_hydrogens` says. Hydrogens stay atoms where they are more
    than a count: isotopes, ions, H2, bridges, and those on which the stereo of a double bond rests. The order of the
    other atoms is kept.

    Args:
        mol: A molecule; it is not changed.

    Raises:
        ValueError: RDKit cannot sanitize it.
    """
    mol = Chem.Mol(mol)
    Chem.ClearMolSubstanceGroups(mol)
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    for bond in mol.GetBonds():
        if bond.GetStereo() == BondStereo.STEREOANY:  # "either" says as much as nothing
            bond.SetStereo(BondStereo.STEREONONE)
            bond.SetBondDir(BondDir.NONE)
    Chem.SanitizeMol(mol)
    for atom in mol.GetAtoms():
        if atom.GetAtomicNum() == 1:
            for neighbor in atom.GetNeighbors():  # counts are kept where RDKit would infer them from valence rules
                _recount(neighbor, neighbor.GetTotalNumHs(), no_implicit=True)
    options = Chem.RemoveHsParameters()
    options.removeDummyNeighbors, options.showWarnings = True, False  # type: ignore[assignment]
    mol = Chem.RemoveHs(mol, options)
    Chem.AssignStereochemistry(mol, cleanIt=True, force=True)
    store_hydrogens(mol)
    return mol


def store_hydrogens(mol: Chem.Mol) -> None:
    """Count hydrogens as implicit where a plain SMILES leaves them out, as explicit where it writes them in brackets.

    RDKit keeps two counts, which features tell apart, and where a hydrogen is counted depends on how the molecule was
    made. Their sum stays as it is.

    Args:
        mol: A sanitized molecule; changed in place.
    """
    for atom in mol.GetAtoms():
        explicit, total = atom.GetNumExplicitHs(), atom.GetTotalNumHs()
        if not needs_brackets(atom, total):
            if not explicit and not atom.GetNoImplicit():
                continue
            if _recount(atom, 0, no_implicit=False) == total:
                continue
        _recount(atom, total, no_implicit=True)


def needs_brackets(atom: Chem.Atom, hydrogens: int) -> bool:
    """Return whether SMILES writes an atom in brackets, whatever the number of hydrogens that its valence asks for."""
    number = atom.GetAtomicNum()
    return (
        number not in ORGANIC
        or atom.GetFormalCharge() != 0
        or atom.GetIsotope() != 0
        or atom.GetNumRadicalElectrons() != 0
        or atom.GetChiralTag() != ChiralType.CHI_UNSPECIFIED
        or (hydrogens > 0 and number != 6 and atom.GetIsAromatic())
    )


def _recount(atom: Chem.Atom, explicit: int, no_implicit: bool) -> int:
    """Set the explicit hydrogens and return how many there are with the implicit ones."""
    atom.SetNoImplicit(no_implicit)
    atom.SetNumExplicitHs(explicit)
    atom.UpdatePropertyCache(strict=False)
    return atom.GetTotalNumHs()
