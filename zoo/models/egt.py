"""EGT: the edge-augmented graph transformer, with states for all pairs of atoms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from featurizers.needs import Needs
from zoo.layers.egt_layer import EGTLayer
from zoo.layers.feed_forward import HEAD_SHAPES, FeedForward, head_sizes
from zoo.layers.pair_blocks import PairBlocks, masked_mean, require_pairs
from zoo.layers.prediction_head import join_descriptors
from zoo.layers.structure_bias import DistanceBias
from zoo.models.option_ranges import (
    require_choice,
    require_multiple,
    require_positive,
    require_probability,
    require_whole,
)


@dataclass(frozen=True)
class EGTConfig:
    """Options of `EGT`; the defaults are the authors' for ZINC but for the size (theirs is the entry "egt_zinc").

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        bond_size: Number of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of the atoms, a multiple of `num_heads`.
        pair_hidden_size: Width C of the pair states (published for ZINC: 64).
        num_layers: Layers (published for ZINC: 10).
        num_heads: Attention heads.
        num_virtual_nodes: Tokens next to the atoms, whose last states describe the molecule; with 0 the mean of the
            atoms does (published for PCQM4M: 4).
        dropout: Probability of dropping a value, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1) (published for PCQM4M: 0.3).
        random_masking: Probability in training that a head of an atom ignores another atom, in [0, 1).
        scale_products: Divide products of queries and keys by the root of the head's width.
        scale_degree: Multiply what an atom attends to by the logarithm of its number of open gates (published for
            PCQM4M: True).
        ffn_multiplier: Hidden width of the atoms' feed-forward networks, in widths D.
        pair_ffn_multiplier: Hidden width of the pairs' feed-forward networks, in widths C.
        recompute_pairs: Compute updates of pair states again in the backward pass instead of keeping their parts: 0.4
            of the memory for 1.4 of the time (4 layers, 16 molecules of 26 atoms, CPU).
        max_distance: Distances from here on share a vector, in bonds (theirs: those above 16).
        ffn_num_layers: Linear layers of the head.
        head_shape: Hidden layers of the head: "halving" has widths D / 2, D / 4, ..., "constant" width D.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    descriptor_size: int = 0
    hidden_size: int = 64
    pair_hidden_size: int = 32
    num_layers: int = 4
    num_heads: int = 8
    num_virtual_nodes: int = 0
    dropout: float = 0.0
    attention_dropout: float = 0.0
    random_masking: float = 0.1
    scale_products: bool = True
    scale_degree: bool = False
    ffn_multiplier: float = 2.0
    pair_ffn_multiplier: float = 2.0
    recompute_pairs: bool = False
    max_distance: int = 17
    ffn_num_layers: int = 3
    head_shape: str = "halving"

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "descriptor_size": 0,
            "max_distance": 16,
            "num_virtual_nodes": 2,
            "attention_dropout": 0.1,
            "random_masking": 0.0,
            "scale_products": False,
            "scale_degree": True,
            "ffn_multiplier": 1.0,
            "pair_ffn_multiplier": 1.0,
            "ffn_num_layers": 2,
            "head_shape": "constant",
        }
    )
    """Defaults of models saved before their full configuration was; the layer among them is `dgl.nn.EGTLayer`."""

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "pair_hidden_size", "num_layers", "num_heads")
        require_positive(self, "max_distance", "ffn_num_layers")
        require_whole(self, "num_virtual_nodes")
        require_multiple(self, "hidden_size", "num_heads")
        require_probability(self, "dropout", "attention_dropout", "random_masking")
        require_choice(self, "head_shape", HEAD_SHAPES)
        for name in ("ffn_multiplier", "pair_ffn_multiplier"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}={getattr(self, name)!r}: give a number above 0")


class EGTEncoder(nn.Module):
    """Layers over atoms, virtual nodes (if there are any) and the pairs of both."""

    def __init__(self, config: EGTConfig) -> None:
        super().__init__()
        D, C, V = config.hidden_size, config.pair_hidden_size, config.num_virtual_nodes
        self.num_virtual_nodes = V
        self.atom_embedding = nn.Linear(config.atom_size, D)
        self.distance_embedding = DistanceBias(config.max_distance, C)
        self.bond_embedding = nn.Linear(config.bond_size, C, bias=False)
        if V:
            self.virtual_nodes = nn.Parameter(torch.randn(V, D))
            self.virtual_pairs = nn.Parameter(torch.randn(V, C))
        self.layers = nn.ModuleList(
            EGTLayer(
                D,
                C,
                config.num_heads,
                V,
                config.dropout,
                config.attention_dropout,
                update_pairs=number < config.num_layers - 1,
                scale_products=config.scale_products,
                scale_degree=config.scale_degree,
                ffn_multiplier=config.ffn_multiplier,
                pair_ffn_multiplier=config.pair_ffn_multiplier,
                random_masking=config.random_masking,
                recompute_pairs=config.recompute_pairs,
            )
            for number in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(D)

    def pair_states(self, molecules: MoleculeGraph, blocks: PairBlocks) -> list[Tensor]:
        """States (b, L, L, C) before the first layer."""
        pairs = require_pairs(molecules)
        of_bonds = self.bond_embedding(molecules.bond_feats.to(self.bond_embedding.weight.dtype))
        bond = pairs.edata["bond"].long()
        # Row E stands for pairs without a bond.
        of_bonds = F.pad(of_bonds, (0, 0, 0, 1)).index_select(0, bond.where(bond >= 0, of_bonds.shape[0]))
        states = blocks.pairs(self.distance_embedding(pairs.edata["distance"]) + of_bonds)
        return [self.with_virtual_pairs(state) for state in states] if self.num_virtual_nodes else states

    def with_virtual_pairs(self, state: Tensor) -> Tensor:
        """Add the vectors of virtual nodes to a block (b, L, L, C) whose first tokens are virtual.

        A virtual node has one vector for its pairs with atoms; that of two virtual nodes is the mean of theirs.
        """
        V, L = self.num_virtual_nodes, state.shape[1]
        ends = F.pad(self.virtual_pairs, (0, 0, 0, max(L - V, 0)))
        of_virtual = ends[:L, None] + ends[None, :L]
        both = torch.arange(L, device=state.device) < V
        return state + torch.where((both[:, None] & both)[..., None], of_virtual / 2, of_virtual)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """A batch to the states of the virtual nodes, side by side (B, V * D), or to the mean of the atoms (B, D)."""
        V, (blocks, states) = self.num_virtual_nodes, self._states(molecules)
        pooled = [
            x[:, :V].flatten(1) if V else masked_mean(x, mask) for x, mask in zip(states, blocks.masks(), strict=True)
        ]
        return blocks.in_order(pooled)

    def embed_atoms(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        blocks, states = self._states(molecules)
        return blocks.flat_atoms(states)

    def _states(self, molecules: MoleculeGraph) -> tuple[PairBlocks, list[Tensor]]:
        """States of the virtual nodes and the atoms after all layers, in blocks."""
        atoms = self.atom_embedding(molecules.atom_feats.to(self.atom_embedding.weight.dtype))
        V = self.num_virtual_nodes
        blocks = molecules.blocks(leading=V)
        of_pairs, states = self.pair_states(molecules, blocks), []
        for x, pairs, mask in zip(blocks.atoms(atoms), of_pairs, blocks.masks(), strict=True):
            if V:
                virtual = self.virtual_nodes.to(x.dtype).expand(x.shape[0], -1, -1)
                x = torch.cat([virtual, x[:, V:]], dim=1)
            for layer in self.layers:
                x, pairs = layer(x, pairs, mask)
            states.append(self.norm(x))
        return blocks, states


class EGT(nn.Module):
    """The edge-augmented graph transformer for property prediction.

    Needs a featurizer with atom pairs.

    Args:
        config: The options.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> model = EGT(EGTConfig(num_tasks=3)).eval()
        >>> model(CanonicalFeaturizer(pairs=True)("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Hussain et al. 2022 (arXiv:2108.03348); equals the authors' PyTorch code (egt_pytorch) in float64. Differs from
        it in: linear maps of features for embeddings of categories; atoms of different fragments have a vector of their
        own, where theirs are as far as any; virtual nodes do not attend to padding, as theirs do in a batch of several
        sizes; random masking closes gates (see `EGTLayer`); no positional encodings from singular vectors, whose signs
        are arbitrary (nor has the authors' `egt_500k` for ZINC any). Their TensorFlow code for ZINC encodes distances
        by a term for each number of steps up to 16, where this has a vector for each distance.
    """

    config_class: ClassVar[type[EGTConfig]] = EGTConfig
    needs: ClassVar[Needs] = Needs(pairs=True)

    def __init__(self, config: EGTConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = EGTEncoder(config)
        width = max(config.num_virtual_nodes, 1) * config.hidden_size
        sizes = head_sizes(
            width + config.descriptor_size,
            config.hidden_size,
            config.ffn_num_layers,
            config.num_tasks,
            config.head_shape,
        )
        self.head = FeedForward(sizes, "elu", config.dropout)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Last states of the virtual nodes, side by side (B, V * D); without, the mean of the atoms (B, D)."""
        return self.encoder(molecules)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)
