"""GRIT: a graph transformer without message passing, which reads the structure from random walks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from featurizers.needs import Needs
from featurizers.pair_table import PairTable
from zoo.layers.feed_forward import HEAD_SHAPES, FeedForward, head_sizes
from zoo.layers.grit_layer import GRITLayer
from zoo.layers.message_passing import POOLS
from zoo.layers.normalization import NORMALIZATIONS
from zoo.layers.pair_blocks import require_pairs
from zoo.layers.prediction_head import join_descriptors
from zoo.models.option_ranges import require_choice, require_multiple, require_positive, require_probability


@dataclass(frozen=True)
class GRITConfig:
    """Options of `GRIT`; the defaults are the published ones for ZINC but for `num_layers`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        bond_size: Number of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of atoms and pairs, a multiple of `num_heads`.
        num_layers: Layers (published for ZINC: 10).
        num_heads: Attention heads.
        random_walks: Steps of random walks that are read; the featurizer must give as many.
        dropout: Probability of dropping a message, a pair state or a hidden value of a network, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        norm: "batch", or "layer", with which a training step treats each molecule alone.
        clamp: Scores of the attention beyond plus or minus this are cut; `None` cuts none.
        bias: Give keys, values and the map of the random walks of pairs a bias.
        root_eps: Adds to the argument of the root in a layer, to keep its slope finite; 0 is exact.
        readout: "sum" or "mean" of the atoms.
        ffn_num_layers: Linear layers of the head.
        head_shape: Hidden layers of the head: "halving" has widths D / 2, D / 4, ... and no dropout, "constant" has
            width D.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 4
    num_heads: int = 8
    random_walks: int = 21
    dropout: float = 0.0
    attention_dropout: float = 0.2
    norm: str = "batch"
    clamp: float | None = 5.0
    bias: bool = False
    root_eps: float = 0.0
    readout: str = "sum"
    ffn_num_layers: int = 3
    head_shape: str = "halving"

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "descriptor_size": 0,
            "random_walks": 16,
            "attention_dropout": 0.0,
            "norm": "layer",
            "clamp": None,
            "bias": True,
            "root_eps": 1e-6,
            "readout": "mean",
            "ffn_num_layers": 2,
            "head_shape": "constant",
        }
    )
    """Defaults at the time of the checkpoints that do not hold their full configuration."""

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads")
        require_positive(self, "random_walks", "ffn_num_layers")
        require_multiple(self, "hidden_size", "num_heads")
        require_probability(self, "dropout", "attention_dropout")
        for name, choices in (("norm", NORMALIZATIONS), ("readout", POOLS), ("head_shape", HEAD_SHAPES)):
            require_choice(self, name, choices)
        if self.clamp is not None and self.clamp <= 0:
            raise ValueError(f"clamp={self.clamp!r}: give a number above 0, or None")
        if self.root_eps < 0:
            raise ValueError(f"root_eps={self.root_eps!r}: give a number of at least 0")


class GRITEncoder(nn.Module):
    """Layers over atoms and all their pairs."""

    def __init__(self, config: GRITConfig) -> None:
        super().__init__()
        D, K = config.hidden_size, config.random_walks
        self.random_walks = K
        self.atom_embedding = nn.Linear(config.atom_size, D)
        self.return_embedding = nn.Linear(K, D, bias=False)
        self.walk_embedding = nn.Linear(K, D, bias=config.bias)
        self.bond_embedding = nn.Linear(config.bond_size, D, bias=False)
        nn.init.xavier_uniform_(self.return_embedding.weight)
        nn.init.xavier_uniform_(self.walk_embedding.weight)
        last = config.num_layers - 1
        self.layers = nn.ModuleList(
            GRITLayer(
                D,
                config.num_heads,
                config.dropout,
                config.attention_dropout,
                update_pairs=number < last,
                norm=config.norm,
                clamp=config.clamp,
                bias=config.bias,
                root_eps=config.root_eps,
            )
            for number in range(config.num_layers)
        )

    def walks(self, pairs: PairTable) -> Tensor:
        """Random-walk probabilities of the pairs (P, K).

        Raises:
            ValueError: The pairs have too few steps.
        """
        walks = pairs.edata["walk"].to(self.walk_embedding.weight.dtype)
        if walks.shape[1] < self.random_walks:
            raise ValueError(
                f"the model reads {self.random_walks} steps of random walks and the batch has {walks.shape[1]}: "
                f"build the featurizer with random_walks={self.random_walks}"
            )
        return walks[:, : self.random_walks]

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        graph, pairs = molecules.graph, require_pairs(molecules, "walk")
        walks = self.walks(pairs)
        first, second = pairs.edges()
        atoms = self.atom_embedding(molecules.atom_feats.to(walks.dtype))
        atoms = atoms + self.return_embedding(walks.index_select(0, pairs.places_of_self_pairs()))
        # Row E stands for pairs without a bond.
        of_bonds = F.pad(self.bond_embedding(molecules.bond_feats.to(walks.dtype)), (0, 0, 0, 1))
        bond = pairs.edata["bond"].long()
        states = self.walk_embedding(walks) + of_bonds.index_select(0, bond.where(bond >= 0, of_bonds.shape[0] - 1))
        log_degrees = graph.in_degrees().to(walks.dtype).log1p().unsqueeze(1)
        blocks = molecules.blocks()
        for layer in self.layers:
            atoms, states = layer(atoms, states, (first, second), log_degrees, blocks)
        return atoms


class GRIT(nn.Module):
    """GRIT for property prediction.

    Needs a featurizer with atom pairs and random walks (`pairs=True, random_walks=21`).

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> model = GRIT(GRITConfig(num_tasks=3)).eval()
        >>> model(CanonicalFeaturizer(pairs=True, random_walks=21)("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Ma et al. 2023 (arXiv:2305.17589). Differs from the authors' code (LiamMa/GRIT) in:

        - atoms and bonds enter by linear maps of their feature columns, where theirs embeds integer categories drawn
          from N(0, 1);
        - the last layer does not update pairs, which nothing reads;
        - a batch of one atom is normalized by the running statistics, where theirs refuses to train on it.
    """

    config_class: ClassVar[type[GRITConfig]] = GRITConfig
    needs: ClassVar[Needs] = Needs(pairs=True)

    def __init__(self, config: GRITConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GRITEncoder(config)
        D = config.hidden_size
        sizes = head_sizes(D + config.descriptor_size, D, config.ffn_num_layers, config.num_tasks, config.head_shape)
        self.head = FeedForward(sizes, "relu", 0.0 if config.head_shape == "halving" else config.dropout)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Pooled atoms (B, D)."""
        return POOLS[self.config.readout](molecules.graph, self.encoder(molecules))

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)
