"""Readouts: the atoms of each molecule to one vector."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.message_passing import Graph, graph_of_nodes, mean_nodes, most_nodes, softmax_nodes


class MeanReadout(nn.Module):
    """Mean of the atoms of each molecule.

    Args:
        hidden_size: Width D of the atoms; also the width of the readout.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.output_size = hidden_size

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        return mean_nodes(graph, node_feats)


class SelfAttentiveReadout(nn.Module):
    """Several weighted means of the atoms, side by side.

    The weights of mean r are the softmax over the atoms of a molecule of `w2 tanh(w1 x)`.

    Args:
        hidden_size: Width D of the atoms.
        attention_hidden: Width of the hidden layer of the scores.
        attention_out: Number R of weighted means; the readout has width R * D.

    Reference:
        Lin et al. 2017 (arXiv:1703.03130), equation 6, as GROVER uses it.
    """

    def __init__(self, hidden_size: int, attention_hidden: int, attention_out: int) -> None:
        super().__init__()
        self.w1 = nn.Parameter(torch.empty(attention_hidden, hidden_size))
        self.w2 = nn.Parameter(torch.empty(attention_out, attention_hidden))
        self.output_size = attention_out * hidden_size
        nn.init.xavier_normal_(self.w1)
        nn.init.xavier_normal_(self.w2)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, R * D)."""
        weights = softmax_nodes(graph, torch.tanh(node_feats @ self.w1.T) @ self.w2.T)
        pooled = by_molecule(graph, weights).transpose(1, 2) @ by_molecule(graph, node_feats)
        return pooled.flatten(1)


def place_in_molecule(graph: Graph) -> Tensor:
    """Return, for each atom, how many atoms of its molecule stand before it (N,)."""
    sizes, numbers = graph.batch_num_nodes(), graph_of_nodes(graph)
    return torch.arange(numbers.shape[0], device=numbers.device) - (sizes.cumsum(0) - sizes).index_select(0, numbers)


def by_molecule(graph: Graph, node_feats: Tensor) -> Tensor:
    """Atoms (N, D) as a block per molecule (B, most atoms, D), filled up with zeros."""
    block = node_feats.new_zeros(graph.batch_size, most_nodes(graph), node_feats.shape[1])
    return block.index_put((graph_of_nodes(graph), place_in_molecule(graph)), node_feats)
