"""Chirality of atoms by names that do not depend on the order in which neighbours are written."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdCIPLabeler
from rdkit.Chem.rdchem import ChiralType

from featurizers.errors import FAILURES
from featurizers.opposite_centres import cut_off_far_parts

CIP_SLOTS = {"R": 1, "S": 2, "r": 3, "s": 4}
TETRAHEDRAL = (ChiralType.CHI_TETRAHEDRAL_CW, ChiralType.CHI_TETRAHEDRAL_CCW)
MOST_STEPS = 100_000
"""Comparisons that the naming of one molecule may take, about a tenth of a second: cages would take hours."""


def cip_slots(mol: Chem.Mol, tagged: Iterable[int] | None = None) -> np.ndarray:
    """Slot of each atom's CIP label: 0 none, 1 R, 2 S, 3 r, 4 s, (N,), uint8.

    RDKit's tags say "clockwise" of the neighbours in the order in which they are stored, so that the same compound
    has other tags in another order. CIP labels name the arrangement itself. Where the labels that RDKit perceives
    while reading leave out a centre (those of rings that differ by stereo alone, say), its complete algorithm labels
    the molecule; r and s are its pseudo-asymmetric centres, which a mirror leaves as they are.

    Args:
        mol: A molecule whose stereo was perceived; it is not changed.
        tagged: Numbers of the atoms that have a tag; `None` looks at all.

    Reference:
        Hanson, Mayfield et al. 2018, J. Chem. Inf. Model. 58, 1755: the algorithm.
    """
    atoms = mol.GetAtoms() if tagged is None else [mol.GetAtomWithIdx(int(number)) for number in tagged]
    centres = [atom for atom in atoms if atom.GetChiralTag() in TETRAHEDRAL]
    slots = np.zeros(mol.GetNumAtoms(), dtype=np.uint8)
    if not all(centre.HasProp("_CIPCode") for centre in centres):
        mol = assign_labels(cut_off_far_parts(mol, centres) or mol)
        centres = [mol.GetAtomWithIdx(centre.GetIdx()) for centre in centres]
    for centre in centres:
        if centre.HasProp("_CIPCode"):
            slots[centre.GetIdx()] = CIP_SLOTS.get(centre.GetProp("_CIPCode"), 0)
    return slots


def assign_labels(mol: Chem.Mol) -> Chem.Mol:
    """Return a copy with the labels of the complete algorithm, without any where that takes too many steps."""
    mol = Chem.Mol(mol)
    try:
        rdCIPLabeler.AssignCIPLabels(mol, maxRecursiveIterations=MOST_STEPS)
    except FAILURES:
        for atom in mol.GetAtoms():
            atom.ClearProp("_CIPCode")
    return mol
