"""Needs of a model and features of a featurizer, by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

SIZES = ("atom_size", "bond_size", "pair_size", "descriptor_size", "walk_size", "laplacian_size")
"""Sizes that every featurizer gives; those of its own come on top."""


@dataclass(frozen=True)
class Needs:
    """Features that a model cannot do without.

    Args:
        pairs: Features of all ordered pairs of atoms.
        descriptors: Features of whole molecules.

    Example:
        >>> Needs(pairs=True).missing({"atom_size": 74, "pair_size": 0})
        ['features of atom pairs']
    """

    pairs: bool = False
    descriptors: bool = False

    def missing(self, sizes: Mapping[str, int]) -> list[str]:
        """Return, in words, what a featurizer of these sizes does not give."""
        wanted = {
            "features of atom pairs": self.pairs and not sizes.get("pair_size"),
            "descriptors of molecules": self.descriptors and not sizes.get("descriptor_size"),
        }
        return [words for words, lacking in wanted.items() if lacking]


@runtime_checkable
class HasNeeds(Protocol):
    """Model class that declares its needs."""

    needs: ClassVar[Needs]
