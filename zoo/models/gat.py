"""GAT: graph attention on atoms, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo.layers.gat_layer import GATLayer
from zoo.layers.message_passing import Graph
from zoo.layers.normalized_head import NormalizedHead
from zoo.layers.pooling import GatedSumAndMax
from zoo.layers.self_loops import with_self_loops
from zoo.models.atom_predictor import IGNORED_DESCRIPTORS, AtomPredictor
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


class Attentions(nn.Module):
    """The layers of a `GAT`.

    Args:
        config: The options of the model.
    """

    def __init__(self, config: GATConfig) -> None:
        super().__init__()
        size, heads, last = config.hidden_size, config.num_heads, config.num_layers - 1
        options = (size, heads, config.dropout, config.attention_dropout, config.residual)
        self.gnn_layers = nn.ModuleList(
            GATLayer(heads * size if number else config.atom_size, *options, last=number == last)
            for number in range(config.num_layers)
        )

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) to atoms (N, D); bonds (E, F) are not used."""
        graph = with_self_loops(graph)
        for layer in self.gnn_layers:
            atom_feats = layer(graph, atom_feats)
        return atom_feats


class GAT(AtomPredictor):
    """Graph attention, then a weighted sum and the maximum of the atoms; bond features are not used.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> GAT(GATConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Veličković et al. 2018 (arXiv:1710.10903); equals DGL-LifeSci's `GATPredictor` (Li et al. 2021,
        arXiv:2106.14232). Every atom is joined to itself, as the paper and DGL-LifeSci's benchmarks do.
    """

    config_class: ClassVar[type[GATConfig]] = GATConfig

    def __init__(self, config: GATConfig) -> None:
        gnn, readout = Attentions(config), GatedSumAndMax(config.hidden_size)
        width = 2 * config.hidden_size + config.descriptor_size
        head = NormalizedHead(width, config.ffn_hidden_size, config.num_tasks, config.dropout)
        super().__init__(config, gnn, readout, head)
