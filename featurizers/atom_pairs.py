"""Structure between any two atoms of a molecule: distances, shortest paths, random walks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from featurizers.distances import APART, bond_distances, distances_of_each
from featurizers.packed import PackedMolecules, offsets, ranges
from featurizers.size_buckets import size_buckets

NO_BOND = 65535


@dataclass(frozen=True)
class AtomPairs:
    """Codes of ordered atom pairs, and their expansion for a batch.

    Encoding takes 2 bytes a pair (the distance), 4 with paths (also the first bond of a shortest path, from which
    whole paths are followed when a batch is made).

    Args:
        path_length: Bonds along a shortest path to give, from its start; 0 gives none.
        random_walks: Steps K of random-walk probabilities to give; 0 gives none.

    Raises:
        ValueError: A negative option.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> pairs = CanonicalFeaturizer(pairs=True, path_length=3, random_walks=8)("CCO").pairs
        >>> pairs.edata["distance"].view(3, 3).tolist()
        [[0, 1, 2], [1, 0, 1], [2, 1, 0]]
        >>> pairs.edata["path"].shape, pairs.edata["walk"].shape
        (torch.Size([9, 3]), torch.Size([9, 8]))
    """

    path_length: int = 0
    random_walks: int = 0

    def __post_init__(self) -> None:
        if self.path_length < 0 or self.random_walks < 0:
            raise ValueError(f"path_length={self.path_length}, random_walks={self.random_walks}: at least 0")

    @property
    def size(self) -> int:
        """Numbers that describe a pair: its distance, the bonds of its path, its walk probabilities."""
        return 1 + self.path_length + self.random_walks

    def encode(self, mol: Chem.Mol, bond_ends: np.ndarray) -> np.ndarray:
        """Codes of the ordered pairs of a molecule.

        Args:
            mol: N atoms.
            bond_ends: The two atoms of each bond (M, 2), in the featurizer's order.

        Returns:
            Distance in bonds (`APART` between fragments) and, with paths, first bond of the path (`NO_BOND` where there
            is none), row-major (N * N, 1 or 2), uint16. Of several shortest paths the one through canonically
            first-ranked atoms is taken, so that the choice does not depend on the order of the atoms.
        """
        return self._codes(mol, bond_ends, bond_distances(mol))

    def encode_all(self, mols: Sequence[Chem.Mol], bond_ends: Sequence[np.ndarray]) -> np.ndarray:
        """Return what `encode` gives for each of several molecules, at least one, one after another."""
        distances = distances_of_each(mols, bond_ends)
        return np.concatenate([self._codes(*molecule) for molecule in zip(mols, bond_ends, distances, strict=True)])

    def _codes(self, mol: Chem.Mol, bond_ends: np.ndarray, distances: np.ndarray) -> np.ndarray:
        columns = [distances.reshape(-1)]
        if self.path_length:
            ranks = np.array(Chem.CanonicalRankAtoms(mol, breakTies=True))
            columns.append(first_bonds(distances.astype(np.int64), bond_ends.astype(np.int64), ranks).reshape(-1))
        return np.stack(columns, axis=1)

    def arrays(self, packed: PackedMolecules) -> dict[str, np.ndarray]:
        """Features of the pairs of every molecule of a batch, by name.

        Returns:
            "distance" (P,) in bonds, int16, -1 between fragments; "bond" (P,), int32, the directed bond from the first
            to the second atom, -1 where there is none; with paths "path" (P, `path_length`), int32, directed bonds from
            the first atom on, -1 past the end; with random walks "walk" (P, K), see `walk_probabilities`.

        Raises:
            ValueError: The molecules were encoded without pairs, or without the paths that are asked for.
        """
        if packed.pairs is None or packed.pairs.shape[1] < 1 + bool(self.path_length):
            raise ValueError("these molecules were encoded without pairs (or paths): encode them with this featurizer")
        sizes = packed.num_atoms.astype(np.int64)
        starts, pair_starts = offsets(sizes), offsets(sizes**2)
        distances = packed.pairs[:, 0].astype(np.uint16).view(np.int16)  # `APART` becomes -1
        source, destination = packed.directed_edges()
        bonds = np.full(pair_starts[-1], -1, dtype=np.int32)
        molecule = np.repeat(np.arange(len(sizes)), 2 * packed.num_bonds.astype(np.int64))
        shift = pair_starts[molecule] - starts[molecule]
        bonds[shift + (source - starts[molecule]) * sizes[molecule] + destination] = np.arange(len(source))
        found = {"distance": distances, "bond": bonds}
        if self.path_length:
            first_bond = packed.pairs[:, 1].astype(np.int64)
            found["path"] = self._paths(packed, first_bond, source, destination)
        if self.random_walks:
            found["walk"] = walk_probabilities(sizes, bonds >= 0, self.random_walks)
        return found

    def _paths(
        self, packed: PackedMolecules, first_bond: np.ndarray, source: np.ndarray, destination: np.ndarray
    ) -> np.ndarray:
        """Directed bonds along the path of every pair (P, `path_length`), int32, -1 past its end."""
        sizes = packed.num_atoms.astype(np.int64)
        bonds_before, atoms_before = offsets(packed.num_bonds)[:-1], offsets(sizes)[:-1]
        first, second = pair_ends(sizes)
        edge = np.where(first_bond == NO_BOND, -1, 2 * (first_bond + np.repeat(bonds_before, sizes**2)))
        some = np.flatnonzero(edge >= 0)
        edge[some] += source[edge[some]] != first[some]  # the direction that leaves the first atom
        # Where pair (0, j) of an atom's molecule stands, so that pair (i, j) is found from i alone.
        columns = np.repeat(offsets(sizes**2)[:-1], sizes**2) + second - np.repeat(atoms_before, sizes**2)
        widths, base = np.repeat(sizes, sizes**2), np.repeat(atoms_before, sizes**2)
        paths = np.full((len(edge), self.path_length), -1, dtype=np.int32)
        paths[:, 0] = edge
        going = np.flatnonzero(edge >= 0)
        for step in range(1, self.path_length):
            at = destination[paths[going, step - 1]]
            paths[going, step] = edge[columns[going] + (at - base[going]) * widths[going]]
            going = going[paths[going, step] >= 0]
        return paths


def pair_ends(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and second atom of every ordered pair of a batch, row-major in each molecule, (P,) int64 twice."""
    per_atom = np.repeat(sizes, sizes)
    first = np.repeat(np.arange(len(per_atom), dtype=np.int64), per_atom)
    second = ranges(np.repeat(offsets(sizes)[:-1], sizes), per_atom)
    return first, second


def first_bonds(distances: np.ndarray, bond_ends: np.ndarray, ranks: np.ndarray) -> np.ndarray:
    """Find, for every ordered pair, the first bond of a shortest path between its atoms.

    Args:
        distances: In bonds (N, N), `APART` between fragments.
        bond_ends: (M, 2).
        ranks: A ranking of the atoms (N,); among equally short paths that to the lowest next atom wins.

    Returns:
        Number of the bond (N, N), uint16; `NO_BOND` from an atom to itself and between fragments.
    """
    starts, ends = bond_ends.T.reshape(-1), bond_ends[:, ::-1].T.reshape(-1)
    numbers = np.tile(np.arange(len(bond_ends)), 2)
    order = np.argsort(-ranks[ends], kind="stable")  # the last one written stays
    starts, ends, numbers = starts[order], ends[order], numbers[order]
    bonds, targets = np.nonzero((distances[starts] < APART) & (distances[ends] + 1 == distances[starts]))
    result = np.full(distances.shape, NO_BOND, dtype=np.uint16)
    result[starts[bonds], targets] = numbers[bonds]
    return result


def walk_probabilities(sizes: np.ndarray, bonded: np.ndarray, steps: int) -> np.ndarray:
    """Probability that a random walk along bonds from the first atom of a pair is at the second after 0, 1, ... steps.

    Args:
        sizes: Atoms of each molecule (B,).
        bonded: Whether the two atoms of a pair share a bond (P,).
        steps: Number K of columns, the first for 0 steps.

    Returns:
        (P, K), float32. An atom without bonds is nowhere after the first step.

    Reference:
        Ma et al. 2023 (arXiv:2305.17589), section 3.1: RRWP, `[I, M, M^2, ...]` with `M = D^-1 A`.
    """
    result = np.empty((len(bonded), steps), dtype=np.float32)
    starts = offsets(sizes**2)
    for bucket in size_buckets(sizes):
        n = sizes[bucket]
        pairs = ranges(starts[bucket], n**2)
        largest = n.max()
        # Pair (i, j) of the b-th molecule stands at row i, column j of the b-th block.
        rows = ranges(np.repeat(np.arange(len(n)) * largest**2, n) + ranges(0 * n, n) * largest, np.repeat(n, n))
        block = np.zeros(len(n) * largest**2)
        block[rows] = bonded[pairs]
        block = block.reshape(len(n), largest, largest)
        step = block / np.maximum(block.sum(axis=2, keepdims=True), 1)
        walk = np.broadcast_to(np.eye(largest), block.shape)
        for number in range(steps):
            result[pairs, number] = walk.reshape(-1)[rows]
            walk = walk @ step
    return result
