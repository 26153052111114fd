"""Structural biases of Graphormer's attention: degrees, distances, bonds along shortest paths."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DegreeEmbedding(nn.Module):
    """A learned vector for every number of neighbours.

    Args:
        max_degree: Larger degrees share the last vector.
        hidden_size: Width D.

    Reference:
        Ying et al. 2021 (arXiv:2106.05234), equation 5; equals `dgl.nn.DegreeEncoder(direction="in")` with a vector for
        degree 0 too. In-degree and out-degree of a molecule's atoms are the same.
    """

    def __init__(self, max_degree: int, hidden_size: int) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.randn(max_degree + 1, hidden_size))

    def forward(self, degrees: Tensor) -> Tensor:
        """Degrees (N,), int64, to (N, D)."""
        return F.embedding(degrees.clamp(max=len(self.table) - 1), self.table)


class DistanceBias(nn.Module):
    """A learned number for every distance and head.

    Args:
        max_distance: Larger distances share the last number, in bonds.
        num_heads: Heads H.

    Reference:
        Ying et al. 2021 (arXiv:2106.05234), equation 6; equals `dgl.nn.SpatialEncoder` with a number for fragments too.
    """

    def __init__(self, max_distance: int, num_heads: int) -> None:
        super().__init__()
        self.max_distance = max_distance
        self.table = nn.Parameter(torch.randn(max_distance + 2, num_heads))

    def forward(self, distance: Tensor) -> Tensor:
        """Distances in bonds (P,), -1 between fragments, to (P, H)."""
        return F.embedding(distance.long().clamp(max=self.max_distance) + 1, self.table)


class PathBias(nn.Module):
    """Mean along a shortest path of `w_k . e_k`: bond features times a learned vector for each place k and head.

    Args:
        path_length: Places K; longer paths are cut.
        bond_size: Number F of bond features.
        num_heads: Heads H.

    Reference:
        Ying et al. 2021 (arXiv:2106.05234), equation 7; equals `dgl.nn.PathEncoder`. Of several shortest paths the
        featurizer takes one, see `AtomPairs.encode`.
    """

    def __init__(self, path_length: int, bond_size: int, num_heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(path_length, num_heads, bond_size))

    def forward(self, path: Tensor, distance: Tensor, bond_feats: Tensor) -> Tensor:
        """Bias of every pair.

        Args:
            path: Directed bonds along the path (P, at least K), -1 past its end.
            distance: In bonds (P,).
            bond_feats: (E, F).

        Returns:
            (P, H).

        Raises:
            ValueError: The paths are shorter than K.
        """
        K, E = len(self.weight), bond_feats.shape[0]
        if path.shape[1] < K:
            raise ValueError(f"the model reads paths of {K} bonds: build the featurizer with path_length={K}")
        # Bonds are multiplied before they are looked up: there are far fewer of them than pairs. Row E is the end.
        products = F.pad(torch.einsum("ef,khf->keh", bond_feats, self.weight), (0, 0, 0, 1))
        path = path[:, :K].long()  # the gradient of a look-up is slower with smaller integers
        places = path.where(path >= 0, E)
        total = products[0].index_select(0, places[:, 0])
        for k in range(1, K):
            total = total + products[k].index_select(0, places[:, k])
        return total / distance.int().clamp(1, K).unsqueeze(1)
