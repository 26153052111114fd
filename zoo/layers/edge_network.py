"""Messages that a matrix of each bond makes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.message_passing import Graph, sum_at_destination
from zoo.layers.tracing import is_exported

MOST_PRODUCTS = 16
"""Up to this number of products for each bond, products of all atoms and all kinds of bonds cost less."""


class BondMatrices:
    """The matrix of every bond of a batch, and its products with rows of atoms.

    Bonds of the same features share their matrix. Where they are few kinds, all atoms are multiplied by the matrix of
    each kind, in one product; where they are many, each bond's atom is multiplied by a matrix of its own.

    Args:
        network: Bond features (K, F) to matrices (K, D * D).
        graph: N atoms, E directed bonds.
        bond_feats: (E, F).
    """

    def __init__(self, network: nn.Module, graph: Graph, bond_feats: Tensor) -> None:
        self.graph, self.source = graph, graph.edges()[0]
        self.kinds: Tensor | None = None
        kinds = _kinds(bond_feats)
        if kinds is not None and len(kinds[0]) * graph.num_nodes() <= MOST_PRODUCTS * len(bond_feats):
            bond_feats, self.kinds = kinds
        flat = network(bond_feats)
        size = round(flat.shape[1] ** 0.5)
        self.matrices = flat.view(-1, size, size)

    def messages(self, node_feats: Tensor) -> Tensor:
        """Multiply the matrix of each directed bond by its source: (N, D) to (E, D)."""
        if self.kinds is None:
            return torch.bmm(node_feats.index_select(0, self.source).unsqueeze(1), self.matrices).squeeze(1)
        kinds, size, _ = self.matrices.shape
        products = node_feats @ self.matrices.transpose(0, 1).reshape(size, kinds * size)
        return products.view(-1, size).index_select(0, self.source * kinds + self.kinds)


def _kinds(bond_feats: Tensor) -> tuple[Tensor, Tensor] | None:
    """Different rows and the row of every bond, or `None` on a GPU (which would wait) and where a gradient is asked."""
    if is_exported() or bond_feats.device.type != "cpu" or bond_feats.requires_grad or not len(bond_feats):
        return None
    return torch.unique(bond_feats, dim=0, return_inverse=True)


class EdgeNetwork(nn.Module):
    """Return, for each atom, the sum over its bonds of a matrix times the neighbour, plus a bias.

    Args:
        hidden_size: Width D of the atoms.
        bond_size: Number F of bond features.
        bond_hidden_size: Hidden width of the network that makes the matrices.

    Reference:
        Gilmer et al. 2017 (arXiv:1704.01212), edge network; equals `dgl.nn.NNConv` with sums.
    """

    def __init__(self, hidden_size: int, bond_size: int, bond_hidden_size: int) -> None:
        super().__init__()
        self.edge_func = nn.Sequential(
            nn.Linear(bond_size, bond_hidden_size), nn.ReLU(), nn.Linear(bond_hidden_size, hidden_size * hidden_size)
        )
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def matrices(self, graph: Graph, bond_feats: Tensor) -> BondMatrices:
        """The matrices of bonds (E, F), which all steps share."""
        return BondMatrices(self.edge_func, graph, bond_feats)

    def forward(self, matrices: BondMatrices, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to atoms (N, D)."""
        return sum_at_destination(matrices.graph, matrices.messages(node_feats)) + self.bias
