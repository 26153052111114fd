"""Extended-connectivity fingerprints: what the baselines see of a molecule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator

from featurizers.base import Featurizer
from featurizers.packed import MoleculeArrays, PackedMolecules


class FingerprintFeaturizer(Featurizer):
    """Morgan fingerprint of the whole molecule in `graph.descriptors`; radius 2 is known as ECFP4.

    Atoms and bonds have no features. With `descriptors`, the RDKit 2D descriptors follow the bits.

    Args:
        radius: Bonds around each atom, at least 0.
        num_bits: Length of the folded fingerprint, at least 1.
        counts: Count the environments instead of marking them.
        options: Those of `Featurizer`.

    Example:
        >>> FingerprintFeaturizer()("CCO").descriptors.shape
        torch.Size([1, 2048])

    Reference:
        Rogers & Hahn 2010, J. Chem. Inf. Model. 50, 742.
    """

    name: ClassVar[str] = "fingerprint"
    atom_size = 0
    bond_size = 0

    def __init__(self, *, radius: int = 2, num_bits: int = 2048, counts: bool = False, **options: Any) -> None:
        super().__init__(**options)
        if radius < 0 or num_bits < 1:
            raise ValueError(f"radius={radius}, num_bits={num_bits}: at least 0 and 1")
        self.radius, self.num_bits, self.counts = radius, num_bits, counts
        self.descriptor_size += num_bits

    def encode(self, mol: Chem.Mol) -> MoleculeArrays:
        """Write the fingerprint and, so that graphs stay graphs, the bonds."""
        return self._encode(mol, self.describe(mol))

    def encode_all(self, mols: Sequence[Chem.Mol]) -> PackedMolecules:
        """Write several molecules, at least one; their descriptors are computed together."""
        if type(self).encode is not FingerprintFeaturizer.encode:
            return super().encode_all(mols)
        described = self.describe_all(mols)
        rows = [None] * len(mols) if described is None else described
        return PackedMolecules.pack([self._encode(mol, row) for mol, row in zip(mols, rows, strict=True)])

    def _encode(self, mol: Chem.Mol, described: np.ndarray | None) -> MoleculeArrays:
        generator = rdFingerprintGenerator.GetMorganGenerator(radius=self.radius, fpSize=self.num_bits)
        bits = (generator.GetCountFingerprintAsNumPy if self.counts else generator.GetFingerprintAsNumPy)(mol)
        pairs = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
        ends = np.array(pairs, dtype=np.uint16).reshape(len(pairs), 2)
        return MoleculeArrays(
            atoms=np.empty((mol.GetNumAtoms(), 0), dtype=np.uint8),
            bonds=np.empty((len(ends), 0), dtype=np.uint8),
            bond_ends=ends,
            pairs=self.relate(mol, ends),
            descriptors=np.concatenate([bits, [] if described is None else described]).astype(np.float32),
        )

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """No features (N, 0)."""
        return codes.astype(np.float32)

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """No features (M, 0)."""
        return codes.astype(np.float32)
