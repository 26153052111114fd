"""The atom and bond features of GROVER."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdqueries import HasChiralTagQueryAtom

from featurizers.chirality import cip_slots
from featurizers.codes import (
    added,
    bond_stereo,
    charges,
    flags,
    hybridizations,
    isotope_columns,
    limited_table,
    signed_slot_table,
    slot_table,
    unsigned,
)
from featurizers.columns import ColumnFeaturizer
from featurizers.grover_patterns import find_patterns
from featurizers.molecule_parts import MoleculeParts, matching_atoms, pattern_of
from featurizers.one_hot import BOND_TYPE_SLOTS, HYBRIDIZATION_SLOTS, set_flags, set_one_hot

# Seven one-hot groups of an atom: first column, number of slots. The last slot of a group stands for every other value.
GROUPS = {
    "element": (0, 101),
    "degree": (101, 7),
    "charge": (108, 6),
    "chirality": (114, 5),
    "hydrogens": (119, 6),
    "hybridization": (125, 6),
    "implicit_valence": (133, 8),
}
FIRST_COLUMNS = np.array([first for first, _ in GROUPS.values()])
AROMATIC, MASS, MATCHES, RINGS = 131, 132, slice(141, 145), slice(145, 151)
LAST = {name: size - 1 for name, (_, size) in GROUPS.items()}

# The published code picks the charge column by Python indexing from either end of six slots, so +4 and -2, +5 and -1,
# +3 and -3 share one. Outside -3..+5 (where it uses -4..-6 oddly or fails) the last slot is taken.
CHARGE_SLOTS = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 5, -1: 5, -2: 4, -3: 3}

DEGREES, HYDROGENS, IMPLICIT = (limited_table(LAST[name]) for name in ("degree", "hydrogens", "implicit_valence"))
CHARGES = signed_slot_table(CHARGE_SLOTS, LAST["charge"])
CHIRALITY = limited_table(LAST["chirality"])
HYBRIDIZATIONS = slot_table(HYBRIDIZATION_SLOTS, LAST["hybridization"])
BOND_TYPES, STEREO = slot_table(BOND_TYPE_SLOTS), limited_table(6)
TAGGED = pattern_of(HasChiralTagQueryAtom())

NUM_ELEMENTS = 119
PERIODIC_TABLE = Chem.GetPeriodicTable()
WEIGHTS = np.array([PERIODIC_TABLE.GetAtomicWeight(number) for number in range(NUM_ELEMENTS)])


@lru_cache(maxsize=4096)
def isotope_mass(number: int, isotope: int) -> float:
    """Mass of an isotope as RDKit's `Atom.GetMass` gives it (Da); an unknown isotope weighs its mass number."""
    mass = PERIODIC_TABLE.GetMassForIsotope(number, isotope)
    return float(isotope) if mass == 0.0 and number != 0 else mass


class GroverFeaturizer(ColumnFeaturizer):
    """151 features of each atom and 14 of each bond, as published with GROVER.

    Atoms: one-hot atomic number (0-100), total degree (101-107), formal charge (108-113), chirality (114-118),
    hydrogens (119-124), hybridization (125-130), aromatic (131), mass in 100 Da (132), one-hot implicit valence
    (133-140), hydrogen acceptor, donor, acidic, basic (141-144), in a ring of size 3 to 8 (145-150). Bonds: column 0 is
    always 0, then single, double, triple, aromatic (1-4), conjugated (5), in a ring (6), one-hot stereo (7-13).

    The published chirality is RDKit's tag (none, clockwise, counterclockwise, other), which depends on the order in
    which neighbours are stored: one compound gets other features in another order of its atoms. By default the five
    columns hold the CIP label instead: none, R, S, r, s.

    Bonds are ordered by their lower, then their higher atom number. An atom takes 11 bytes when encoded, a bond 7.

    Args:
        chirality: "cip" for CIP labels, or "published" for RDKit's tags, which released weights need.
        **options: Of `Featurizer`.

    Example:
        >>> graph = GroverFeaturizer()("c1ccccc1O")
        >>> graph.atom_feats.shape, graph.bond_feats.shape
        (torch.Size([7, 151]), torch.Size([14, 14]))

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), appendix B. Differs from the authors' code in charges above +5 and below
        -6, where that raises an IndexError, and from -4 to -6, which here share the last slot.
    """

    name: ClassVar[str] = "grover"
    version: ClassVar[int] = ColumnFeaturizer.version + 1
    sorted_bonds = True
    legacy_defaults: ClassVar[Mapping[str, Any]] = {**ColumnFeaturizer.legacy_defaults, "chirality": "published"}
    atom_size = 151
    bond_size = 14

    def __init__(self, *, chirality: str = "cip", **options: Any) -> None:
        super().__init__(**options)
        if chirality not in ("cip", "published"):
            raise ValueError(f"chirality={chirality!r}: choose 'cip' or 'published'")
        self.chirality = chirality

    def atom_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Number, six slots, flags (patterns, aromatic), ring sizes, isotope (low and high byte) of each atom."""
        read, atoms = Chem.Atom, parts.atoms
        numbers, hydrogens = unsigned(read.GetAtomicNum, atoms), unsigned(read.GetTotalNumHs, atoms)
        charged, aromatic = charges(parts), unsigned(read.GetIsAromatic, atoms)
        return [
            numbers,
            added(parts.degrees, hydrogens).translate(DEGREES),
            charged.translate(CHARGES),
            self._chirality(parts),
            hydrogens.translate(HYDROGENS),
            hybridizations(parts).translate(HYBRIDIZATIONS),
            unsigned(read.GetNumImplicitHs, atoms).translate(IMPLICIT),
            flags(*find_patterns(parts, numbers, hydrogens, charged, aromatic), aromatic),
            b"".join(map(ring_sizes, parts.mols)),
            *isotope_columns(parts),
        ]

    def bond_columns(self, parts: MoleculeParts) -> list[bytes]:
        """Type slot, stereo slot, flags (conjugated, in a ring) of each bond."""
        return bond_columns(parts)

    def _chirality(self, parts: MoleculeParts) -> bytes:
        """Slot of each atom's tag, or of its CIP label."""
        if self.chirality == "published":
            return unsigned(Chem.Atom.GetChiralTag, parts.atoms).translate(CHIRALITY)
        return b"".join(map(_labels, parts.mols))

    def expand_atoms(self, codes: np.ndarray) -> np.ndarray:
        """Map atom codes (N, 11) to features (N, 151)."""
        feats = np.zeros((len(codes), self.atom_size), dtype=np.float32)
        numbers, slots = codes[:, 0], codes[:, : len(GROUPS)].copy()
        slots[:, 0] = np.where((numbers >= 1) & (numbers <= 100), numbers - 1, LAST["element"])
        set_one_hot(feats, slots, FIRST_COLUMNS)
        set_flags(feats, codes[:, 7] >> 4, slice(AROMATIC, AROMATIC + 1))
        set_flags(feats, codes[:, 7], MATCHES)
        set_flags(feats, codes[:, 8], RINGS)
        isotopes = codes[:, 9].astype(np.int64) | codes[:, 10].astype(np.int64) << 8
        feats[:, MASS] = masses(numbers, isotopes) * 0.01
        return feats

    def expand_bonds(self, codes: np.ndarray) -> np.ndarray:
        """Map bond codes (M, 3) to features (M, 14)."""
        feats = np.zeros((len(codes), self.bond_size), dtype=np.float32)
        set_one_hot(feats, codes[:, :2], np.array([1, 7]))
        set_flags(feats, codes[:, 2], slice(5, 7))
        return feats


def masses(numbers: np.ndarray, isotopes: np.ndarray) -> np.ndarray:
    """Masses of atoms (N,) in Da: standard weights, or those of the given isotopes where these are not 0."""
    result = WEIGHTS[numbers]
    for row in np.flatnonzero(isotopes):
        result[row] = isotope_mass(int(numbers[row]), int(isotopes[row]))
    return result


def bond_columns(parts: MoleculeParts) -> list[bytes]:
    """Type slot, stereo slot, flags (conjugated, in a ring) of each bond."""
    return [
        parts.bond_types.translate(BOND_TYPES),
        bond_stereo(parts).translate(STEREO),
        flags(unsigned(Chem.Bond.GetIsConjugated, parts.bonds), parts.rings[1]),
    ]


def _labels(mol: Chem.Mol) -> bytes:
    """Slot of the CIP label of each atom."""
    tagged = matching_atoms(mol, TAGGED)
    return cip_slots(mol, tagged).tobytes() if tagged else bytes(mol.GetNumAtoms())


def ring_sizes(mol: Chem.Mol) -> bytes:
    """Return, for each atom, a bit for each size of its rings, from 3 to 8."""
    sizes = bytearray(mol.GetNumAtoms())
    for ring in mol.GetRingInfo().AtomRings():
        if len(ring) <= 8:
            for atom in ring:
                sizes[atom] |= 1 << (len(ring) - 3)
    return bytes(sizes)
