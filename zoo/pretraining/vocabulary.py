"""`Vocabulary`: the words of a corpus by their numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from rdkit import rdBase

from featurizers import Featurizer, InvalidMolecule
from zoo.data.errors import DataError
from zoo.data.packing.processes import ordered_map
from zoo.pretraining.words import atom_words, bond_words
from zoo.runs.json_files import read_json, write_json

NOTHING, OTHER = 0, 1
SPECIAL = ("<pad>", "<other>")
CHUNK = 1000


@dataclass(frozen=True)
class Vocabulary:
    """Words and their numbers: 0 stands for none, 1 for every word that is not listed.

    Args:
        words: All words, the two special ones first.

    Example:
        >>> Vocabulary.of(Counter({"b": 2, "a": 2, "c": 1}), min_count=2).words
        ('<pad>', '<other>', 'a', 'b')
    """

    words: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        if self.words[:2] != SPECIAL or len(set(self.words)) != len(self.words):
            raise DataError(f"a vocabulary starts with {' and '.join(SPECIAL)}, and holds each word once")

    @classmethod
    def of(cls, counts: Mapping[str, int], min_count: int = 1, max_size: int | None = None) -> Vocabulary:
        """Take the words of a corpus, most frequent first, equally frequent ones in alphabetical order.

        Args:
            counts: How often each word was found.
            min_count: Leave out rarer words.
            max_size: Most words, the special ones included; `None` takes all.
        """
        ordered = sorted((word for word in counts if counts[word] >= min_count), key=lambda w: (-counts[w], w))
        return cls((*SPECIAL, *ordered)[:max_size])

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def numbers(self) -> dict[str, int]:
        """Number of each word."""
        return {word: number for number, word in enumerate(self.words)}

    def encode(self, words: Sequence[str]) -> list[int]:
        """Return the number of each word."""
        return [self.numbers.get(word, OTHER) for word in words]


def build_vocabularies(
    smiles: Sequence[str],
    featurizer: Featurizer,
    *,
    min_count: int = 1,
    max_size: int | None = None,
    num_workers: int = 0,
) -> tuple[Vocabulary, Vocabulary]:
    """Count the words of the atoms and of the bonds of a corpus.

    Args:
        smiles: n molecules; those that cannot be read are left out.
        featurizer: Reads them.
        min_count: As in `Vocabulary.of`.
        max_size: As in `Vocabulary.of`.
        num_workers: Processes; 0 counts in this one.
    """
    atoms: Counter[str] = Counter()
    bonds: Counter[str] = Counter()
    for of_atoms, of_bonds in ordered_map(partial(_count, featurizer), _pieces(smiles), num_workers):
        atoms.update(of_atoms)
        bonds.update(of_bonds)
    if not atoms:
        raise DataError(f"none of {len(smiles)} molecules can be read: there are no words")
    return Vocabulary.of(atoms, min_count, max_size), Vocabulary.of(bonds, min_count, max_size)


def _pieces(smiles: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(smiles), CHUNK):
        yield smiles[start : start + CHUNK]


def _count(featurizer: Featurizer, smiles: Sequence[str]) -> tuple[Counter[str], Counter[str]]:
    """Count the words of some molecules."""
    atoms: Counter[str] = Counter()
    bonds: Counter[str] = Counter()
    with rdBase.BlockLogs():
        for text in smiles:
            try:
                mol = featurizer.parse(text)
            except InvalidMolecule:
                continue
            atoms.update(atom_words(mol))
            bonds.update(bond_words(mol))
    return atoms, bonds


def write_vocabularies(file: Path, atoms: Vocabulary, bonds: Vocabulary) -> None:
    """Write both vocabularies as JSON."""
    write_json(file, {"atoms": list(atoms.words), "bonds": list(bonds.words)})


def read_vocabularies(file: Path) -> tuple[Vocabulary, Vocabulary]:
    """Read what `write_vocabularies` wrote.

    Raises:
        DataError: The file is missing or holds something else.
    """
    values = read_json(file) if file.exists() else None
    try:
        return tuple(Vocabulary(tuple(map(str, (values or {})[name]))) for name in ("atoms", "bonds"))  # type: ignore[return-value]
    except (KeyError, TypeError) as error:
        raise DataError(f"{file} holds no vocabularies: {error}") from error
