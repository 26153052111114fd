"""GCN: graph convolutions on atoms, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

from torch import Tensor, nn

from zoo.layers.gcn_layer import GCNLayer
from zoo.layers.message_passing import Graph
from zoo.layers.normalized_head import NormalizedHead
from zoo.layers.pooling import GatedSumAndMax
from zoo.models.atom_predictor import IGNORED_DESCRIPTORS, AtomPredictor
from zoo.models.option_ranges import require_choice, require_positive, require_probability

NORMS = ("none", "right", "both")


@dataclass(frozen=True)
class GCNConfig:
    """Options of `GCN`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of the atoms.
        num_layers: Graph convolutions.
        norm: What a sum of neighbours is divided by: nothing ("none"), their number ("right"), or the square roots of
            the degrees of both ends ("both", the paper's).
        batch_norm: Normalize batches after every convolution.
        residual: Add the input of a convolution to its output.
        dropout: Probability of dropping a value after a convolution and before the head, in [0, 1).
        ffn_hidden_size: Hidden width of the head.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 2
    norm: str = "none"
    batch_norm: bool = True
    residual: bool = True
    dropout: float = 0.0
    ffn_hidden_size: int = 128

    legacy_defaults: ClassVar[Mapping[str, Any]] = IGNORED_DESCRIPTORS

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "ffn_hidden_size")
        require_probability(self, "dropout")
        require_choice(self, "norm", NORMS)


class Convolutions(nn.Module):
    """The layers of a `GCN`.

    Args:
        config: The options of the model.
    """

    def __init__(self, config: GCNConfig) -> None:
        super().__init__()
        sizes = [config.atom_size] + [config.hidden_size] * config.num_layers
        self.gnn_layers = nn.ModuleList(
            GCNLayer(*ends, config.norm, config.residual, config.batch_norm, config.dropout) for ends in pairwise(sizes)
        )

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) to atoms (N, D); bonds (E, F) are not used."""
        for layer in self.gnn_layers:
            atom_feats = layer(graph, atom_feats)
        return atom_feats


class GCN(AtomPredictor):
    """Graph convolutions, then a weighted sum and the maximum of the atoms; bond features are not used.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> GCN(GCNConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Kipf & Welling 2017 (arXiv:1609.02907); equals DGL-LifeSci's `GCNPredictor` (Li et al. 2021,
        arXiv:2106.14232). Every atom is joined to itself, as the paper and DGL-LifeSci's benchmarks do.
    """

    config_class: ClassVar[type[GCNConfig]] = GCNConfig

    def __init__(self, config: GCNConfig) -> None:
        gnn, readout = Convolutions(config), GatedSumAndMax(config.hidden_size)
        width = 2 * config.hidden_size + config.descriptor_size
        head = NormalizedHead(width, config.ffn_hidden_size, config.num_tasks, config.dropout)
        super().__init__(config, gnn, readout, head)
