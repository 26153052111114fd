"""AttentiveFP: attention on atoms and then on the molecule, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo.layers.attentive_fp_layers import AttentiveReadout, BondAttention, BondContext
from zoo.layers.message_passing import Graph
from zoo.models.atom_predictor import IGNORED_DESCRIPTORS, AtomPredictor
from zoo.models.option_ranges import require_positive, require_probability


@dataclass(frozen=True)
class AttentiveFPConfig:
    """Options of `AttentiveFP`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of atoms and molecules.
        num_layers: Attention layers on atoms.
        readout_steps: Times that the molecule attends to its atoms.
        dropout: Probability of dropping a value, in [0, 1).

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    descriptor_size: int = 0
    hidden_size: int = 200
    num_layers: int = 2
    readout_steps: int = 2
    dropout: float = 0.0

    legacy_defaults: ClassVar[Mapping[str, Any]] = IGNORED_DESCRIPTORS

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "readout_steps")
        require_probability(self, "dropout")


class AtomAttentions(nn.Module):
    """The layers of an `AttentiveFP` on atoms.

    Args:
        config: The options of the model.
    """

    def __init__(self, config: AttentiveFPConfig) -> None:
        super().__init__()
        size, dropout = config.hidden_size, config.dropout
        self.init_context = BondContext(config.atom_size, config.bond_size, size, dropout)
        self.gnn_layers = nn.ModuleList(BondAttention(size, dropout) for _ in range(config.num_layers - 1))

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) and bonds (E, F) to atoms (N, D)."""
        atoms = self.init_context(graph, atom_feats, bond_feats)
        for layer in self.gnn_layers:
            atoms = layer(graph, atoms)
        return atoms


class AttentiveFP(AtomPredictor):
    """Attention along bonds, then of a molecule vector to its atoms; GRUs update both.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> AttentiveFP(AttentiveFPConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Xiong et al. 2020, J. Med. Chem. 63, 8749; equals DGL-LifeSci's `AttentiveFPPredictor` (Li et al. 2021,
        arXiv:2106.14232).
    """

    config_class: ClassVar[type[AttentiveFPConfig]] = AttentiveFPConfig

    def __init__(self, config: AttentiveFPConfig) -> None:
        size, dropout = config.hidden_size, config.dropout
        gnn, readout = AtomAttentions(config), AttentiveReadout(size, config.readout_steps, dropout)
        head = nn.Sequential(nn.Dropout(dropout), nn.Linear(size + config.descriptor_size, config.num_tasks))
        super().__init__(config, gnn, readout, head)
