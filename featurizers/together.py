"""`encode_together`: molecules that are encoded in groups, and what becomes of those that cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from rdkit import Chem

from featurizers.base import Featurizer
from featurizers.collection import without_collection
from featurizers.errors import FAILURES, InvalidMolecule
from featurizers.packed import MoleculeArrays, PackedMolecules
from featurizers.reading import read_molecule
from featurizers.silence import silence

GROUP = 64
"""Molecules at a time: enough that what a group costs does not count, and few enough that their objects fit caches."""

Given: TypeAlias = tuple[int, Any]
"""Place of a molecule, and the molecule as it was given."""

Read: TypeAlias = dict[bool, list[Chem.Mol | InvalidMolecule]]
"""The molecules of a group, or why they cannot be read, by `as_written` of the featurizer."""


@dataclass
class EncodedMolecules:
    """Molecules that a featurizer encodes, group by group.

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

    def add(self, group: Sequence[Given], read: Read) -> None:
        """Encode a group.

        Args:
            group: Molecules.
            read: The same molecules where another featurizer has read them; gets what this one reads.
        """
        kind = type(self.featurizer)
        if kind.read is not Featurizer.read or kind.encode_prepared is not Featurizer.encode_prepared:
            self._add_each((place, partial(self.featurizer.read, molecule)) for place, molecule in group)
            return
        readable: list[tuple[Given, Chem.Mol]] = []
        for given, mol in zip(group, prepare(self.featurizer, group, read), strict=True):
            if isinstance(mol, InvalidMolecule):
                self.failed[given[0]] = mol
            else:
                readable.append((given, mol))
        if readable and not self._add_at_once(readable):
            encode = self.featurizer.encode_prepared
            self._add_each((place, partial(encode, mol, molecule)) for (place, molecule), mol in readable)

    def _add_at_once(self, group: Sequence[tuple[Given, Chem.Mol]]) -> bool:
        """Encode a group; `False` where one of its molecules makes that impossible."""
        if self.featurizer.atom_number_size:
            return False
        try:
            self.groups.append(self.featurizer.encode_all([mol for _, mol in group]))
        except FAILURES:
            return False
        self.places += [place for (place, _), _ in group]
        return True

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


def encode_together(featurizers: Sequence[Featurizer], molecules: Iterable[Given]) -> list[EncodedMolecules]:
    """Read molecules once, and encode them with each featurizer as its `read` does."""
    found = [EncodedMolecules(featurizer) for featurizer in featurizers]
    with silence():
        for group in in_groups(molecules):
            read: Read = {}
            with without_collection():
                for one in found:
                    one.add(group, read)
    return found


def in_groups(molecules: Iterable[Given]) -> Iterator[list[Given]]:
    """Give molecules in lists of at most `GROUP`."""
    rest = iter(molecules)
    while group := list(islice(rest, GROUP)):
        yield group


def prepare(featurizer: Featurizer, group: Sequence[Given], read: Read) -> list[Chem.Mol | InvalidMolecule]:
    """Parse molecules, or say why that is impossible."""
    if type(featurizer).parse is not Featurizer.parse:  # it reads in a way of its own
        return [attempt(featurizer.parse, molecule) for _, molecule in group]
    as_written = featurizer.as_written
    if as_written not in read:
        read[as_written] = [attempt(partial(read_molecule, as_written=as_written), molecule) for _, molecule in group]
    return [
        mol if isinstance(mol, InvalidMolecule) else attempt(featurizer.prepare, mol, molecule)
        for mol, (_, molecule) in zip(read[as_written], group, strict=True)
    ]


def attempt(function: Callable[..., Chem.Mol], *arguments: Any) -> Chem.Mol | InvalidMolecule:
    """Return what a function gives, or why it refuses a molecule."""
    try:
        return function(*arguments)
    except InvalidMolecule as error:
        return error
