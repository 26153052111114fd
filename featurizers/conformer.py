"""Places of atoms in space: one conformer of a molecule, embedded by RDKit."""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdDepictor, rdDistGeom, rdForceFieldHelpers

from featurizers.errors import InvalidMolecule

logger = logging.getLogger(__name__)
ATTEMPTS = 10
"""Embeddings that RDKit tries from its distance bounds, and again from random places."""
KEPT = 4096
"""Conformers that a process remembers."""


def conformer_positions(
    mol: Chem.Mol, *, seed: int = 0, largest: int = 150, depict_failures: bool = True
) -> np.ndarray:
    """Places of the atoms of one conformer.

    Hydrogens are added, ETKDG (version 3) embeds the molecule, UFF relaxes it where it knows all atoms, and the
    hydrogens are dropped. The same molecule has the same conformer whatever the order of its atoms: it is embedded in
    the order of its canonical SMILES, with a fixed seed. Fragments are embedded by themselves; how they lie to each
    other means nothing.

    Where there is no conformer (more heavy atoms than `largest`, or every attempt failed), a warning names the molecule
    and the reason, and the places are those of RDKit's two-dimensional depiction, as in the authors' code of MAT.

    Args:
        mol: N atoms, sanitized.
        seed: Seed of the embedding, at least 0.
        largest: Molecules with more heavy atoms are not embedded: 300 take half a minute.
        depict_failures: False raises instead of depicting.

    Returns:
        (N, 3), in angstrom, float32.

    Raises:
        InvalidMolecule: There is no conformer and `depict_failures` is False.

    Example:
        >>> conformer_positions(Chem.MolFromSmiles("CCO")).shape
        (3, 3)

    Reference:
        Riniker & Landrum 2015 (J. Chem. Inf. Model. 55, 2562) and Wang et al. 2020 (60, 2044): ETKDG.
    """
    copy = Chem.Mol(mol)
    smiles = Chem.MolToSmiles(copy)
    order = list(copy.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
    positions, reason = _place_atoms(smiles, len(order), seed, largest)
    if reason:
        if not depict_failures:
            raise InvalidMolecule(smiles, reason)
        logger.warning("%r: %s; its two-dimensional depiction stands for it", smiles, reason)
        if not len(positions):
            rdDepictor.Compute2DCoords(copy)
            return _places(copy)
    result = np.empty_like(positions)
    result[order] = positions
    return result


@lru_cache(maxsize=KEPT)
def _place_atoms(smiles: str, num_atoms: int, seed: int, largest: int) -> tuple[np.ndarray, str]:
    """Places of the atoms of a canonical SMILES in its order (N, 3), and why they are not a conformer's, or "".

    Without places (0, 3) the SMILES cannot be read.
    """
    options = Chem.SmilesParserParams()
    options.removeHs = False  # type: ignore[assignment]
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles, options)
        if mol is None or mol.GetNumAtoms() != num_atoms:
            return np.zeros((0, 3), dtype=np.float32), "RDKit does not read the SMILES that it wrote"
        reason = f"{mol.GetNumHeavyAtoms()} heavy atoms, more than the {largest} that are embedded"
        if mol.GetNumHeavyAtoms() <= largest:
            with_hydrogens = Chem.AddHs(mol)
            if _embed(with_hydrogens, seed):
                return _places(with_hydrogens)[:num_atoms], ""
            reason = "RDKit finds no conformer"
        rdDepictor.Compute2DCoords(mol)
        return _places(mol), reason


def _embed(mol: Chem.Mol, seed: int) -> bool:
    """Give a molecule with hydrogens a relaxed conformer, in place; False if there is none."""
    options = rdDistGeom.ETKDGv3()
    options.randomSeed, options.maxIterations = seed, ATTEMPTS  # type: ignore[assignment]
    for random_places in (False, True):
        options.useRandomCoords = random_places  # type: ignore[assignment]
        if rdDistGeom.EmbedMolecule(mol, options) == 0:
            break
    else:
        return False
    if rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        rdForceFieldHelpers.UFFOptimizeMolecule(mol)
    return True


def _places(mol: Chem.Mol) -> np.ndarray:
    return np.asarray(mol.GetConformer().GetPositions(), dtype=np.float32)
