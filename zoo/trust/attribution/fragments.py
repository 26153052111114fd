"""Fragments of molecules, as chemists would cut them."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import BRICS


def cut_fragments(mol: Chem.Mol) -> tuple[tuple[int, ...], ...]:
    """Cut a molecule at its BRICS bonds and between rings and chains.

    A molecule that falls into fewer than two fragments is cut into its atoms.

    Args:
        mol: A molecule with N atoms.

    Returns:
        Atoms of each fragment; the fragments share none, and their order does not depend on that of the atoms unless
        the molecule is symmetric.

    Example:
        >>> cut_fragments(Chem.MolFromSmiles("c1ccccc1CC"))
        ((6, 7), (0, 1, 2, 3, 4, 5))

    Reference:
        Degen et al. 2008, ChemMedChem 3, 1503 (BRICS).
    """
    cuts = {mol.GetBondBetweenAtoms(*ends).GetIdx() for ends, _ in BRICS.FindBRICSBonds(mol)}
    for bond in mol.GetBonds():
        first, second = bond.GetBeginAtom(), bond.GetEndAtom()
        if not bond.IsInRing() and (is_branch(first, second) or is_branch(second, first)):
            cuts.add(bond.GetIdx())
    fragments = parts_without(mol, cuts)
    if len(fragments) < 2:
        fragments = [(number,) for number in range(mol.GetNumAtoms())]
    ranks = list(Chem.CanonicalRankAtoms(mol))
    return tuple(sorted(fragments, key=lambda atoms: sorted(ranks[atom] for atom in atoms)))


def is_branch(ring: Chem.Atom, chain: Chem.Atom) -> bool:
    """Return whether a bond leads from a ring to more than a single atom outside of it."""
    return ring.IsInRing() and not chain.IsInRing() and chain.GetDegree() > 1


def parts_without(mol: Chem.Mol, bonds: set[int]) -> list[tuple[int, ...]]:
    """Connected parts of a molecule without some of its bonds."""
    left: set[int] = set(range(mol.GetNumAtoms()))
    parts = []
    while left:
        waiting, part = [min(left)], set()
        while waiting:
            atom = waiting.pop()
            if atom in part:
                continue
            part.add(atom)
            waiting += [
                bond.GetOtherAtomIdx(atom) for bond in mol.GetAtomWithIdx(atom).GetBonds() if bond.GetIdx() not in bonds
            ]
        left -= part
        parts.append(tuple(sorted(part)))
    return parts
