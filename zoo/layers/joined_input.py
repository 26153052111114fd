"""First layer of GPS: an atom's features and its structural encodings side by side."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.atom_input import encodings_of, random_signs
from zoo.layers.batch_norm import BatchNorm
from zoo.layers.feed_forward import FeedForward
from zoo.layers.message_passing import graph_of_nodes, sum_neighbors, sum_nodes


class JoinedInput(nn.Module):
    """Maps of an atom's features, its Laplacian vectors and its random-walk returns, side by side.

    The returns are normalized over the batch before they are mapped; Laplacian vectors go through `LaplacianDeepSet`.

    Args:
        atom_size: Number A of atom features.
        walk_size: Number K of `graph.ndata["walk_returns"]`; 0 does not read them.
        laplacian_size: Number L of `graph.ndata["laplacian"]`; 0 does not read them. In training their signs are
            flipped at random.
        hidden_size: Width D.
        walk_width: Of the D columns those of the walks; 0 takes `encoding_widths`.
        laplacian_width: Of the D columns those of the Laplacian vectors; 0 takes `encoding_widths`.

    Raises:
        ValueError: The encodings leave no column for the features; or, in `forward`, the batch lacks the encodings.

    Example:
        >>> from featurizers import StructuralFeaturizer
        >>> JoinedInput(74, 16, 0, 64).eval()(StructuralFeaturizer(walk_steps=16)("CCO")).shape
        torch.Size([3, 64])

    Reference:
        Rampášek et al. 2022 (arXiv:2205.12454), section 3.2; widths and normalization as the authors' configurations
        for ZINC have them.
    """

    def __init__(
        self,
        atom_size: int,
        walk_size: int,
        laplacian_size: int,
        hidden_size: int,
        walk_width: int = 0,
        laplacian_width: int = 0,
    ) -> None:
        super().__init__()
        self.walk_size, self.laplacian_size = walk_size, laplacian_size
        of_walks, of_vectors = encoding_widths(hidden_size, walk_size > 0, laplacian_size > 0)
        of_walks, of_vectors = walk_width or of_walks, laplacian_width or of_vectors
        left = hidden_size - (of_walks if walk_size else 0) - (of_vectors if laplacian_size else 0)
        if left < 1:
            raise ValueError(
                f"hidden_size={hidden_size} has no column left next to walk_width={of_walks} and "
                f"laplacian_width={of_vectors}: make it larger or them smaller"
            )
        self.feats = nn.Linear(atom_size, left)
        if walk_size:
            self.walk_norm, self.walk = BatchNorm(walk_size), nn.Linear(walk_size, of_walks)
        if laplacian_size:
            self.laplacian = LaplacianDeepSet(of_vectors)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        dtype = self.feats.weight.dtype
        parts = [self.feats(molecules.atom_feats.to(dtype))]
        if self.laplacian_size:
            vectors = encodings_of(molecules, "laplacian", self.laplacian_size).to(dtype)
            if self.training:
                vectors = vectors * random_signs(molecules, vectors)
            parts.append(self.laplacian(molecules, vectors))
        if self.walk_size:
            returns = encodings_of(molecules, "walk_returns", self.walk_size).to(dtype)
            parts.append(self.walk(self.walk_norm(returns)))
        return torch.cat(parts, dim=1)


def encoding_widths(hidden_size: int, walks: bool, vectors: bool) -> tuple[int, int]:
    """Columns of random walks and of Laplacian vectors, in the authors' proportions.

    Of 64 columns walks alone have 28, vectors alone 8, both together 24 and 4.

    Example:
        >>> encoding_widths(64, True, False), encoding_widths(64, True, True)
        ((28, 0), (24, 4))
    """
    of_walks, of_vectors = (24, 4) if walks and vectors else (28 * walks, 8 * vectors)
    return tuple(max(1, hidden_size * part // 64) if part else 0 for part in (of_walks, of_vectors))  # type: ignore[return-value]


class LaplacianDeepSet(nn.Module):
    """Sum over the Laplacian vectors of a network of an atom's entry and the eigenvalue.

    Args:
        width: Columns of the result.

    Reference:
        Kreuzer et al. 2021 (arXiv:2106.03893), equation 5, with a sum in the place of attention, as GPS uses it.
        Differs from the authors' code in the matrix: the featurizer's vectors are those of the normalized Laplacian
        without the constant one.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.network = FeedForward([2, 2 * width, width], "relu")

    def forward(self, molecules: MoleculeGraph, vectors: Tensor) -> Tensor:
        """Laplacian vectors (N, L), zero where a molecule has fewer than L, to (N, `width`)."""
        graph = molecules.graph
        numbers = graph_of_nodes(graph)
        values, exists = eigenvalues(molecules, vectors)
        entries = torch.stack([vectors, values.index_select(0, numbers)], dim=2)
        encoded = self.network(entries).relu()
        return (encoded * exists.index_select(0, numbers).unsqueeze(2)).sum(1)


def eigenvalues(molecules: MoleculeGraph, vectors: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalue of each vector of the normalized Laplacian of each molecule, and whether there is such a vector.

    Args:
        molecules: B molecules.
        vectors: (N, L).

    Returns:
        The quotients `v . (v - D^-1/2 A D^-1/2 v) / v . v` (B, L), 0 where the vector is 0, and a mask (B, L).
    """
    graph = molecules.graph
    scale = graph.in_degrees().clamp(min=1).to(vectors.dtype).rsqrt().unsqueeze(1)
    image = vectors - scale * sum_neighbors(graph, scale * vectors)
    squares = sum_nodes(graph, vectors * vectors)
    exists = squares > 0
    return sum_nodes(graph, vectors * image) / squares.where(exists, 1.0), exists
