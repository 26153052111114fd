"""Words that describe an atom or a bond by what is around it, and the functional groups of a molecule."""

from __future__ import annotations

from collections import Counter

import numpy as np
from rdkit import Chem
from rdkit.Chem import Fragments

MOTIFS = tuple(sorted(name for name in dir(Fragments) if name.startswith("fr_")))
"""Names of RDKit's 85 functional groups."""


def atom_words(mol: Chem.Mol) -> list[str]:
    """Return a word for each atom: its element, then its neighbours by element and type of bond, with their numbers.

    Args:
        mol: N atoms.

    Example:
        >>> atom_words(Chem.MolFromSmiles("CC=O"))
        ['C_C-SINGLE1', 'C_C-SINGLE1_O-DOUBLE1', 'O_C-DOUBLE1']

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), contextual property prediction.
    """
    words = []
    for atom in mol.GetAtoms():
        around = Counter(f"{bond.GetOtherAtom(atom).GetSymbol()}-{bond.GetBondType()}" for bond in atom.GetBonds())
        words.append(_join(atom.GetSymbol(), around))
    return words


def bond_words(mol: Chem.Mol) -> list[str]:
    """Return a word for each bond, ordered by its lower, then its higher atom.

    Args:
        mol: M bonds.

    Example:
        >>> bond_words(Chem.MolFromSmiles("CC=O"))
        ['(SINGLE-STEREONONE-NONE)_C-(DOUBLE-STEREONONE-NONE)1', '(DOUBLE-STEREONONE-NONE)_C-(SINGLE-STEREONONE-NONE)1']
    """
    words = []
    for bond in mol.GetBonds():
        around = Counter(
            f"{end.GetSymbol()}-{_name(other)}"
            for end in (bond.GetBeginAtom(), bond.GetEndAtom())
            for other in end.GetBonds()
            if other.GetIdx() != bond.GetIdx()
        )
        ends = sorted((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()))
        words.append((ends, _join(_name(bond), around)))
    return [word for _, word in sorted(words)]


def motifs(mol: Chem.Mol) -> np.ndarray:
    """Return whether a molecule has each of the `MOTIFS` (85,), uint8."""
    return np.array([getattr(Fragments, name)(mol) > 0 for name in MOTIFS], dtype=np.uint8)


def _name(bond: Chem.Bond) -> str:
    """Return type, stereo and direction of a bond."""
    return f"({bond.GetBondType()}-{bond.GetStereo()}-{bond.GetBondDir()})"


def _join(start: str, around: Counter[str]) -> str:
    return "_".join([start, *(f"{key}{around[key]}" for key in sorted(around))])
