"""MAT: the molecule attention transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from featurizers.needs import Needs
from zoo.layers.feed_forward import FeedForward, head_sizes
from zoo.layers.mat_layer import DENSE_OUTPUTS, MAT_NORMS, MATLayer
from zoo.layers.pair_blocks import MASKED, PairBlocks, masked_mean, require_pairs
from zoo.layers.prediction_head import join_descriptors
from zoo.models.option_ranges import require_choice, require_multiple, require_positive, require_probability

FAR = 1e6
"""Distance to the dummy node and between fragments."""
DISTANCES = {"topological": "distance", "conformer": "distance_3d"}
"""What distances are read, and their name among the features of pairs."""


@dataclass(frozen=True)
class MATConfig:
    """Options of `MAT`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D, a multiple of `num_heads` (published: 1024).
        num_layers: Layers (published: 8).
        num_heads: Attention heads (published: 16).
        attention_share: Weight of attention; with `distance_share` below 1, the rest is the weight of bonds.
        distance_share: Weight of distances.
        distances: "topological" counts bonds (ours); "conformer" is in angstrom between the atoms of a conformer
            (published), which a featurizer with `conformers=True` gives.
        distance_kernel: "exp" or "softmax" of minus the distance.
        isolated_dummy: The dummy node is bonded to nothing and `FAR` from everything, itself included, and its vector
            is that of one more feature, as published. False makes it near and bonded to itself.
        norm: "unbiased" (published: layer norm with the unbiased deviation), "scale" or "layer" (torch's).
        dense_num_layers: Linear layers of the feed-forward networks (published: 1).
        dense_output: What follows the last of them: "leaky_relu" (published), "tanh" or "linear".
        dropout: Probability of dropping a value, in [0, 1).
        ffn_num_layers: Linear layers of the head (published: 1).

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 25
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 4
    num_heads: int = 8
    attention_share: float = 0.33
    distance_share: float = 0.33
    distances: str = "topological"
    distance_kernel: str = "exp"
    isolated_dummy: bool = True
    norm: str = "unbiased"
    dense_num_layers: int = 1
    dense_output: str = "leaky_relu"
    dropout: float = 0.0
    ffn_num_layers: int = 1

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "descriptor_size": 0,
            "distance_kernel": "softmax",
            "isolated_dummy": False,
            "norm": "layer",
            "dense_num_layers": 2,
            "dense_output": "linear",
            "ffn_num_layers": 2,
        }
    )
    """Defaults of models saved before their full configuration was."""

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads")
        require_positive(self, "dense_num_layers", "ffn_num_layers")
        require_multiple(self, "hidden_size", "num_heads")
        require_choice(self, "distances", DISTANCES)
        require_choice(self, "distance_kernel", ("softmax", "exp"))
        require_choice(self, "norm", MAT_NORMS)
        require_choice(self, "dense_output", DENSE_OUTPUTS)
        require_probability(self, "dropout")
        shares = self.attention_share, self.distance_share
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"attention_share, distance_share={shares}: at least 0, together at most 1")


class MATEncoder(nn.Module):
    """Layers over the atoms and a dummy node that is bonded to nothing; the mean of all describes the molecule."""

    def __init__(self, config: MATConfig) -> None:
        super().__init__()
        self.config = config
        D = config.hidden_size
        self.atom_embedding = nn.Linear(config.atom_size, D)
        self.dummy_node = nn.Parameter(torch.empty(D))
        self.layers = nn.ModuleList(
            MATLayer(
                D,
                config.num_heads,
                config.attention_share,
                config.dropout,
                norm=config.norm,
                dense_num_layers=config.dense_num_layers,
                dense_output=config.dense_output,
            )
            for _ in range(config.num_layers)
        )
        self.norm = MAT_NORMS[config.norm](D)
        self.dropout = nn.Dropout(config.dropout)
        self.reset_parameters()

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all matrices by Glorot's uniform rule; the dummy node is one more column of the embedding."""
        both = torch.empty(self.config.hidden_size, 1 + self.config.atom_size)
        nn.init.xavier_uniform_(both)
        self.dummy_node.copy_(both[:, 0])
        self.atom_embedding.weight.copy_(both[:, 1:])
        for layer in self.layers:
            layer.reset_parameters()  # type: ignore[operator]

    def fixed_weights(self, molecules: MoleculeGraph, blocks: PairBlocks, dtype: torch.dtype) -> list[Tensor]:
        """Weights of distances and bonds (b, L, L) of every block; atoms count as bonded to themselves."""
        config, result = self.config, []
        bonds_share = 1 - config.attention_share - config.distance_share
        name = DISTANCES[config.distances]
        features = require_pairs(molecules, name).edata
        # Range and precision of half precision are too small for distances.
        exact = torch.promote_types(dtype, torch.float32)
        steps = features["distance"]
        lengths = features[name].to(exact).masked_fill(steps < 0, FAR)
        parts = blocks.pairs(steps, fill=-1), blocks.pairs(lengths, fill=FAR), blocks.masks()
        for step, length, mask in zip(*parts, strict=True):
            step, length = self.with_dummy(step, length, mask)
            nearness = (-length).masked_fill(~mask[:, None, :], MASKED)
            nearness = nearness.softmax(-1) if config.distance_kernel == "softmax" else nearness.exp()
            bonded = ((step == 0) | (step == 1)).to(exact)
            sums = bonded.sum(-1, keepdim=True)
            bonded = bonded / (sums + 1e-6 if config.isolated_dummy else sums.clamp(min=1))
            weights = config.distance_share * nearness + bonds_share * bonded
            result.append((weights * mask[:, None, :]).to(dtype))
        return result

    def with_dummy(self, step: Tensor, length: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Distances in bonds and lengths (b, L, L) twice, with what the dummy node is to itself."""
        if self.config.isolated_dummy:
            return step, length
        itself = torch.eye(mask.shape[1], dtype=torch.bool, device=mask.device) & mask[:, :, None]
        step = step.masked_fill(itself, 0)
        return step, length.masked_fill(itself, 0).masked_fill(step < 0, -MASKED)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to molecules (B, D)."""
        blocks, states = self._states(molecules)
        return blocks.in_order([masked_mean(x, mask) for x, mask in zip(states, blocks.masks(), strict=True)])

    def embed_atoms(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        blocks, states = self._states(molecules)
        return blocks.flat_atoms(states)

    def _states(self, molecules: MoleculeGraph) -> tuple[PairBlocks, list[Tensor]]:
        """States of the dummy nodes and the atoms after all layers, in blocks."""
        atoms = self.atom_embedding(molecules.atom_feats.to(self.dummy_node.dtype))
        dummy = self.dummy_node.to(atoms.dtype)
        if self.config.isolated_dummy:
            dummy = dummy + self.atom_embedding.bias.to(atoms.dtype)
        blocks = molecules.blocks(leading=1)
        fixed = self.fixed_weights(molecules, blocks, atoms.dtype)
        states = []
        for x, weights, mask in zip(blocks.atoms(atoms), fixed, blocks.masks(), strict=True):
            x = self.dropout(torch.cat([dummy.expand(x.shape[0], 1, -1), x[:, 1:]], dim=1))
            for layer in self.layers:
                x = layer(x, weights, mask)
            states.append(self.norm(x))
        return blocks, states


class MAT(nn.Module):
    """The molecule attention transformer for property prediction.

    Needs a featurizer with atom pairs, and for `distances="conformer"` with conformers. The entry "mat" counts bonds,
    which is ours and needs no conformer; "mat_3d" reads distances in space, as published.

    Args:
        config: The options.

    Example:
        >>> from featurizers import MATFeaturizer
        >>> model = MAT(MATConfig(num_tasks=3, distances="conformer")).eval()
        >>> model(MATFeaturizer(pairs=True, conformers=True)("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Maziarka et al. 2020 (arXiv:2002.08264); equals the authors' code (ardigen/MAT) in float64. Differs from it in:
        the size of the defaults; distances in bonds unless `distances="conformer"`; fragments that are `FAR` from each
        other (theirs lie where RDKit happens to put them); hidden layers of a head with `ffn_num_layers` above 1 are
        not normalized; no learned shares, edge features or adapters.
    """

    config_class: ClassVar[type[MATConfig]] = MATConfig
    needs: ClassVar[Needs] = Needs(pairs=True)

    def __init__(self, config: MATConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = MATEncoder(config)
        D = config.hidden_size
        sizes = head_sizes(D + config.descriptor_size, D, config.ffn_num_layers, config.num_tasks, "constant")
        self.head = FeedForward(sizes, "leaky_relu", config.dropout)
        for parameter in self.head.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Mean of atoms and dummy node (B, D)."""
        return self.encoder(molecules)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)
