"""GAT: graph attention on atoms, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dgllife.model import GATPredictor

from zoo.models.dgllife_predictor import IGNORED_DESCRIPTORS, DGLLifePredictor
from zoo.models.option_ranges import require_positive, require_probability


@dataclass(frozen=True)
class GATConfig:
    """Options of `GAT`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width of one head.
        num_layers: Attention layers; all but the last join their heads side by side, the last takes their mean.
        num_heads: Number H of heads.
        residual: Add the input of a layer to its output.
        dropout: Probability of dropping a value before a layer and before the head, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        ffn_hidden_size: Hidden width of the head.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    descriptor_size: int = 0
    hidden_size: int = 32
    num_layers: int = 2
    num_heads: int = 4
    residual: bool = True
    dropout: float = 0.0
    attention_dropout: float = 0.0
    ffn_hidden_size: int = 128

    legacy_defaults: ClassVar[Mapping[str, Any]] = IGNORED_DESCRIPTORS

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads", "ffn_hidden_size")
        require_probability(self, "dropout", "attention_dropout")


class GAT(DGLLifePredictor):
    """Graph attention, then a weighted sum and the maximum of the atoms; bond features are not used.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> GAT(GATConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Veličković et al. 2018 (arXiv:1710.10903); the modules are DGL-LifeSci's `GATPredictor` (Li et al. 2021,
        arXiv:2106.14232). Every atom is joined to itself, as the paper and DGL-LifeSci's benchmarks do.
    """

    config_class: ClassVar[type[GATConfig]] = GATConfig

    def __init__(self, config: GATConfig) -> None:
        layers = config.num_layers
        predictor = GATPredictor(
            config.atom_size,
            hidden_feats=[config.hidden_size] * layers,
            num_heads=[config.num_heads] * layers,
            feat_drops=[config.dropout] * layers,
            attn_drops=[config.attention_dropout] * layers,
            residuals=[config.residual] * layers,
            n_tasks=config.num_tasks,
            predictor_hidden_feats=config.ffn_hidden_size,
            predictor_dropout=config.dropout,
        )
        super().__init__(config, predictor, self_loops=True, uses_bonds=False)
