"""CoMPT's encoder: embedding of atoms and their positions, layers of attention."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.compt_attention import ComptAttention, Surroundings
from zoo.layers.message_passing import Graph
from zoo.layers.norms import NORMS
from zoo.layers.readout import place_in_molecule


class ComptLayer(nn.Module):
    """Attention, then linear layers with Mish; one normalization serves all three places.

    With `x' = norm(x)` and `y = x' + norm(attention(x'))` it gives `x' + y + norm(feed_forward(y))`, dropout after
    every norm.

    Args:
        hidden_size: Width D.
        norm: "layer" or "scale".
        ffn_num_layers: Linear layers after attention.
        dropout: Probability of dropping a value, in [0, 1).
        attention_options: `num_heads`, `bond_size`, `kernel` of `ComptAttention`.
    """

    def __init__(
        self, hidden_size: int, norm: str, ffn_num_layers: int, dropout: float, **attention_options: Any
    ) -> None:
        super().__init__()
        self.attention = ComptAttention(hidden_size, **attention_options)
        self.feed_forward = nn.ModuleList(nn.Linear(hidden_size, hidden_size) for _ in range(ffn_num_layers))
        self.norm = NORMS[norm](hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, around: Surroundings, bond_embedding: Tensor) -> Tensor:
        """Map atoms (N, D) to atoms (N, D)."""
        x = self.dropout(self.norm(x))
        attended = F.mish(self.attention(x, around, bond_embedding))
        y = z = x + self.dropout(self.norm(attended))
        for number, linear in enumerate(self.feed_forward):
            z = F.mish(linear(z if number == 0 else self.dropout(z)))
        return x + y + self.dropout(self.norm(z))


class PositionTable(nn.Module):
    """A learned vector for every place in a molecule.

    Args:
        size: Places that have a vector of their own; later atoms share the last.
        hidden_size: Width D.
    """

    def __init__(self, size: int, hidden_size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(size, hidden_size))

    def forward(self, graph: Graph) -> Tensor:
        """The vectors of all atoms (N, D), in the order in which the graph holds them."""
        return F.embedding(place_in_molecule(graph).clamp(max=len(self.weight) - 1), self.weight)


class ComptEncoder(nn.Module):
    """Atoms with their features and positions through layers of attention.

    Args:
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        hidden_size: Width D.
        num_layers: Layers.
        positions: Size of the table of positions; 0 has none.
        norm: "layer" or "scale".
        layer_options: `num_heads`, `kernel`, `ffn_num_layers`, `dropout` of `ComptLayer`.

    Reference:
        Chen et al. 2021 (arXiv:2107.08773), figure 2. Differs from the authors' code in having no padding rows and no
        edge update, whose result that code discards.
    """

    def __init__(
        self,
        atom_size: int,
        bond_size: int,
        hidden_size: int,
        num_layers: int,
        *,
        positions: int,
        norm: str,
        **layer_options: Any,
    ) -> None:
        super().__init__()
        self.scale = math.sqrt(hidden_size)
        self.atom_embedding = nn.Linear(atom_size, hidden_size)
        self.bond_embedding = nn.Linear(bond_size, hidden_size, bias=False)
        self.positions = PositionTable(positions, hidden_size) if positions else None
        self.layers = nn.ModuleList(
            ComptLayer(hidden_size, norm, bond_size=bond_size, **layer_options) for _ in range(num_layers)
        )
        self.norm = NORMS[norm](hidden_size)

    def embed_atoms(self, molecules: MoleculeGraph) -> Tensor:
        """Features and positions of the atoms before the first layer (N, D)."""
        x = self.scale * self.atom_embedding(molecules.atom_feats.to(self.atom_embedding.weight.dtype))
        return x if self.positions is None else x + self.positions(molecules.graph)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch with pairs to atoms (N, D)."""
        x = self.embed_atoms(molecules)
        around = Surroundings.of(molecules, x.dtype)
        bond_embedding = self.scale * self.bond_embedding.weight
        for layer in self.layers:
            x = layer(x, around, bond_embedding)
        return self.norm(x)
