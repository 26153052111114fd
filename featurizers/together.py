"""`encode_together`: molecules that are encoded in groups, and what becomes of those that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TypeVar

from rdkit import Chem

from featurizers.base import Featurizer
from featurizers.errors import FAILURES, InvalidMolecule
from featurizers.packed import MoleculeArrays, PackedMolecules
from featurizers.silence import silence

Item = TypeVar("Item")

GROUP = 64
"""Molecules at a time: enough that what a group costs does not count, and few enough that their objects fit caches."""


@dataclass
class Encoded:
    """Molecules that are encoded group by group.

    Args:
        featurizer: Encodes them.
        places: Places of those that could be encoded, in their order.
        failed: Why the others could not, by place.
        groups: Those that could.
    """

    featurizer: Featurizer
    places: list[int] = field(default_factory=list)
    failed: dict[int, InvalidMolecule] = field(default_factory=dict)
    groups: list[PackedMolecules] = field(default_factory=list)

    @property
    def packed(self) -> PackedMolecules | None:
        """All that could be encoded; `None` if nothing could."""
        return PackedMolecules.join(self.groups) if self.groups else None

    def add(self, group: Sequence[tuple[int, str | Chem.Mol, Chem.Mol | InvalidMolecule]]) -> None:
        """Encode a group.

        Args:
            group: Place, molecule as it was given, and as `prepare` gave it, or why it cannot be read.
        """
        readable = [(place, molecule, mol) for place, molecule, mol in group if isinstance(mol, Chem.Mol)]
        self.failed.update({place: error for place, _, error in group if isinstance(error, InvalidMolecule)})
        if readable and not self._add_at_once(readable):
            self._add_one_by_one(readable)

    def _add_at_once(self, group: Sequence[tuple[int, str | Chem.Mol, Chem.Mol]]) -> bool:
        """Encode a group; `False` where that is impossible because of one of its molecules."""
        if self.featurizer.atom_number_size:
            return False
        try:
            with silence():
                self.groups.append(self.featurizer.encode_all([mol for _, _, mol in group]))
        except FAILURES:
            return False
        self.places += [place for place, _, _ in group]
        return True

    def _add_one_by_one(self, group: Sequence[tuple[int, str | Chem.Mol, Chem.Mol]]) -> None:
        self._add_each(
            (place, partial(self.featurizer.encode_prepared, mol, molecule)) for place, molecule, mol in group
        )

    def read(self, group: Sequence[tuple[int, str | Chem.Mol]]) -> None:
        """Read and encode a group, given as places and molecules, one by one."""
        self._add_each((place, partial(self.featurizer.read, molecule)) for place, molecule in group)

    def _add_each(self, group: Iterable[tuple[int, Callable[[], MoleculeArrays]]]) -> None:
        encoded = []
        for place, encode in group:
            try:
                encoded.append(encode())
                self.places.append(place)
            except InvalidMolecule as error:
                self.failed[place] = error
        if encoded:
            self.groups.append(PackedMolecules.pack(encoded))


def reads_alone(featurizer: Featurizer) -> bool:
    """Return whether a featurizer reads or encodes molecules in a way of its own, one by one."""
    kind = type(featurizer)
    return kind.read is not Featurizer.read or kind.encode_prepared is not Featurizer.encode_prepared


def encode_together(featurizer: Featurizer, molecules: Sequence[str | Chem.Mol]) -> Encoded:
    """Read and encode molecules, as `featurizer.read` does it with each of them."""
    found = Encoded(featurizer)
    with silence():
        for group in groups(enumerate(molecules), GROUP):
            if reads_alone(featurizer):
                found.read(group)
                continue
            found.add([(place, molecule, parse(featurizer, molecule)) for place, molecule in group])
    return found


def parse(featurizer: Featurizer, molecule: str | Chem.Mol) -> Chem.Mol | InvalidMolecule:
    """Parse a molecule, or return why that is impossible."""
    try:
        return featurizer.parse(molecule)
    except InvalidMolecule as error:
        return error


def groups(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Give items in lists of at most `size`."""
    items = iter(items)
    while group := list(islice(items, size)):
        yield group
