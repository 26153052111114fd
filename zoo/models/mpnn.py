"""MPNN: messages made by a network of the bond, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dgllife.model import MPNNPredictor

from zoo.models.dgllife_predictor import IGNORED_DESCRIPTORS, DGLLifePredictor
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


class MPNN(DGLLifePredictor):
    """Each bond multiplies its neighbour by a matrix of its own; a GRU updates the atoms; set2set reads them out.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> MPNN(MPNNConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Gilmer et al. 2017 (arXiv:1704.01212), edge networks; the modules are DGL-LifeSci's `MPNNPredictor` (Li et al.
        2021, arXiv:2106.14232).
    """

    config_class: ClassVar[type[MPNNConfig]] = MPNNConfig

    def __init__(self, config: MPNNConfig) -> None:
        predictor = MPNNPredictor(
            config.atom_size,
            config.bond_size,
            node_out_feats=config.hidden_size,
            edge_hidden_feats=config.bond_hidden_size,
            n_tasks=config.num_tasks,
            num_step_message_passing=config.num_layers,
            num_step_set2set=config.readout_steps,
            num_layer_set2set=config.readout_layers,
        )
        super().__init__(config, predictor, uses_bonds=True)
