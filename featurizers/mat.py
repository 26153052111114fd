"""The features of the molecule attention transformer, with distances in bonds or in space."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem

from featurizers.atom_pairs import pair_ends
from featurizers.canonical import CanonicalFeaturizer
from featurizers.codes import SHIFT, charges, limited_table, slot_table, unsigned
from featurizers.conformer import conformer_positions
from featurizers.molecule_parts import MoleculeParts
from featurizers.one_hot import set_one_hot, slots_of
from featurizers.packed import PackedMolecules

ELEMENT_SLOTS = slots_of([5, 6, 7, 8, 9, 15, 16, 17, 35, 53])
OTHER_ELEMENT, MOST_NEIGHBORS, MOST_HYDROGENS = 10, 5, 4
FIRST_COLUMNS = np.array([0, 11, 17])
CHARGE = 22
ELEMENTS = slot_table(ELEMENT_SLOTS, OTHER_ELEMENT)
UP_TO_5, UP_TO_4 = limited_table(MOST_NEIGHBORS), limited_table(MOST_HYDROGENS)


class MATFeaturizer(CanonicalFeaturizer):
    """MAT's atom features: 25 of each atom, or 27 with charges as categories; the canonical features of bonds.

    One-hot element (0-10: B C N O F P S Cl Br I, other), neighbours (11-16: 0 to 5 and more), hydrogens (17-21: 0 to 4
    and more), formal charge (22; or 22-24: -1, 0, all others), in a ring, aromatic. The model adds the flag of its
    dummy node.

    With `conformers` it fills `pairs.edata["distance_3d"]` (P,), distances in angstrom in one conformer, see
    `conformer_positions`.

    Args:
        one_hot_charge: Charges as categories, as the authors' pretrained weights need.
        conformers: Embed every molecule, 50 to 100 ms each; needs `pairs`.
        conformer_seed: Seed of the embedding.
        conformer_largest: Molecules with more heavy atoms are not embedded.
        depict_failures: What a molecule without a conformer gets: `True` takes the distances of its two-dimensional
            depiction and logs a warning that names it, `False` makes it an invalid molecule.
        options: Those of `Featurizer`.

    Raises:
        ValueError: Conformers are asked for without pairs.

    Example:
        >>> graph = MATFeaturizer(pairs=True, conformers=True)("CO")
        >>> graph.atom_feats.shape, round(graph.pairs.edata["distance_3d"][1].item(), 1)
        (torch.Size([2, 25]), 1.4)

    Reference:
        Maziarka et al. 2020 (arXiv:2002.08264), table 1 and the authors' code (ardigen/MAT). Differs from it in
        unrelaxed conformers where UFF lacks parameters (theirs are depicted), a fixed seed, and atoms in an order of
        their own for the embedding.
    """

    name: ClassVar[str] = "mat"

    def __init__(
        self,
        *,
        one_hot_charge: bool = False,
        conformers: bool = False,
        conformer_seed: int = 0,
        conformer_largest: int = 150,
        depict_failures: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if conformers and self.pairs is None:
            raise ValueError("conformers=True: give pairs=True too")
        self.one_hot_charge, self.conformers = one_hot_charge, conformers
        self.conformer_seed, self.conformer_largest = conformer_seed, conformer_largest
        self.depict_failures = depict_failures
        self.atom_size = 27 if one_hot_charge else 25

    def own_arrays(self, mol: Chem.Mol, bond_ends: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return the places of the atoms, where conformers are asked for."""
        if not self.conformers:
            return {}
        places = conformer_positions(
            mol, seed=self.conformer_seed, largest=self.conformer_largest, depict_failures=self.depict_failures
        )
        return {"atoms.place": places}

    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Slots of element, neighbours and hydrogens, charge (shifted), in a ring, aromatic of each atom."""
        read, atoms = Chem.Atom, parts.atoms
        return [
            unsigned(read.GetAtomicNum, atoms).translate(ELEMENTS),
            parts.degrees.translate(UP_TO_5),
            unsigned(read.GetTotalNumHs, atoms).translate(UP_TO_4),
            charges(parts),
            parts.rings[0],
            unsigned(read.GetIsAromatic, atoms),
        ]

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 6) to features (N, `atom_size`)."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :3], FIRST_COLUMNS)
        charge = codes[:, 3].astype(np.int64) - SHIFT
        if self.one_hot_charge:
            slots = np.where(charge == -1, 0, np.where(charge == 0, 1, 2))
            feats[np.arange(len(codes)), CHARGE + slots] = 1
        else:
            feats[:, CHARGE] = charge
        feats[:, -2:] = codes[:, 4:6]
        return feats

    def batch_arrays(self, packed: PackedMolecules) -> dict[str, np.ndarray]:
        """Return the arrays of a batch of encoded molecules, with the distances in conformers among those of pairs."""
        arrays = super().batch_arrays(packed)
        if self.conformers and self.pairs is not None:
            places = arrays.pop("atoms.place").astype(np.float64)
            first, second = pair_ends(arrays["num_atoms"])
            arrays["pairs.distance_3d"] = np.linalg.norm(places[first] - places[second], axis=1).astype(np.float32)
        return arrays
