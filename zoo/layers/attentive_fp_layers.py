"""The layers of AttentiveFP: attention along bonds and from a molecule to its atoms, GRUs that update both.

Linear maps of rows that are summed with weights are applied to the sums, which are fewer. The parameters have the names
of DGL-LifeSci's modules.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.message_passing import (
    Graph,
    graph_of_nodes,
    softmax_at_destination,
    softmax_nodes,
    sum_at_destination,
    sum_nodes,
    sum_weighted_neighbors,
)


class ContextGRU(nn.Module):
    """`relu(gru(elu(context), x))`, where the context is a sum of linear maps of rows.

    Args:
        hidden_size: Width D.
        dropout: Probability of dropping a value of a row, in [0, 1).
        name: What the linear map is called, for the names of the parameters.
    """

    def __init__(self, hidden_size: int, dropout: float, name: str) -> None:
        super().__init__()
        self.name = name
        self.add_module(name, nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, hidden_size)))
        self.gru = nn.GRUCell(hidden_size, hidden_size)

    def drop(self, rows: Tensor) -> Tensor:
        """Rows with values dropped, of the same shape."""
        return self._project[0](rows)

    def forward(self, sums: Tensor, weights: Tensor, node_feats: Tensor) -> Tensor:
        """Map sums of rows (N, D), the sums of their weights (N, 1) and atoms (N, D) to atoms (N, D)."""
        linear: Any = self._project[1]
        context = F.linear(sums, linear.weight) + weights * linear.bias
        return F.relu(self.gru(F.elu(context), node_feats))

    @property
    def _project(self) -> nn.Sequential:
        return getattr(self, self.name)


class BondContext(nn.Module):
    """The first layer: atoms with attention to their neighbours and bonds.

    Args:
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        hidden_size: Width D of the result.
        dropout: Probability of dropping a value, in [0, 1).

    Reference:
        Xiong et al. 2020, J. Med. Chem. 63, 8749.
    """

    def __init__(self, atom_size: int, bond_size: int, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.project_node = nn.Sequential(nn.Linear(atom_size, hidden_size), nn.LeakyReLU())
        self.project_edge1 = nn.Sequential(nn.Linear(atom_size + bond_size, hidden_size), nn.LeakyReLU())
        self.project_edge2 = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * hidden_size, 1), nn.LeakyReLU())
        self.attentive_gru = ContextGRU(hidden_size, dropout, "edge_transform")

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) and bonds (E, F) to atoms (N, D)."""
        source, destination = graph.edges()
        node_feats = self.project_node(atom_feats)
        linear, activation = list[Any](self.project_edge1)
        of_atom, of_bond = linear.weight.split([atom_feats.shape[1], bond_feats.shape[1]], dim=1)
        neighbors = F.linear(atom_feats, of_atom, linear.bias).index_select(0, source)
        neighbors = activation(neighbors + F.linear(bond_feats, of_bond))
        scores = score_pairs(self.project_edge2, (node_feats, destination), (neighbors, None))
        rows = self.attentive_gru.drop(neighbors) * softmax_at_destination(graph, scores)
        has_bonds = (graph.in_degrees() > 0).to(rows.dtype).unsqueeze(1)
        return self.attentive_gru(sum_at_destination(graph, rows), has_bonds, node_feats)


class BondAttention(nn.Module):
    """A later layer: atoms with attention to their neighbours.

    Args:
        hidden_size: Width D of the atoms.
        dropout: Probability of dropping a value, in [0, 1).
    """

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.project_edge = nn.Sequential(nn.Dropout(dropout), nn.Linear(2 * hidden_size, 1), nn.LeakyReLU())
        self.attentive_gru = ContextGRU(hidden_size, dropout, "project_node")

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to atoms (N, D)."""
        source, destination = graph.edges()
        scores = score_pairs(self.project_edge, (node_feats, destination), (node_feats, source))
        weights = softmax_at_destination(graph, scores)
        rows = self.attentive_gru.drop(node_feats).unsqueeze(1)
        sums = sum_weighted_neighbors(graph, rows, weights).squeeze(1)
        has_bonds = (graph.in_degrees() > 0).to(sums.dtype).unsqueeze(1)
        return self.attentive_gru(sums, has_bonds, node_feats)


class MoleculeAttention(nn.Module):
    """One step of the readout: a molecule with attention to its atoms.

    Args:
        hidden_size: Width D of molecules and atoms.
        dropout: Probability of dropping a value, in [0, 1).
    """

    def __init__(self, hidden_size: int, dropout: float) -> None:
        super().__init__()
        self.compute_logits = nn.Sequential(nn.Linear(2 * hidden_size, 1), nn.LeakyReLU())
        self.project_nodes = nn.Sequential(nn.Dropout(dropout), nn.Linear(hidden_size, hidden_size))
        self.gru = nn.GRUCell(hidden_size, hidden_size)

    def forward(self, graph: Graph, node_feats: Tensor, vectors: Tensor) -> Tensor:
        """Map atoms (N, D) and molecules (B, D) to molecules (B, D)."""
        of_molecule = (F.relu(vectors), graph_of_nodes(graph))
        scores = score_pairs(self.compute_logits, of_molecule, (node_feats, None))
        dropout, linear = self.project_nodes
        context = linear(sum_nodes(graph, dropout(node_feats) * softmax_nodes(graph, scores)))
        return self.gru(F.elu(context), vectors)


class AttentiveReadout(nn.Module):
    """The sum of the atoms of each molecule, updated by attention to them.

    Args:
        hidden_size: Width D of molecules and atoms.
        num_steps: Number of updates.
        dropout: Probability of dropping a value, in [0, 1).
    """

    def __init__(self, hidden_size: int, num_steps: int, dropout: float) -> None:
        super().__init__()
        self.readouts = nn.ModuleList(MoleculeAttention(hidden_size, dropout) for _ in range(num_steps))

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        vectors = sum_nodes(graph, node_feats)
        for readout in self.readouts:
            vectors = readout(graph, node_feats, vectors)
        return vectors


def score_pairs(
    network: nn.Sequential, first: tuple[Tensor, Tensor | None], second: tuple[Tensor, Tensor | None]
) -> Tensor:
    """Scores of pairs of rows.

    Without values to drop, each row is multiplied once instead of each time that it is taken.

    Args:
        network: Dropout (or nothing), a linear map from both rows to a number, an activation.
        first: Rows (m, D) and which of them each pair takes (n,); `None` takes all in their order.
        second: The same of the second row of each pair.

    Returns:
        (n, 1).
    """
    *dropout, linear, activation = list[Any](network)
    drop = dropout[0] if dropout and network.training and dropout[0].p > 0 else None
    scores: Tensor = linear.bias
    for (rows, places), weight in zip((first, second), linear.weight.split(first[0].shape[1], dim=1), strict=True):
        if drop is not None:
            scores = scores + F.linear(drop(rows if places is None else rows.index_select(0, places)), weight)
        else:
            part = F.linear(rows, weight)
            scores = scores + (part if places is None else part.index_select(0, places))
    return activation(scores)
