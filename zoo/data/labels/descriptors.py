"""Recognition of columns that hold a descriptor which can be computed from the molecules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from featurizers import InvalidMolecule
from zoo.data.molecules import read_molecule

DESCRIPTORS: dict[str, Callable[[Chem.Mol], float]] = {
    "molecular weight": rdMolDescriptors._CalcMolWt,
    "exact mass": rdMolDescriptors.CalcExactMolWt,
    "logP (Crippen)": lambda mol: rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
    "molar refractivity": lambda mol: rdMolDescriptors.CalcCrippenDescriptors(mol)[1],
    "polar surface area": rdMolDescriptors.CalcTPSA,
    "number of hydrogen-bond donors": rdMolDescriptors.CalcNumHBD,
    "number of hydrogen-bond acceptors": rdMolDescriptors.CalcNumHBA,
    "number of rotatable bonds": rdMolDescriptors.CalcNumRotatableBonds,
    "number of rings": rdMolDescriptors.CalcNumRings,
    "number of aromatic rings": rdMolDescriptors.CalcNumAromaticRings,
    "number of heavy atoms": lambda mol: mol.GetNumHeavyAtoms(),
    "fraction of sp3 carbons": rdMolDescriptors.CalcFractionCSP3,
}
SAMPLE = 30
FEWEST = 10


def recognize_descriptors(smiles: Sequence[str], columns: Mapping[str, pd.Series]) -> dict[str, str]:
    """Names of the columns whose numbers are those of a descriptor, and which one it is.

    Args:
        smiles: The molecules (n).
        columns: Columns of n cells, by name.
    """
    rows, values = _of_sample(smiles)
    if len(rows) < FEWEST:
        return {}
    names = list(DESCRIPTORS)
    spread = values.std(axis=0) > 0
    found = {}
    for column, cells in columns.items():
        numbers = pd.to_numeric(cells.iloc[rows], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        known = ~np.isnan(numbers)
        if known.sum() < FEWEST or numbers[known].std() == 0:
            continue
        close = np.isclose(values[known], numbers[known, None], rtol=0.002, atol=0.006).all(axis=0) & spread
        if close.any():
            found[column] = names[int(np.argmax(close))]
    return found


def _of_sample(smiles: Sequence[str]) -> tuple[list[int], np.ndarray]:
    """Rows of some readable molecules (m) and their descriptors (m, descriptors)."""
    rows: list[int] = []
    values = []
    for row in np.unique(np.linspace(0, len(smiles) - 1, 2 * SAMPLE).astype(int)).tolist():
        try:
            mol = read_molecule(smiles[row], 200)
        except InvalidMolecule:
            continue
        rows.append(row)
        values.append([float(compute(mol)) for compute in DESCRIPTORS.values()])
        if len(rows) == SAMPLE:
            break
    return rows, np.array(values)
