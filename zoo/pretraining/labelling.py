"""`LabellingFeaturizer`: molecules with the words of their atoms and bonds, and their functional groups."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import ClassVar

import numpy as np
from rdkit import Chem

from featurizers import Featurizer, MoleculeArrays
from zoo.pretraining.vocabulary import Vocabulary
from zoo.pretraining.words import atom_words, bond_words, motifs


class LabellingFeaturizer(Featurizer):
    """Features of another featurizer, and next to them what pre-training asks for.

    `graph.ndata["word"]` (N,) and `graph.edata["word"]` (E,) hold numbers of words, `extra["motifs"]` (B, 85) 0 or 1.

    Args:
        base: Makes the features.
        atoms: Vocabulary of atoms.
        bonds: Vocabulary of bonds.
        groups: Also find the functional groups, which takes about a millisecond a molecule.
    """

    name: ClassVar[str] = "labelled"

    def __init__(self, base: Featurizer, atoms: Vocabulary, bonds: Vocabulary, groups: bool = True) -> None:
        super().__init__()
        self.base, self.words_of_atoms, self.words_of_bonds, self.groups = base, atoms, bonds, groups
        for size, value in base.sizes.items():
            setattr(self, size, value)
        self.pairs, self.descriptors, self.max_atoms = base.pairs, base.descriptors, base.max_atoms

    @property
    def fingerprint(self) -> str:
        """Key of what is encoded: the base's, and the words."""
        text = "\n".join((self.base.fingerprint, *self.words_of_atoms.words, "", *self.words_of_bonds.words))
        return hashlib.sha256(f"{text}\n{self.groups}".encode()).hexdigest()

    def parse(self, molecule: str | Chem.Mol) -> Chem.Mol:
        """Read a molecule as the base does."""
        return self.base.parse(molecule)

    def encode(self, mol: Chem.Mol) -> MoleculeArrays:
        """Write codes and labels."""
        found = self.base.encode(mol)
        labels = {
            "atoms.word": np.array(self.words_of_atoms.encode(atom_words(mol)), dtype=np.int32),
            "bonds.word": np.array(self.words_of_bonds.encode(bond_words(mol)), dtype=np.int32),
        }
        if self.groups:
            labels["molecule.motifs"] = motifs(mol)
        return replace(found, extra={**found.extra, **labels})

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes to the base's features."""
        return self.base.expand_atoms(codes)

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes to the base's features."""
        return self.base.expand_bonds(codes)
