"""Molecules as flat integer arrays: what a featurizer writes once and batches are cut from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from featurizers.extra_arrays import ATOM_NUMBERS, at_level, check_rows, flat, join, level_of, split_flat

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass(frozen=True)
class MoleculeArrays:
    """One molecule with N atoms and M bonds (each bond once).

    Args:
        atoms: Integer codes of the atoms (N, C).
        bonds: Integer codes of the bonds (M, K).
        bond_ends: The two atoms of each bond (M, 2), uint16.
        pairs: Integer or float codes of the ordered atom pairs, row-major (N * N, Q), or `None`.
        descriptors: Features of the whole molecule (F,), float32, or `None`.
        extra: More arrays, named for what they have a row for: "atoms.x" (N, ...), "bonds.x" (M, ...), "pairs.x"
            (N * N, ...), or "molecule.x" of any shape, the same for all molecules.

    Raises:
        ValueError: A bond of an atom that does not exist, or an extra array that does not fit.
    """

    atoms: np.ndarray
    bonds: np.ndarray
    bond_ends: np.ndarray
    pairs: np.ndarray | None = None
    descriptors: np.ndarray | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_rows(self.extra, len(self.atoms), len(self.bonds))
        if self.bond_ends.size and self.bond_ends.max() >= len(self.atoms):
            raise ValueError(
                f"a bond of atom {self.bond_ends.max()} in a molecule of {len(self.atoms)}, counted from 0"
            )

    def with_atom_numbers(self, numbers: Any, size: int) -> MoleculeArrays:
        """Return the molecule with numbers for each atom (N, `size`), which stand behind the features of its atoms.

        Raises:
            ValueError: The shape does not fit, or a number is not finite.
        """
        values = np.asarray(numbers, dtype=np.float32)
        if values.shape != (len(self.atoms), size):
            raise ValueError(
                f"atom_numbers gave {values.shape} for {len(self.atoms)} atoms and atom_number_size={size}"
            )
        if not np.isfinite(values).all():
            raise ValueError("atom_numbers gave a number that is not finite")
        return replace(self, extra={**self.extra, ATOM_NUMBERS: values})


def offsets(counts: np.ndarray) -> np.ndarray:
    """Start of each run and the end of the last (n + 1,), int64."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def before(counts: np.ndarray) -> np.ndarray:
    """Start of each run (n,), int64."""
    return counts.cumsum(dtype=np.int64) - counts


def ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Indices of the runs `starts[i] ... starts[i] + counts[i] - 1`, one after another (sum of counts,), int64."""
    result = (starts - before(counts)).repeat(counts)
    result += np.arange(len(result), dtype=np.int64)
    return result


@dataclass(frozen=True)
class PackedMolecules:
    """Many molecules one after another; arrays may be memory maps.

    Args:
        num_atoms: Atoms of each molecule (B,).
        num_bonds: Bonds of each molecule (B,).
        atoms: Codes of all atoms (sum of `num_atoms`, C).
        bonds: Codes of all bonds (sum of `num_bonds`, K).
        bond_ends: Atom numbers within the molecule (sum of `num_bonds`, 2).
        pairs: Codes of all ordered pairs (sum of `num_atoms ** 2`, Q), or `None`.
        descriptors: (B, F), or `None`.
        extra: The arrays of `MoleculeArrays.extra` one after another; "molecule.x" (B, ...).
        partners: The other molecules of each row, where a row has several: B molecules for each.
    """

    num_atoms: np.ndarray
    num_bonds: np.ndarray
    atoms: np.ndarray
    bonds: np.ndarray
    bond_ends: np.ndarray
    pairs: np.ndarray | None = None
    descriptors: np.ndarray | None = None
    extra: Mapping[str, np.ndarray] = field(default_factory=dict)
    partners: tuple[PackedMolecules, ...] = ()

    def __post_init__(self) -> None:
        if len(self.num_atoms) != len(self.num_bonds):
            raise ValueError(f"atoms of {len(self.num_atoms)} molecules, but bonds of {len(self.num_bonds)}")

    @cached_property
    def atom_starts(self) -> np.ndarray:
        """First atom of each molecule, and the number of atoms (B + 1,), int64."""
        return offsets(self.num_atoms)

    @cached_property
    def bond_starts(self) -> np.ndarray:
        """First bond of each molecule, and the number of bonds (B + 1,), int64."""
        return offsets(self.num_bonds)

    @cached_property
    def pair_starts(self) -> np.ndarray:
        """First ordered pair of each molecule, and the number of pairs (B + 1,), int64."""
        return offsets(self.num_atoms.astype(np.int64) ** 2)

    def __len__(self) -> int:
        return len(self.num_atoms)

    @classmethod
    def pack(cls, molecules: Sequence[MoleculeArrays]) -> PackedMolecules:
        """Put molecules one after another; at least one is needed to know the widths."""
        if not molecules:
            raise ValueError("no molecule to pack: at least one is needed")
        first = molecules[0]
        columns: dict[str, Any] = {
            own.name: np.concatenate([getattr(m, own.name) for m in molecules])
            for own in fields(MoleculeArrays)
            if getattr(first, own.name) is not None and own.name not in ("descriptors", "extra")
        }
        if first.descriptors is not None:
            columns["descriptors"] = np.stack([m.descriptors for m in molecules if m.descriptors is not None])
        return cls(
            num_atoms=np.array([len(m.atoms) for m in molecules], dtype=np.int32),
            num_bonds=np.array([len(m.bonds) for m in molecules], dtype=np.int32),
            extra=join([m.extra for m in molecules]),
            **columns,
        )

    @classmethod
    def join(cls, groups: Sequence[PackedMolecules]) -> PackedMolecules:
        """Put groups of molecules, at least one, one after another; they have the same arrays and no partners."""
        if len(groups) == 1:
            return groups[0]
        arrays = [group.arrays() for group in groups]
        if any(each.keys() != arrays[0].keys() for each in arrays):
            raise ValueError("a featurizer must give every molecule the same arrays")
        return PackedMolecules.from_arrays(
            {name: np.concatenate([each[name] for each in arrays]) for name in arrays[0]}
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name, as a store keeps them; `from_arrays` takes them back. Partners are not among them."""
        others = ("extra", "partners")
        named = {own.name: getattr(self, own.name) for own in fields(PackedMolecules) if own.name not in others}
        return {name: array for name, array in named.items() if array is not None} | flat(self.extra)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], **more: Any) -> Self:
        """Molecules of named arrays, and what else a subclass needs."""
        own, extra = split_flat(arrays)
        columns: dict[str, Any] = {**own, **more}
        return cls(**columns, extra=extra)

    def take(self, indices: np.ndarray | Sequence[int]) -> PackedMolecules:
        """The molecules at `indices`, in that order."""
        indices = np.asarray(indices, dtype=np.int64)
        # `array.take` copies rows several times faster than `array[rows]`.
        num_atoms, num_bonds = self.num_atoms.take(indices), self.num_bonds.take(indices)
        atom_rows = ranges(self.atom_starts.take(indices), num_atoms)
        bond_rows = ranges(self.bond_starts.take(indices), num_bonds)
        rows = {"atoms": atom_rows, "bonds": bond_rows, "molecule": indices}
        if self.pairs is not None or at_level(self.extra, "pairs"):
            rows["pairs"] = ranges(self.pair_starts.take(indices), num_atoms.astype(np.int64) ** 2)
        return PackedMolecules(
            num_atoms=num_atoms,
            num_bonds=num_bonds,
            atoms=self.atoms.take(atom_rows, axis=0),
            bonds=self.bonds.take(bond_rows, axis=0),
            bond_ends=self.bond_ends.take(bond_rows, axis=0),
            pairs=None if self.pairs is None else self.pairs.take(rows["pairs"], axis=0),
            descriptors=None if self.descriptors is None else self.descriptors[indices],
            extra={name: array.take(rows[level_of(name)], axis=0) for name, array in self.extra.items()},
            partners=tuple(partner.take(indices) for partner in self.partners),
        )

    def directed_edges(self) -> tuple[np.ndarray, np.ndarray]:
        """Source and destination of every directed bond, numbered over the complete batch (2M,), int64.

        Rows `2k` and `2k + 1` are the two directions of bond `k`.
        """
        source = self.bond_ends.reshape(-1) + before(self.num_atoms).repeat(2 * self.num_bonds)
        destination = np.empty_like(source)
        destination[::2], destination[1::2] = source[1::2], source[::2]
        return source, destination
