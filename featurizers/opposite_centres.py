"""Stereocentres opposite each other in a ring, as of 1,4-disubstituted cyclohexanes: what is far from them is cut off.

Such a centre has a label because the two ways round the ring differ by the other centre alone. To find that they are
equal otherwise, the algorithm compares everything that can be reached on both, again and again, which takes
milliseconds. Where they are equal by symmetry, and every other decision falls near the centres, the labels of a
molecule are those of its middle.
"""

from __future__ import annotations

from collections.abc import Sequence

from rdkit import Chem
from rdkit.Chem.rdchem import BondStereo, BondType

LARGEST_RING = 12
"""In larger rings there may be too many ways to go as far as half the ring."""
CARBON, HYDROGEN = 6, 1
DUPLICATES = {BondType.SINGLE: 0, BondType.DOUBLE: 1, BondType.TRIPLE: 2}
"""Atoms that a bond stands for besides its own, by the rules of Cahn, Ingold and Prelog."""


def cut_off_far_parts(mol: Chem.Mol, centres: Sequence[Chem.Atom]) -> Chem.Mol | None:
    """Return a copy in which bonds far from two opposite centres of a ring end in dummies; atoms keep their numbers.

    The labels of the centres are the same in it. In the complete molecule they follow from (1) the order of the ligands
    of each centre, which must be decided on the way of at most half the ring, so that it is for each way round; (2) the
    tie of the two ways, which the cut leaves, since it cuts both alike; (3) the other centre at the end of either way,
    where the way back to the first one outranks the way on, which ends in a duplicate of it: no further away than that.

    Args:
        mol: A molecule.
        centres: All of its centres.

    Returns:
        The copy; `None` where any of this is not so, or not plain to see, or its rings are not known.
    """
    ring = _opposite_ring(mol, centres)
    if ring is None or any(bond.GetStereo() != BondStereo.STEREONONE for bond in mol.GetBonds()):
        return None
    ranks = list(Chem.CanonicalRankAtoms(mol, breakTies=False, includeChirality=False))
    half = len(ring) // 2
    if any(ranks[ring[place]] != ranks[ring[-place]] for place in range(1, half)):
        return None
    spheres = [_deciding_sphere(mol, ring[start:] + ring[:start]) for start in (0, half)]
    if None in spheres:
        return None
    reach = max(sphere for sphere in spheres if sphere is not None)
    kept = _atoms_near(mol, {ring[0], ring[half]}, reach).union(ring)
    cut = [bond.GetIdx() for bond in mol.GetBonds() if _is_beyond(bond, kept)]
    return Chem.FragmentOnBonds(mol, cut) if cut else None


def _opposite_ring(mol: Chem.Mol, centres: Sequence[Chem.Atom]) -> list[int] | None:
    """Return the atoms of the ring, from the first of just two centres on, if they are in no other ring."""
    if len(centres) != 2 or any(atom.GetAtomicNum() != CARBON or atom.HasProp("_CIPCode") for atom in centres):
        return None
    first, second = (atom.GetIdx() for atom in centres)
    rings = mol.GetRingInfo()
    try:
        if not rings.AreAtomsInSameRing(first, second):
            return None
    except RuntimeError:  # nobody has searched for rings
        return None
    ring = next(list(ring) for ring in rings.AtomRings() if first in ring and second in ring)
    start = ring.index(first)
    ring = ring[start:] + ring[:start]
    if (
        len(ring) > LARGEST_RING
        or len(ring) % 2
        or ring[len(ring) // 2] != second
        or any(rings.NumAtomRings(atom) != 1 for atom in ring)
    ):
        return None
    return ring


def _deciding_sphere(mol: Chem.Mol, ring: list[int]) -> int | None:
    """Return a sphere by which all ligands of a ring's first atom differ, but for the two of the ring; `None`: none."""
    centre, half = mol.GetAtomWithIdx(ring[0]), len(ring) // 2
    others = [atom for atom in centre.GetNeighbors() if atom.GetIdx() not in (ring[1], ring[-1])]
    if any(atom.GetAtomicNum() <= HYDROGEN for atom in others):
        return None
    found = [_numbers_in_spheres(atom, centre, half) for atom in (mol.GetAtomWithIdx(ring[1]), *others)]
    reach = 1
    for place, one in enumerate(found):
        for other in found[:place]:
            sphere = next((number for number, (a, b) in enumerate(zip(one, other), 1) if a != b), None)  # noqa: B905
            if sphere is None:
                return None
            reach = max(reach, sphere)
    return reach


def _numbers_in_spheres(start: Chem.Atom, centre: Chem.Atom, most: int) -> list[list[int]]:
    """Return the atomic numbers in each sphere of a ligand, sorted; fewer than `most` where duplicates are not clear.

    Where these differ the order of two ligands is decided, in that sphere or before.
    """
    spheres = [[start.GetAtomicNum()]]
    front: list[tuple[Chem.Atom, tuple[int, ...]]] = [(start, (centre.GetIdx(), start.GetIdx()))]
    while len(spheres) < most:
        numbers: list[int] = []
        following = []
        for atom, path in front:
            duplicates = _duplicates(atom)
            if duplicates is None:
                return spheres
            numbers += duplicates + [HYDROGEN] * atom.GetTotalNumHs()
            for other in atom.GetNeighbors():
                if other.GetIdx() != path[-2]:
                    numbers.append(other.GetAtomicNum())  # a duplicate too, where a ring closes
                if other.GetIdx() not in path:
                    following.append((other, (*path, other.GetIdx())))
        spheres.append(sorted(numbers))
        front = following
    return spheres


def _duplicates(atom: Chem.Atom) -> list[int] | None:
    """Return the atomic numbers of the duplicates that stand for an atom's bonds of higher order; `None`: not clear.

    In a ring they are averages over its formulas, which are plain for aromatic carbon between carbon atoms alone.
    """
    bonds = atom.GetBonds()
    if atom.GetIsAromatic():
        beside = {bond.GetOtherAtom(atom).GetAtomicNum() for bond in bonds if bond.GetIsAromatic()}
        others = {bond.GetBondType() for bond in bonds if not bond.GetIsAromatic()}
        plain = atom.GetAtomicNum() == CARBON and atom.GetFormalCharge() == 0
        return [CARBON] if plain and beside == {CARBON} and others <= {BondType.SINGLE} else None
    found: list[int] = []
    for bond in bonds:
        more = DUPLICATES.get(bond.GetBondType())
        if more is None or (more and bond.IsInRing()):
            return None
        found += [bond.GetOtherAtom(atom).GetAtomicNum()] * more
    return found


def _atoms_near(mol: Chem.Mol, starts: set[int], reach: int) -> set[int]:
    """Return the atoms that fewer than `reach` bonds part from one of some others."""
    near, front = starts, starts
    for _ in range(reach - 1):
        front = {found.GetIdx() for atom in front for found in mol.GetAtomWithIdx(atom).GetNeighbors()} - near
        near = near | front
    return near


def _is_beyond(bond: Chem.Bond, kept: set[int]) -> bool:
    """Return whether a bond is single, and both of its atoms are none of those that are kept as they are."""
    ends = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
    return bond.GetBondType() == BondType.SINGLE and kept.isdisjoint(ends)
