"""Standardization of salts and charges, the same in training and prediction."""

from __future__ import annotations

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from featurizers.errors import FAILURES, InvalidMolecule, why_failed
from featurizers.normalize import normalize


def standardize(mol: Chem.Mol, smiles: str, in_one_form: bool = False) -> Chem.Mol:
    """Keep the largest fragment and neutralise its charges.

    Args:
        mol: A molecule; it is not changed.
        smiles: Its name in error messages.
        in_one_form: Return it as `normalize` does.

    Raises:
        InvalidMolecule: rdMolStandardize cannot process it.
    """
    try:
        with rdBase.BlockLogs():
            fragment = rdMolStandardize.LargestFragmentChooser().choose(mol)
            neutral = rdMolStandardize.Uncharger().uncharge(fragment)
            return normalize(neutral) if in_one_form else neutral
    except FAILURES as error:
        raise InvalidMolecule(smiles, f"cannot be standardized: {why_failed(error)}") from error
