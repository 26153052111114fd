"""Readouts of GCN, GAT, GIN and MPNN; the parameters have the names of DGL's modules."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.message_passing import POOLS, Graph, graph_of_nodes, max_nodes, softmax_nodes, sum_nodes


class GatedSum(nn.Module):
    """Sum of the atoms, each times a number in (0, 1) that it gets from itself.

    Args:
        hidden_size: Width D of the atoms.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.atom_weighting = nn.Sequential(nn.Linear(hidden_size, 1), nn.Sigmoid())

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        return sum_nodes(graph, node_feats * self.atom_weighting(node_feats))


class GatedSumAndMax(nn.Module):
    """A gated sum of the atoms and their maximum, side by side.

    Args:
        hidden_size: Width D of the atoms.

    Reference:
        DGL-LifeSci's `WeightedSumAndMax` (Li et al. 2021, arXiv:2106.14232).
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.weight_and_sum = GatedSum(hidden_size)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, 2 D)."""
        return torch.cat([self.weight_and_sum(graph, node_feats), max_nodes(graph, node_feats)], dim=1)


class Pool(nn.Module):
    """Mean, sum or maximum of the atoms.

    Args:
        kind: "mean", "sum" or "max".
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        return {**POOLS, "max": max_nodes}[self.kind](graph, node_feats)


class AttentionPool(nn.Module):
    """Mean of the atoms, weighted by the softmax of a score of each.

    Args:
        hidden_size: Width D of the atoms.

    Reference:
        Li et al. 2016 (arXiv:1511.05493), section 3.1; equals `dgl.nn.GlobalAttentionPooling` with a linear gate.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.gate_nn = nn.Linear(hidden_size, 1)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        return sum_nodes(graph, node_feats * softmax_nodes(graph, self.gate_nn(node_feats)))


class Set2Set(nn.Module):
    """An LSTM asks for a weighted mean of the atoms in each step, and reads it in the next.

    Args:
        hidden_size: Width D of the atoms.
        num_steps: Number of steps.
        num_layers: Layers of the LSTM.

    Reference:
        Vinyals et al. 2016 (arXiv:1511.06391), section 4.2; equals `dgl.nn.Set2Set`.
    """

    def __init__(self, hidden_size: int, num_steps: int, num_layers: int) -> None:
        super().__init__()
        self.num_steps = num_steps
        self.lstm = nn.LSTM(2 * hidden_size, hidden_size, num_layers)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, 2 D)."""
        zeros = node_feats.new_zeros(graph.batch_size, node_feats.shape[1])
        states = [(zeros, zeros)] * self.lstm.num_layers
        joined = torch.cat([zeros, zeros], dim=1)
        numbers = graph_of_nodes(graph)
        for _ in range(self.num_steps):
            query = joined
            for layer, weights in enumerate(self.lstm.all_weights):
                states[layer] = torch.lstm_cell(query, states[layer], *weights)
                query = states[layer][0]
            scores = (node_feats * query.index_select(0, numbers)).sum(1, keepdim=True)
            found = sum_nodes(graph, node_feats * softmax_nodes(graph, scores))
            joined = torch.cat([query, found], dim=1)
        return joined
