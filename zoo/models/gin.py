"""GIN: isomorphism networks with bond features, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo.layers.gin_layer import GINLayer, linear_embedding
from zoo.layers.message_passing import Graph, sum_at_destination
from zoo.layers.pooling import AttentionPool, Pool
from zoo.models.atom_predictor import IGNORED_DESCRIPTORS, AtomPredictor
from zoo.models.option_ranges import require_choice, require_positive, require_probability

READOUTS = ("mean", "sum", "max", "attention")
LAYERS_READ = ("last", "concat", "max", "sum")


@dataclass(frozen=True)
class GINConfig:
    """Options of `GIN`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D.
        num_layers: Layers, at least 2.
        dropout: Probability of dropping a value after a layer, in [0, 1).
        readout: "mean", "sum", "max" or "attention" over the atoms.
        layers_read: Which layers the readout sees: the "last", or all of them by "concat", "max" or "sum".

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    descriptor_size: int = 0
    hidden_size: int = 300
    num_layers: int = 5
    dropout: float = 0.5
    readout: str = "mean"
    layers_read: str = "last"

    legacy_defaults: ClassVar[Mapping[str, Any]] = IGNORED_DESCRIPTORS

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers")
        if self.num_layers < 2:
            raise ValueError(f"num_layers={self.num_layers}: GIN needs at least 2")
        require_probability(self, "dropout")
        require_choice(self, "readout", READOUTS)
        require_choice(self, "layers_read", LAYERS_READ)


class Isomorphisms(nn.Module):
    """The layers of a `GIN`, in containers that give the parameters the names of its former checkpoints.

    Args:
        config: The options of the model.
    """

    def __init__(self, config: GINConfig) -> None:
        super().__init__()
        size, last = config.hidden_size, config.num_layers - 1
        layers = [GINLayer(size, config.bond_size, number == last) for number in range(config.num_layers)]
        embeddings = [linear_embedding(config.atom_size, size)]
        self.layers: Any = nn.ModuleDict(
            {"node_embeddings": nn.ModuleList(embeddings), "gnn_layers": nn.ModuleList(layers)}
        )
        self.dropout = nn.Dropout(config.dropout)
        self.layers_read = config.layers_read

    def forward(self, graph: Graph, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Map atoms (N, A) and bonds (E, F) to atoms (N, D), or (N, D (layers + 1)) where all layers are joined."""
        sums = sum_at_destination(graph, bond_feats)
        sums = torch.cat([sums, sums.new_ones(sums.shape[0], 1)], dim=1)  # every atom has one edge to itself
        states = [self.layers["node_embeddings"][0](atom_feats)]
        for layer in self.layers["gnn_layers"]:
            states.append(self.dropout(layer(graph, states[-1], sums)))
        if self.layers_read == "last":
            return states[-1]
        if self.layers_read == "concat":
            return torch.cat(states, dim=1)
        stacked = torch.stack(states)
        return stacked.max(0).values if self.layers_read == "max" else stacked.sum(0)


class GIN(AtomPredictor):
    """Sums of neighbours and bonds through a network, then a readout of the atoms.

    DGL-LifeSci's version embeds a few categories of each atom and bond and adds the embeddings. That is a linear map of
    their one-hot columns, so linear maps of the dense features take the place of the embeddings; with one-hot features
    both are the same model. Atoms are joined to themselves: without that a layer would forget the atom it updates.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> GIN(GINConfig()).eval()(CanonicalFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Xu et al. 2019 (arXiv:1810.00826), with the bond embeddings of Hu et al. 2020 (arXiv:1905.12265, appendix A);
        equals DGL-LifeSci's `GINPredictor` (Li et al. 2021, arXiv:2106.14232).
    """

    config_class: ClassVar[type[GINConfig]] = GINConfig

    def __init__(self, config: GINConfig) -> None:
        gnn = Isomorphisms(config)
        width = config.hidden_size * (config.num_layers + 1 if config.layers_read == "concat" else 1)
        readout = AttentionPool(width) if config.readout == "attention" else Pool(config.readout)
        head = nn.Linear(width + config.descriptor_size, config.num_tasks)
        super().__init__(config, gnn, readout, head)
