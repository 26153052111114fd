"""GPS: message passing along bonds and attention over the whole molecule, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.atom_attention import AtomAttention
from zoo.layers.atom_input import AtomInput
from zoo.layers.feed_forward import HEAD_SHAPES, FeedForward
from zoo.layers.joined_input import JoinedInput
from zoo.layers.message_passing import POOLS, Graph, sum_at_destination
from zoo.layers.molecule_norm import MoleculeNorm
from zoo.layers.normalization import NORMALIZATIONS, normalization
from zoo.layers.pair_blocks import PairBlocks
from zoo.layers.prediction_head import PredictionHead
from zoo.models.option_ranges import (
    require_choice,
    require_multiple,
    require_positive,
    require_probability,
    require_whole,
)


@dataclass(frozen=True)
class GPSConfig:
    """Options of `GPS`; the defaults are the authors' for ZINC but for the size (theirs is the entry "gps_zinc").

    Args:
        num_tasks: Number T of tasks.
        atom_size: Number A of atom features.
        bond_size: Number F of bond features.
        walk_size: Number of random-walk returns of an atom; 0 uses none (published for ZINC: 20).
        laplacian_size: Number of Laplacian vectors; 0 uses none. Their signs are flipped at random in training.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D of atoms and bonds, a multiple of `num_heads`.
        num_layers: Layers (published for ZINC: 10).
        num_heads: Number H of heads of the attention.
        dropout: Probability of dropping a value after message passing, attention and networks, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        encodings: "joined" puts the encodings next to the features, see `JoinedInput`; "added" adds linear maps of
            both.
        walk_width: Columns of the walks where encodings are joined; 0 has the authors' proportion.
        laplacian_width: Columns of the Laplacian vectors where encodings are joined; 0 has the authors' proportion.
        norm: "batch" or "layer".
        norm_scope: What "layer" normalizes: all atoms of a "molecule" together (published), or each "atom".
        readout: "sum" or "mean" of the atoms.
        ffn_num_layers: Linear layers of the head.
        head_shape: Hidden layers of the head: "halving" has widths D / 2, D / 4, ... without dropout (published),
            "constant" width D.

    Raises:
        ValueError: An option out of its range.
    """

    num_tasks: int = 1
    atom_size: int = 74
    bond_size: int = 12
    walk_size: int = 16
    laplacian_size: int = 0
    descriptor_size: int = 0
    hidden_size: int = 64
    num_layers: int = 5
    num_heads: int = 4
    dropout: float = 0.0
    attention_dropout: float = 0.5
    encodings: str = "joined"
    walk_width: int = 0
    laplacian_width: int = 0
    norm: str = "batch"
    norm_scope: str = "molecule"
    readout: str = "sum"
    ffn_num_layers: int = 3
    head_shape: str = "halving"

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {"encodings": "added", "norm_scope": "atom", "ffn_num_layers": 2, "head_shape": "constant"}
    )
    """Defaults of models saved before their full configuration was."""

    def __post_init__(self) -> None:
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads", "ffn_num_layers")
        require_whole(self, "walk_width", "laplacian_width")
        require_multiple(self, "hidden_size", of="num_heads")
        require_probability(self, "dropout", "attention_dropout")
        require_choice(self, "encodings", ("joined", "added"))
        require_choice(self, "norm", NORMALIZATIONS)
        require_choice(self, "norm_scope", ("molecule", "atom"))
        require_choice(self, "readout", POOLS)
        require_choice(self, "head_shape", HEAD_SHAPES)


class GINELayer(nn.Module):
    """Message passing with bond features: `MLP(x_i + sum_j relu(x_j + e_ij))`.

    Args:
        hidden_size: Width D.

    Reference:
        Hu et al. 2020 (arXiv:1905.12265), with the weight of the atom itself fixed at 1, as GPS uses it.
    """

    def __init__(self, hidden_size: int) -> None:
        super().__init__()
        self.network = FeedForward([hidden_size] * 3, "relu")

    def forward(self, graph: Graph, atoms: Tensor, bonds: Tensor) -> Tensor:
        """Map atoms (N, D) and directed bonds (E, D) to atoms (N, D)."""
        source, _ = graph.edges()
        messages = (atoms.index_select(0, source) + bonds).relu()
        return self.network(atoms + sum_at_destination(graph, messages))


class GPSLayer(nn.Module):
    """Message passing and attention on the same input, each with its residual and norm; their sum through a network.

    Args:
        config: The options.

    Reference:
        Rampášek et al. 2022 (arXiv:2205.12454), equations 2 to 5; equals the authors' `GPSLayer` with GINE and
        Transformer.
    """

    def __init__(self, config: GPSConfig) -> None:
        super().__init__()
        D = config.hidden_size
        self.local = GINELayer(D)
        self.attention = AtomAttention(D, config.num_heads, config.attention_dropout)
        self.network = FeedForward([D, 2 * D, D], "relu", config.dropout)
        together = config.norm == "layer" and config.norm_scope == "molecule"
        self.local_norm, self.attention_norm, self.norm = (
            MoleculeNorm(D) if together else normalization(config.norm, D) for _ in range(3)
        )
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, graph: Graph, blocks: PairBlocks, atoms: Tensor, bonds: Tensor) -> Tensor:
        """Map atoms (N, D) and directed bonds (E, D) to atoms (N, D)."""
        local = normalize(self.local_norm, graph, atoms + self.dropout(self.local(graph, atoms, bonds)))
        attended = normalize(self.attention_norm, graph, atoms + self.dropout(self.attention(blocks, atoms)))
        both = local + attended
        return normalize(self.norm, graph, both + self.dropout(self.network(both)))


def normalize(norm: nn.Module, graph: Graph, atoms: Tensor) -> Tensor:
    """Atoms (N, D) through a norm of rows, or through one that needs to know the molecules."""
    return norm(graph, atoms) if isinstance(norm, MoleculeNorm) else norm(atoms)


class GPSEncoder(nn.Module):
    """Input layers and GPS layers.

    Args:
        config: The options.
    """

    def __init__(self, config: GPSConfig) -> None:
        super().__init__()
        sizes = (config.atom_size, config.walk_size, config.laplacian_size, config.hidden_size)
        if config.encodings == "joined":
            self.atom_input: nn.Module = JoinedInput(*sizes, config.walk_width, config.laplacian_width)
        else:
            self.atom_input = AtomInput(*sizes)
        self.bond_input = nn.Linear(config.bond_size, config.hidden_size)
        self.layers = nn.ModuleList(GPSLayer(config) for _ in range(config.num_layers))

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        atoms = self.atom_input(molecules)
        bonds = self.bond_input(molecules.bond_feats.to(atoms.dtype))
        blocks = molecules.blocks()
        for layer in self.layers:
            atoms = layer(molecules.graph, blocks, atoms, bonds)
        return atoms


class GPS(nn.Module):
    """General, powerful, scalable graph transformer for property prediction.

    Args:
        config: The options.

    Example:
        >>> from featurizers import StructuralFeaturizer
        >>> GPS(GPSConfig()).eval()(StructuralFeaturizer(walk_steps=16)("CCO")).shape
        torch.Size([1, 1])

    Reference:
        Rampášek et al. 2022 (arXiv:2205.12454), section 3.3 and figure D.1, GINE with attention; layer, encodings and
        head as in the authors' configuration for ZINC (`zinc-GPS+RWSE`). Differs from it in: the size of the defaults;
        linear maps of features for embeddings of categories; Laplacian vectors of the normalized Laplacian without the
        constant one, with signs drawn for each molecule (theirs: for a batch); batches of one atom are normalized by
        the running statistics.
    """

    config_class: ClassVar[type[GPSConfig]] = GPSConfig

    def __init__(self, config: GPSConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = GPSEncoder(config)
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
