"""Molecules whose bonds are single, double, triple or aromatic and without a stereo label, as their SMILES shows."""

from __future__ import annotations

import re

from rdkit import Chem

# Nonmetals, as bonds to metals may become dative, without the marks of other bonds and of their stereo.
COMMON = re.compile(
    r"(?:[BCNOPSFIbcnops0-9()=#%.-]|Cl|Br|\[\d*(?:Cl|Br|Si|Se|se|[BCNOPSFIbcnops])@{0,2}H?\d*[+-]*\d*\])+"
)


def note_common_bonds(mol: Chem.Mol, smiles: str) -> Chem.Mol:
    """Mark what was read from a SMILES if this shows its bonds to be common, and return it; copies are not marked."""
    if COMMON.fullmatch(smiles):
        mol.has_common_bonds = True  # type: ignore[attr-defined]
    return mol


def marked_like(mol: Chem.Mol, copy: Chem.Mol) -> Chem.Mol:
    """Mark a copy as the molecule is, and return it; its bonds must stay as they are."""
    if has_common_bonds(mol):
        copy.has_common_bonds = True  # type: ignore[attr-defined]
    return copy


def has_common_bonds(mol: Chem.Mol) -> bool:
    """Return whether a molecule is marked, and has not been copied since.

    Example:
        >>> from featurizers import read_molecule
        >>> [has_common_bonds(read_molecule(smiles)) for smiles in ("C[C@H](N)C#N", "C/C=C/C", "[Na]C")]
        [True, False, False]
    """
    return getattr(mol, "has_common_bonds", False)
