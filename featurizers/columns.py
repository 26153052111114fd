"""`ColumnFeaturizer`: codes that are columns of bytes, read for many molecules together."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem

from featurizers.base import Featurizer
from featurizers.codes import as_rows
from featurizers.common_bonds import marked_like
from featurizers.extra_arrays import join
from featurizers.molecule_parts import MoleculeParts
from featurizers.packed import MoleculeArrays, PackedMolecules


class ColumnFeaturizer(Featurizer):
    """A featurizer that reads its codes property by property, for all atoms and bonds of many molecules.

    A subclass gives the columns, and with `own_arrays` what belongs to one molecule alone. One that overrides `encode`
    is asked molecule by molecule.
    """

    sorted_bonds: ClassVar[bool] = False
    """Whether bonds are ordered by their lower, then their higher atom number, else as RDKit orders them."""

    writes_properties: ClassVar[bool] = False
    """Whether `arrange` writes properties into molecules, so that `encode` copies what it is given."""

    @abstractmethod
    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Return the columns of the codes of all atoms (N bytes each)."""

    @abstractmethod
    def bond_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Return the columns of the codes of all bonds (M bytes each)."""

    def arrange(self, mol: Chem.Mol) -> Chem.Mol:
        """Return the molecule whose atoms are read."""
        return mol

    def own_arrays(self, mol: Chem.Mol, bond_ends: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return further arrays of a molecule with bonds (M, 2), as `MoleculeArrays.extra` names them."""
        return {}

    def shared_arrays(self, parts: MoleculeParts) -> Mapping[str, np.ndarray]:
        """Return further arrays of atoms or bonds of all molecules, as `PackedMolecules.extra` names them."""
        return {}

    def encode(self, mol: Chem.Mol) -> MoleculeArrays:
        """Write the columns of one molecule."""
        packed = self._encode_together([marked_like(mol, Chem.Mol(mol)) if self.writes_properties else mol])
        described = None if packed.descriptors is None else packed.descriptors[0]
        extra = {name: rows[0] if name.startswith("molecule.") else rows for name, rows in packed.extra.items()}
        return MoleculeArrays(packed.atoms, packed.bonds, packed.bond_ends, packed.pairs, described, extra)

    def encode_all(self, mols: Sequence[Chem.Mol]) -> PackedMolecules:
        """Write the columns of several molecules, at least one."""
        if type(self).encode is not ColumnFeaturizer.encode:
            return super().encode_all(mols)
        return self._encode_together(mols)

    def _encode_together(self, mols: Sequence[Chem.Mol]) -> PackedMolecules:
        mols = [self.arrange(mol) for mol in mols]
        parts = MoleculeParts(mols, self.sorted_bonds)
        ends = [parts.ends_of(molecule) for molecule in range(len(mols))]
        columns: dict[str, Any] = {}
        if self.pairs is not None and type(self).relate is Featurizer.relate:
            columns["pairs"] = self.pairs.encode_all(mols, ends)
        else:
            related = [self.relate(mol, own) for mol, own in zip(mols, ends, strict=True)]
            if pairs := [pairs_of for pairs_of in related if pairs_of is not None]:
                columns["pairs"] = np.concatenate(pairs)
        if (described := self.describe_all(mols)) is not None:
            columns["descriptors"] = described
        own_arrays = join([self.own_arrays(mol, own) for mol, own in zip(mols, ends, strict=True)])
        return PackedMolecules(
            num_atoms=parts.num_atoms,
            num_bonds=parts.num_bonds,
            atoms=as_rows(self.atom_columns(parts)),
            bonds=as_rows(self.bond_columns(parts)),
            bond_ends=parts.bond_ends,
            extra={**self.shared_arrays(parts), **own_arrays},
            **columns,
        )
