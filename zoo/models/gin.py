"""GIN: isomorphism networks with bond features, as in DGL-LifeSci."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from dgllife.model import GINPredictor
from torch import Tensor, nn

from zoo.models.dgllife_predictor import IGNORED_DESCRIPTORS, DGLLifePredictor
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
            raise ValueError(f"num_layers={self.num_layers}: DGL-LifeSci's GIN needs at least 2")
        require_probability(self, "dropout")
        require_choice(self, "readout", READOUTS)
        require_choice(self, "layers_read", LAYERS_READ)


class DenseGIN(nn.Module):
    """DGL-LifeSci's message passing, called with one matrix of features instead of lists of categories."""

    def __init__(self, gnn: nn.Module) -> None:
        super().__init__()
        self.layers = gnn

    def forward(self, graph: Any, atom_feats: Tensor, bond_feats: Tensor) -> Tensor:
        """Atoms (N, A) and bonds (E, F) to atoms (N, D), or (N, D (layers + 1)) where all layers are read."""
        return self.layers(graph, [atom_feats], [bond_feats])


class GIN(DGLLifePredictor):
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
        the modules are DGL-LifeSci's `GINPredictor` (Li et al. 2021, arXiv:2106.14232).
    """

    config_class: ClassVar[type[GINConfig]] = GINConfig

    def __init__(self, config: GINConfig) -> None:
        predictor: Any = GINPredictor(
            [],
            [],
            num_layers=config.num_layers,
            emb_dim=config.hidden_size,
            JK=config.layers_read,
            dropout=config.dropout,
            readout=config.readout,
            n_tasks=config.num_tasks,
        )
        predictor.gnn.node_embeddings.append(linear_embedding(config.atom_size, config.hidden_size))
        for layer in predictor.gnn.gnn_layers:
            layer.edge_embeddings.append(linear_embedding(config.bond_size + 1, config.hidden_size))
        predictor.gnn = DenseGIN(predictor.gnn)
        super().__init__(config, predictor, self_loops=True, uses_bonds=True)


def linear_embedding(num_columns: int, hidden_size: int) -> nn.Linear:
    """A linear map without bias, initialised as DGL-LifeSci initialises its embeddings."""
    linear = nn.Linear(num_columns, hidden_size, bias=False)
    nn.init.xavier_uniform_(linear.weight)
    return linear
