"""D-MPNN: message passing between directed bonds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.activations import ACTIVATIONS, Activation
from zoo.layers.feed_forward import map_parts
from zoo.layers.message_passing import POOLS, sum_nodes
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.prediction_head import PredictionHead
from zoo.layers.surroundings import Surroundings, may_share
from zoo.models.option_ranges import require_choice, require_positive, require_probability


@dataclass(frozen=True)
class DMPNNConfig:
    """Options of `DMPNN`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of directed bonds and of atoms.
        num_layers: States of a bond, the first included: `num_layers - 1` steps of message passing.
        activation: Name of the activation.
        dropout: Probability of dropping a value, in [0, 1).
        bias: Biases in the two linear layers of the message passing.
        readout: "mean" or "sum" of the atoms, or "norm": the sum divided by `readout_norm`.
        readout_norm: What "norm" divides by, above 0.
        batch_norm: Normalize the readout over the batch.
        ffn_hidden_size: Hidden width of the head; `None` is `hidden_size`.
        ffn_num_layers: Linear layers of the head.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 151
    bond_size: int = 14
    descriptor_size: int = 0
    hidden_size: int = 300
    num_layers: int = 3
    activation: str = "relu"
    dropout: float = 0.0
    bias: bool = False
    readout: str = "mean"
    readout_norm: float = 100.0
    batch_norm: bool = False
    ffn_hidden_size: int | None = None
    ffn_num_layers: int = 2

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "ffn_num_layers")
        require_probability(self, "dropout")
        require_choice(self, "activation", ACTIVATIONS)
        require_choice(self, "readout", (*POOLS, "norm"))
        require_positive(self, "readout_norm")


class DirectedBondEncoder(nn.Module):
    """States of directed bonds, summed into atoms at the end.

    With x atom features, e bond features and N(v) the neighbours of v:

        i_vw = W_i [x_v, e_vw]                                      h_vw = act(i_vw)
        h_vw <- act(i_vw + W_h sum_{u in N(v), u != w} h_uv)        (num_layers - 1 times)
        h_v = act(W_o [x_v, sum_{u in N(v)} h_uv] + b_o)

    A bond never hears its own reverse, so messages do not bounce.

    Args:
        config: The options.
    """

    def __init__(self, config: DMPNNConfig) -> None:
        super().__init__()
        D = config.hidden_size
        self.num_steps = config.num_layers - 1
        self.atom_input = nn.Linear(config.atom_size, D, bias=config.bias)
        self.bond_input = nn.Linear(config.bond_size, D, bias=False)
        self.message: nn.Module = nn.Linear(D, D, bias=config.bias) if self.num_steps else nn.Identity()
        self.output = nn.Linear(config.atom_size + D, D)
        self.activation = Activation(config.activation)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        dtype = self.output.weight.dtype
        atom_feats, bond_feats = molecules.atom_feats.to(dtype), molecules.bond_feats.to(dtype)
        around, work = Neighborhood.of(molecules), self.num_steps * self.output.out_features**2
        surroundings = Surroundings(around, atom_feats, bond_feats, may_share(self), work)
        (passage,) = surroundings.bond_passages([self.num_steps], by_graph=True)
        # W_i [x, e] in two parts: a kind of atom is multiplied once, not once for each of its bonds.
        # Sums are added in place: a new tensor for each costs a fifth of a prediction.
        feats, source = surroundings.feats_of(passage.first.choose(around.source))
        inputs = self.atom_input(feats).index_select(0, source)
        inputs += self.bond_input(passage.first.choose(bond_feats))
        bonds = self.activation(inputs)
        for step in range(self.num_steps):
            messages = self.message(passage[step].sums(bonds))
            messages += passage[step].of_input(inputs)
            bonds = self.dropout(self.activation(messages))
        atoms, sums = surroundings.sums_of_bonds(passage.last)
        feats, kinds = surroundings.feats_of(atoms.rows)
        states = map_parts(self.output, feats, sums(bonds), kinds)
        return atoms.spread(self.dropout(self.activation(states)))


class DMPNN(nn.Module):
    """Directed message passing for property prediction.

    Args:
        config: The options.

    Example:
        >>> from featurizers import GroverFeaturizer
        >>> DMPNN(DMPNNConfig())(GroverFeaturizer()("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Yang et al. 2019 (arXiv:1904.01561), equations 4 to 8. As in the authors' code (chemprop 1) every step adds the
        input before its activation, where the paper adds it after. Differs from that code in the features of atoms: of
        its 133 columns those of the formal charge (108 to 113) are in another order, that of GROVER (charges -1, -2,
        +1, +2, 0 in columns 113, 112, 109, 110, 108; it has them in columns 108 to 112 and all other charges in 113,
        which here have columns of their own or share one), and GROVER's 18 columns follow. The 14 columns of bonds are
        the same.
    """

    config_class: ClassVar[type[DMPNNConfig]] = DMPNNConfig
    shares_states: ClassVar[bool] = True

    def __init__(self, config: DMPNNConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = DirectedBondEncoder(config)
        self.norm = nn.BatchNorm1d(config.hidden_size) if config.batch_norm else None
        self.head = PredictionHead(
            config.hidden_size,
            config.descriptor_size,
            config.ffn_hidden_size or config.hidden_size,
            config.ffn_num_layers,
            config.num_tasks,
            config.activation,
            config.dropout,
        )
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Pooled atoms (B, D)."""
        atoms = self.encoder(molecules)
        if self.config.readout == "norm":
            pooled = sum_nodes(molecules.graph, atoms) / self.config.readout_norm
        else:
            pooled = POOLS[self.config.readout](molecules.graph, atoms)
        return pooled if self.norm is None else self.norm(pooled)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        return self.head(self.embed(molecules), molecules.descriptors)
