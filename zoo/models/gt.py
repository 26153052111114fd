"""GT: a transformer whose atoms attend to the atoms that they are bonded to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.atom_input import AtomInput
from zoo.layers.feed_forward import HEAD_SHAPES, FeedForward
from zoo.layers.message_passing import (
    POOLS,
    Graph,
    softmax_at_destination,
    sum_at_destination,
    sum_weighted_neighbors,
)
from zoo.layers.normalization import NORMALIZATIONS, normalization
from zoo.layers.prediction_head import PredictionHead
from zoo.models.option_ranges import require_choice, require_multiple, require_positive, require_probability

LARGEST_SCORE = 5.0
"""Scores are kept within plus and minus this by `clip_scores`."""


@dataclass(frozen=True)
class GTConfig:
    """Options of `GT`.

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        walk_size: Number of random-walk returns of an atom; 0 uses none.
        laplacian_size: Number of Laplacian vectors; 0 uses none.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of atoms and bonds, a multiple of `num_heads`.
        num_layers: Transformer layers.
        num_heads: Number H of heads.
        dropout: Probability of dropping a value after attention and networks, in [0, 1).
        norm: "batch" or "layer".
        sign_flips: Flip the signs of Laplacian vectors at random in training.
        clip_scores: Clip the score of a bond to plus or minus 5 before the softmax, and add 1e-6 to its denominator, as
            the authors' code does; False is the paper's softmax.
        readout: "mean" or "sum" of the atoms.
        ffn_num_layers: Linear layers of the head (published: 3).
        head_shape: Hidden layers of the head: "constant" width D, or D / 2, D / 4, ... by "halving" (published).

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    walk_size: int = 0
    laplacian_size: int = 8
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 6
    num_heads: int = 8
    dropout: float = 0.0
    norm: str = "batch"
    sign_flips: bool = True
    clip_scores: bool = False
    readout: str = "mean"
    ffn_num_layers: int = 2
    head_shape: str = "constant"

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads", "ffn_num_layers")
        require_multiple(self, "hidden_size", of="num_heads")
        require_probability(self, "dropout")
        require_choice(self, "norm", NORMALIZATIONS)
        require_choice(self, "readout", POOLS)
        require_choice(self, "head_shape", HEAD_SHAPES)


class ResidualNetwork(nn.Module):
    """The second half of a transformer layer, after the attention: `x <- norm(x + y)`, `x <- norm(x + FFN(x))`."""

    def __init__(self, hidden_size: int, dropout: float, norm: str) -> None:
        super().__init__()
        self.output = nn.Linear(hidden_size, hidden_size)
        self.network = FeedForward([hidden_size, 2 * hidden_size, hidden_size], "relu", dropout)
        self.first_norm, self.second_norm = normalization(norm, hidden_size), normalization(norm, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, attended: Tensor) -> Tensor:
        """Map rows (n, D) and what attention says about them (n, D), to rows (n, D)."""
        x = self.first_norm(x + self.output(self.dropout(attended)))
        return self.second_norm(x + self.network(x))


class GTLayer(nn.Module):
    """Attention along bonds, weighted by the bond; updates atoms and, except in the last layer, bonds.

    For head h with queries q, keys k, values v of atoms and p of bonds, the score of a bond j -> i is the vector
    `s_ij = q_i * k_j * p_ij / sqrt(D / H)` (element by element); the weight of j is the softmax over the bonds that
    end at i of its sum, and the bond's own message is `s_ij`.

    Args:
        config: The options.
        updates_bonds: False in the last layer, whose bonds nobody reads.
    """

    def __init__(self, config: GTConfig, updates_bonds: bool) -> None:
        super().__init__()
        D = config.hidden_size
        self.num_heads, self.scale = config.num_heads, (D // config.num_heads) ** -0.5
        self.query_key_value = nn.Linear(D, 3 * D, bias=False)
        self.clip_scores = config.clip_scores
        self.bond = nn.Linear(D, D, bias=False)
        self.atom_update = ResidualNetwork(D, config.dropout, config.norm)
        self.bond_update = ResidualNetwork(D, config.dropout, config.norm) if updates_bonds else None

    def forward(self, graph: Graph, atoms: Tensor, bonds: Tensor) -> tuple[Tensor, Tensor]:
        """Map atoms (N, D) and directed bonds (E, D) to the same."""
        source, destination = graph.edges()
        query, key, value = self.query_key_value(atoms).unflatten(1, (3, self.num_heads, -1)).unbind(1)
        scores = query.index_select(0, destination) * key.index_select(0, source) * self.scale
        scores = scores * self.bond(bonds).unflatten(1, (self.num_heads, -1))
        attended = self.attend(graph, scores.sum(-1), value.contiguous()).flatten(1)
        if self.bond_update is not None:
            bonds = self.bond_update(bonds, scores.flatten(1))
        return self.atom_update(atoms, attended), bonds

    def attend(self, graph: Graph, scores: Tensor, value: Tensor) -> Tensor:
        """Map scores of bonds (E, H) and values (N, H, D / H) to what every atom attends to (N, H, D / H)."""
        if not self.clip_scores:
            return sum_weighted_neighbors(graph, value, softmax_at_destination(graph, scores))
        weights = scores.clamp(-LARGEST_SCORE, LARGEST_SCORE).exp()
        total = sum_at_destination(graph, weights).unsqueeze(2) + 1e-6
        return sum_weighted_neighbors(graph, value, weights) / total


class GTEncoder(nn.Module):
    """Input layers and transformer layers.

    Args:
        config: The options.
    """

    def __init__(self, config: GTConfig) -> None:
        super().__init__()
        D = config.hidden_size
        self.atom_input = AtomInput(
            config.atom_size, config.walk_size, config.laplacian_size, D, sign_flips=config.sign_flips
        )
        self.bond_input = nn.Linear(config.bond_size, D)
        last = config.num_layers - 1
        self.layers = nn.ModuleList(GTLayer(config, updates_bonds=number < last) for number in range(config.num_layers))

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        atoms = self.atom_input(molecules)
        bonds = self.bond_input(molecules.bond_feats.to(atoms.dtype))
        for layer in self.layers:
            atoms, bonds = layer(molecules.graph, atoms, bonds)
        return atoms


class GT(nn.Module):
    """Graph transformer with sparse attention for property prediction.

    Laplacian vectors have arbitrary signs, and arbitrary rotations where eigenvalues repeat, as in symmetric molecules.
    The featurizer's choice does not depend on the order of atoms (see `featurizers.structural.laplacian_vectors`), so
    predictions do not either; but among equivalent choices it is one of many.

    Args:
        config: The options.

    Example:
        >>> from featurizers import StructuralFeaturizer
        >>> featurizer = StructuralFeaturizer(walk_steps=0, num_vectors=8)
        >>> GT(GTConfig()).eval()(featurizer("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Dwivedi & Bresson 2021 (arXiv:2012.09699), equations 3 to 12; there 10 layers. Differs from the authors' code
        (graphdeeplearning/graphtransformer) in: linear maps of features for embeddings of categories; an exact softmax
        (theirs is `clip_scores=True`); a head of one hidden layer (theirs is `ffn_num_layers=3, head_shape="halving"`);
        signs drawn for each molecule (theirs: for a batch); no bond update in the last layer, which nothing reads;
        batches of one atom are normalized by the running statistics.
    """

    config_class: ClassVar[type[GTConfig]] = GTConfig

    def __init__(self, config: GTConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GTEncoder(config)
        self.head = PredictionHead(
            config.hidden_size,
            config.descriptor_size,
            config.hidden_size,
            config.ffn_num_layers,
            config.num_tasks,
            "relu",
            config.dropout if config.head_shape == "constant" else 0.0,
            config.head_shape,
        )

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Pooled atoms (B, D)."""
        return POOLS[self.config.readout](molecules.graph, self.encoder(molecules))

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        return self.head(self.embed(molecules), molecules.descriptors)
