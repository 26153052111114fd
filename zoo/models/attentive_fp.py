"""AttentiveFP: attention on atoms and then on the molecule, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dgllife.model import AttentiveFPPredictor

from zoo.models.dgllife_predictor import IGNORED_DESCRIPTORS, DGLLifePredictor
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


class AttentiveFP(DGLLifePredictor):
    """Attention along bonds, then of a molecule vector to its atoms; GRUs update both.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> AttentiveFP(AttentiveFPConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Xiong et al. 2020, J. Med. Chem. 63, 8749; the modules are DGL-LifeSci's `AttentiveFPPredictor` (Li et al. 2021,
        arXiv:2106.14232).
    """

    config_class: ClassVar[type[AttentiveFPConfig]] = AttentiveFPConfig

    def __init__(self, config: AttentiveFPConfig) -> None:
        predictor = AttentiveFPPredictor(
            config.atom_size,
            config.bond_size,
            num_layers=config.num_layers,
            num_timesteps=config.readout_steps,
            graph_feat_size=config.hidden_size,
            n_tasks=config.num_tasks,
            dropout=config.dropout,
        )
        super().__init__(config, predictor, uses_bonds=True)
