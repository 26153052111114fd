"""MPNN: messages made by a network of the bond, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.edge_network import EdgeNetwork
from zoo.layers.message_passing import Graph
from zoo.layers.pooling import Set2Set
from zoo.models.atom_predictor import IGNORED_DESCRIPTORS, AtomPredictor
from zoo.models.option_ranges import require_positive


@dataclass(frozen=True)
class MPNNConfig:
    """Options of `MPNN`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of the atoms. Every bond gets a D x D matrix: memory grows with its square.
        num_layers: Steps of message passing; all share their weights.
        bond_hidden_size: Hidden width of the network that makes a bond's matrix.
        readout_steps: Steps of the set2set readout.
        readout_layers: Layers of its LSTM.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 6
    bond_hidden_size: int = 128
    readout_steps: int = 6
    readout_layers: int = 3

    legacy_defaults: ClassVar[Mapping[str, Any]] = IGNORED_DESCRIPTORS

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "bond_hidden_size")
        require_positive(self, "readout_steps", "readout_layers")


class EdgeMessages(nn.Module):
    """The message passing of an `MPNN`: all steps share the matrices of the bonds and the GRU.

    Args:
        config: The options of the model.
    """

    def __init__(self, config: MPNNConfig) -> None:
        super().__init__()
        size = config.hidden_size
        self.num_steps = config.num_layers
        self.project_node_feats = nn.Sequential(nn.Linear(config.atom_size, size), nn.ReLU())
        self.gnn_layer = EdgeNetwork(size, config.bond_size, config.bond_hidden_size)
        self.gru = nn.GRU(size, size)  # its weights; it reads one step at a time, which a cell does faster

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) and bonds (E, F) to atoms (N, D)."""
        state = self.project_node_feats(atom_feats)
        matrices = self.gnn_layer.matrices(graph, bond_feats)
        for _ in range(self.num_steps):
            state = torch.gru_cell(F.relu(self.gnn_layer(matrices, state)), state, *self.gru.all_weights[0])
        return state


class MPNN(AtomPredictor):
    """Each bond multiplies its neighbour by a matrix of its own; a GRU updates the atoms; set2set reads them out.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> MPNN(MPNNConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Gilmer et al. 2017 (arXiv:1704.01212), edge networks; equals DGL-LifeSci's `MPNNPredictor` (Li et al.
        2021, arXiv:2106.14232).
    """

    config_class: ClassVar[type[MPNNConfig]] = MPNNConfig

    def __init__(self, config: MPNNConfig) -> None:
        size = config.hidden_size
        gnn, readout = EdgeMessages(config), Set2Set(size, config.readout_steps, config.readout_layers)
        hidden = nn.Linear(2 * size + config.descriptor_size, size)
        super().__init__(config, gnn, readout, nn.Sequential(hidden, nn.ReLU(), nn.Linear(size, config.num_tasks)))
