"""One layer of GIN."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.batch_norm import BatchNorm
from zoo.layers.message_passing import Graph, sum_neighbors


class GINLayer(nn.Module):
    """`batch_norm(mlp(sum of the atom, its neighbours and its bonds))`, with a ReLU except in a last layer.

    Bonds enter through a linear map, which is applied to their sum: a row for each atom instead of each bond.

    Args:
        hidden_size: Width D of the atoms.
        bond_size: Number F of bond features; one column more marks an atom's edge to itself.
        last: Leave out the ReLU.

    Reference:
        Hu et al. 2020 (arXiv:1905.12265), appendix A; DGL-LifeSci's `GINLayer` on a graph with self-loops, whose names
        the parameters have.
    """

    def __init__(self, hidden_size: int, bond_size: int, last: bool) -> None:
        super().__init__()
        wide = 2 * hidden_size
        self.mlp = nn.Sequential(nn.Linear(hidden_size, wide), nn.ReLU(), nn.Linear(wide, hidden_size))
        self.edge_embeddings = nn.ModuleList([linear_embedding(bond_size + 1, hidden_size)])
        self.bn = BatchNorm(hidden_size)
        self.last = last

    def forward(self, graph: Graph, node_feats: Tensor, bond_sums: Tensor) -> Tensor:
        """Map atoms (N, D) and the sums of their bonds (N, F + 1) to atoms (N, D)."""
        rows = sum_neighbors(graph, node_feats) + node_feats + self.edge_embeddings[0](bond_sums)
        rows = self.bn(self.mlp(rows))
        return rows if self.last else F.relu(rows)


def linear_embedding(num_columns: int, hidden_size: int) -> nn.Linear:
    """Return a linear map without bias, initialised as DGL-LifeSci initialises its embeddings."""
    linear = nn.Linear(num_columns, hidden_size, bias=False)
    nn.init.xavier_uniform_(linear.weight)
    return linear
