"""Positions of atoms in their molecule: random-walk and Laplacian encodings, and their featurizer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from rdkit import Chem

from featurizers.base import MOST_ATOMS_IN_PAIRS
from featurizers.canonical import CanonicalFeaturizer


class StructuralFeaturizer(CanonicalFeaturizer):
    """The canonical features, and numbers that say where an atom is.

    Fills `graph.ndata["walk_returns"]` (N, K), see `walk_returns`, and `graph.ndata["laplacian"]` (N, L), see
    `laplacian_vectors`. Both are computed once, when a molecule is encoded.

    Args:
        walk_steps: Number K of walk lengths, at least 0.
        num_vectors: Number L of eigenvectors, at least 0.
        options: Those of `CanonicalFeaturizer`.

    Raises:
        ValueError: A negative number.

    Example:
        >>> graph = StructuralFeaturizer(walk_steps=4, num_vectors=2)("C1CC1").graph
        >>> graph.ndata["walk_returns"][0].tolist(), graph.ndata["laplacian"].shape
        ([0.0, 0.5, 0.25, 0.375], torch.Size([3, 2]))
    """

    name: ClassVar[str] = "structural"

    def __init__(self, *, walk_steps: int = 16, num_vectors: int = 0, **options: Any) -> None:
        super().__init__(**options)
        if walk_steps < 0 or num_vectors < 0:
            raise ValueError(f"walk_steps={walk_steps}, num_vectors={num_vectors}: at least 0")
        self.walk_size, self.laplacian_size = walk_steps, num_vectors

    @property
    def atom_limit(self) -> int:
        """Most atoms, as for pairs: the encodings come from matrices of all atoms by all atoms."""
        return MOST_ATOMS_IN_PAIRS if self.walk_size or self.laplacian_size else super().atom_limit

    def own_arrays(self, mol: Chem.Mol, bond_ends: np.ndarray) -> Mapping[str, np.ndarray]:
        """Return the encodings that are asked for."""
        num_atoms, found = mol.GetNumAtoms(), {}
        if self.walk_size:
            found["atoms.walk_returns"] = walk_returns(num_atoms, bond_ends, self.walk_size)
        if self.laplacian_size:
            ranks = np.array(Chem.CanonicalRankAtoms(mol, breakTies=True), dtype=np.int64)
            found["atoms.laplacian"] = laplacian_vectors(num_atoms, bond_ends, self.laplacian_size, ranks)
        return {name: array.astype(np.float32) for name, array in found.items()}


def walk_returns(num_atoms: int, bond_ends: np.ndarray, steps: int) -> np.ndarray:
    """Probability that a random walk along bonds is back at its start after 1, 2, ... steps.

    Args:
        num_atoms: N.
        bond_ends: The two atoms of each bond (M, 2).
        steps: Number K of walk lengths, at least 1.

    Returns:
        The diagonals of `(D^-1 A)^k` for k = 1 ... K, (N, K), float64; zero for an atom without bonds.

    Reference:
        Dwivedi et al. 2022 (arXiv:2110.07875), equation 6 (RWSE).
    """
    # The symmetric D^-1/2 A D^-1/2 has the same diagonals, and those of its powers i + j are row sums of products.
    powers = [normalized_adjacency(num_atoms, bond_ends)]
    while 2 * len(powers) < steps:
        powers.append(powers[-1] @ powers[0])
    diagonals = [np.diag(powers[0])]
    for length in range(2, steps + 1):
        half = length // 2
        diagonals.append((powers[half - 1] * powers[length - half - 1]).sum(axis=1))
    return np.stack(diagonals, axis=1)


def laplacian_vectors(num_atoms: int, bond_ends: np.ndarray, num_vectors: int, ranks: np.ndarray) -> np.ndarray:
    """Eigenvectors of the normalized Laplacian `I - D^-1/2 A D^-1/2` with the smallest eigenvalues, the first left out.

    An eigenvector is defined up to its sign, and the vectors of a repeated eigenvalue up to a rotation: no choice among
    them means anything, and models should flip signs at random in training. The choice made here at least does not
    depend on the order of the atoms: the matrix is set up in canonical order, so two orders of a molecule get the
    same vectors (or such as a symmetry of the molecule maps onto each other). It may depend on the machine.

    Args:
        num_atoms: N.
        bond_ends: The two atoms of each bond (M, 2).
        num_vectors: Number L of vectors, at least 1.
        ranks: Canonical rank of each atom (N,), a permutation.

    Returns:
        (N, L), float64; columns beyond the N - 1 that exist are zero.

    Reference:
        Dwivedi & Bresson 2021 (arXiv:2012.09699), section 2.1. Differs from the authors' code in the canonical order.
    """
    adjacency = normalized_adjacency(num_atoms, ranks[bond_ends.astype(np.int64)])
    _, vectors = np.linalg.eigh(np.eye(num_atoms) - adjacency)
    found = vectors[ranks, 1 : num_vectors + 1]
    return np.pad(found, ((0, 0), (0, num_vectors - found.shape[1])))


def normalized_adjacency(num_atoms: int, bond_ends: np.ndarray) -> np.ndarray:
    """`D^-1/2 A D^-1/2` of the bonds (M, 2), (N, N) float64; rows of atoms without bonds are zero."""
    adjacency = np.zeros((num_atoms, num_atoms))
    first, second = bond_ends.astype(np.int64).T
    adjacency[first, second] = adjacency[second, first] = 1.0
    scale = np.maximum(adjacency.sum(axis=1), 1.0) ** -0.5
    return scale[:, None] * adjacency * scale
