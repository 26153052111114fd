"""Graphormer: attention over all atoms, biased by distances and by bonds along shortest paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from featurizers.needs import Needs
from zoo.layers.feature_embedding import FeatureEmbedding
from zoo.layers.feed_forward import FeedForward
from zoo.layers.graphormer_layer import GraphormerLayer
from zoo.layers.pair_blocks import MASKED, PairBlocks, require_pairs
from zoo.layers.prediction_head import join_descriptors
from zoo.layers.structure_bias import DegreeEmbedding, DistanceBias, PathBias
from zoo.models.option_ranges import require_multiple, require_positive, require_probability

EMBEDDING_STD = 0.02


@dataclass(frozen=True)
class GraphormerConfig:
    """Options of `Graphormer`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        bond_size: Number of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D, a multiple of `num_heads` (published: 768, slim 80).
        num_layers: Layers (published: 12).
        num_heads: Attention heads (published: 32, slim 8).
        ffn_size: Hidden width of the feed-forward networks; `None` is `hidden_size`, as published.
        dropout: Probability of dropping an input of the first layer, or a value after an attention or a feed-forward
            network, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        activation_dropout: Probability of dropping a hidden value of a feed-forward network, in [0, 1) (published: 0);
            `None` is `dropout`.
        max_degree: Larger degrees share a vector.
        max_distance: Larger distances share a bias, in bonds.
        mask_distance: Atoms that are at least this many bonds apart, or in different fragments, do not attend to each
            other; `None` masks no pair, and fragments have a bias.
        path_length: Bonds along a shortest path that count; the featurizer must give as many.
        ffn_num_layers: Linear layers of the head (published: 1).

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
    ffn_size: int | None = None
    dropout: float = 0.1
    attention_dropout: float = 0.1
    activation_dropout: float | None = 0.0
    max_degree: int = 8
    max_distance: int = 20
    mask_distance: int | None = 20
    path_length: int = 5
    ffn_num_layers: int = 1

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "descriptor_size": 0,
            "attention_dropout": 0.0,
            "activation_dropout": None,
            "mask_distance": None,
            "ffn_num_layers": 2,
        }
    )
    """Defaults at the time of the checkpoints that do not hold their full configuration."""

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads", "max_degree", "max_distance")
        require_positive(self, "path_length", "ffn_num_layers")
        require_multiple(self, "hidden_size", "num_heads")
        require_probability(self, "dropout", "attention_dropout")
        if self.mask_distance is not None:
            require_positive(self, "mask_distance")
        if self.activation_dropout is not None:
            require_probability(self, "activation_dropout")


class GraphormerEncoder(nn.Module):
    """Layers of attention over the atoms and a virtual node, whose last state describes the molecule."""

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__()
        D, H = config.hidden_size, config.num_heads
        self.mask_distance = config.mask_distance
        self.atom_embedding = FeatureEmbedding(config.atom_size, D, EMBEDDING_STD)
        self.degree_embedding = DegreeEmbedding(config.max_degree, D)
        self.virtual_node = nn.Parameter(torch.zeros(D))
        self.distance_bias = DistanceBias(config.max_distance, H)
        self.path_bias = PathBias(config.path_length, config.bond_size, H)
        self.virtual_bias = nn.Parameter(torch.zeros(H))
        inner = config.dropout if config.activation_dropout is None else config.activation_dropout
        self.layers = nn.ModuleList(
            GraphormerLayer(D, config.ffn_size or D, H, config.dropout, config.attention_dropout, inner)
            for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(D)
        self.dropout = nn.Dropout(config.dropout)

    def biases(self, molecules: MoleculeGraph, blocks: PairBlocks) -> list[Tensor]:
        """Attention biases (b, H, L, L) of every block."""
        pairs = require_pairs(molecules, "path")
        bond_feats = molecules.bond_feats.to(self.virtual_bias.dtype)
        distance = pairs.edata["distance"].int()
        bias = self.distance_bias(distance) + self.path_bias(pairs.edata["path"], distance, bond_feats)
        if self.mask_distance is not None:
            apart = (distance < 0) | (distance >= self.mask_distance)
            bias = bias.masked_fill(apart.unsqueeze(1), MASKED)
        result = []
        for block, mask in zip(blocks.pairs(bias), blocks.masks(), strict=True):
            virtual = block.new_zeros(block.shape[1:3])
            virtual[0], virtual[:, 0] = 1, 1
            of_padding = (~mask).to(block.dtype)[:, None, None, :] * MASKED
            result.append(block.permute(0, 3, 1, 2) + self.virtual_bias[:, None, None] * virtual + of_padding)
        return result

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to molecules (B, D)."""
        blocks, states = self._states(molecules)
        return blocks.in_order([self.norm(x[:, 0]) for x in states])

    def embed_atoms(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        blocks, states = self._states(molecules)
        return blocks.flat_atoms([self.norm(x) for x in states])

    def _states(self, molecules: MoleculeGraph) -> tuple[PairBlocks, list[Tensor]]:
        """States of the virtual nodes and the atoms after all layers, in blocks."""
        graph = molecules.graph
        atoms = self.atom_embedding(molecules.atom_feats.to(self.virtual_node.dtype))
        atoms = atoms + self.degree_embedding(graph.in_degrees())
        blocks = molecules.blocks(leading=1)
        states = []
        for x, bias in zip(blocks.atoms(atoms), self.biases(molecules, blocks), strict=True):
            virtual = self.virtual_node.to(x.dtype).expand(x.shape[0], 1, -1)
            x = self.dropout(torch.cat([virtual, x[:, 1:]], dim=1))
            for layer in self.layers:
                x = layer(x, bias)
            states.append(x)
        return blocks, states


class Graphormer(nn.Module):
    """Graphormer for property prediction.

    Needs a featurizer with atom pairs and shortest paths (`pairs=True, path_length=5`).

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> model = Graphormer(GraphormerConfig(num_tasks=3)).eval()
        >>> model(CanonicalFeaturizer(pairs=True, path_length=5)("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Ying et al. 2021 (arXiv:2106.05234). Differs from the authors' code (microsoft/Graphormer v1) in:

        - atoms and bonds enter by linear maps of their feature columns, where theirs embeds integer categories;
        - one table of degrees, where theirs has two that read the same number;
        - a path bias is equation 7's: a vector for each place and head, where theirs multiplies a bond's embedding by
          a matrix for each place, and also counts an untrained vector for places past the end of a path;
        - degrees and distances above `max_degree` and `max_distance` share an entry, where theirs has 512 of them;
        - molecules are not padded to the batch's largest.

        Theirs masks pairs by the same rule: 20 bonds is its collator's default, 1024 that of its command line.
    """

    config_class: ClassVar[type[GraphormerConfig]] = GraphormerConfig
    needs: ClassVar[Needs] = Needs(pairs=True)

    def __init__(self, config: GraphormerConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GraphormerEncoder(config)
        D = config.hidden_size
        sizes = [D + config.descriptor_size, *[D] * (config.ffn_num_layers - 1), config.num_tasks]
        self.head = FeedForward(sizes, "gelu", config.dropout)
        initialize(self, config.num_layers)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Last state of the virtual node (B, D)."""
        return self.encoder(molecules)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)


def initialize(model: Graphormer, num_layers: int) -> None:
    """Draw the weights of a model as the authors' code (v1) does.

    Embeddings, which here are tables and vectors, come from N(0, 0.02^2), weights of linear layers from
    N(0, (0.02 / sqrt(num_layers))^2); biases of linear layers start at 0.
    """
    encoder = model.encoder
    tables = (encoder.degree_embedding.table, encoder.distance_bias.table, encoder.path_bias.weight)
    for table in (*tables, encoder.virtual_node, encoder.virtual_bias):
        nn.init.normal_(table, std=EMBEDDING_STD)
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.normal_(module.weight, std=EMBEDDING_STD / num_layers**0.5)
            nn.init.zeros_(module.bias)
