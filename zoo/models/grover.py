"""GROVER: message passing inside attention heads, on atoms and on bonds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.activations import ACTIVATIONS
from zoo.layers.branches import logit_of_mean, squared_distance
from zoo.layers.feed_forward import FeedForward
from zoo.layers.grover_encoder import GroverEncoder
from zoo.layers.head_messages import DYNAMIC_DEPTHS
from zoo.layers.message_passing import Graph, mean_rows
from zoo.layers.prediction_head import join_descriptors
from zoo.layers.readout import MeanReadout, SelfAttentiveReadout
from zoo.registry import kinds

SOURCES = ("atom", "bond", "both")
CHOICES = {
    "activation": ACTIVATIONS,
    "readout": ("mean", "self_attention"),
    "dynamic_depth": DYNAMIC_DEPTHS,
    "embedding_output": ("atom", "both"),
}


@dataclass(frozen=True)
class GroverConfig:
    """Options of `Grover`.

    Args:
        task: Kind of target: "classification" (binary, one logit per task), "regression", ...
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        bond_size: Number of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D, a multiple of `num_heads`.
        num_layers: Depth of a message passing, the input included.
        num_heads: Number of attention heads.
        num_blocks: Blocks of each stream.
        activation: "prelu", "relu", "leaky_relu", "tanh", "selu", "elu", "gelu" or "linear".
        dropout: Probability of dropping a value, in [0, 1).
        bias: Biases in the linear layers of the encoder.
        dense: Leave the input out of every message-passing step but the first.
        dynamic_depth: How training draws the depth of each message passing: "truncnorm" (the published code), "uniform"
            or `None` (fixed: from scratch on small sets it learns far better).
        readout: "mean" or "self_attention".
        attention_hidden: Hidden width of the self-attentive readout.
        attention_out: Number of weighted means of the self-attentive readout.
        ffn_hidden_size: Hidden width of the two prediction networks; `None` is `hidden_size`.
        ffn_num_layers: Linear layers of each prediction network.
        distance_coefficient: Weight of the squared difference of the two predictions in the training loss.
        embedding_output: "atom", or "both" to have the bond branches that pre-training uses.
        released_padding: Repeat the padding of the released code, for released weights; predictions then depend on the
            batch.

    Raises:
        ValueError: An option out of its range.
    """

    task: str = "classification"
    num_tasks: int = 1
    atom_size: int = 151
    bond_size: int = 14
    descriptor_size: int = 0
    hidden_size: int = 128
    num_layers: int = 4
    num_heads: int = 4
    num_blocks: int = 1
    activation: str = "prelu"
    dropout: float = 0.0
    bias: bool = False
    dense: bool = False
    dynamic_depth: str | None = None
    readout: str = "mean"
    attention_hidden: int = 4
    attention_out: int = 128
    ffn_hidden_size: int | None = None
    ffn_num_layers: int = 2
    distance_coefficient: float = 0.1
    embedding_output: str = "atom"
    released_padding: bool = False

    def __post_init__(self) -> None:
        kinds.check_task(self.task)
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name}={getattr(self, name)!r}: choose one of {', '.join(map(repr, choices))}")
        for name in ("num_tasks", "hidden_size", "num_layers", "num_heads", "num_blocks", "ffn_num_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)!r}: give a positive number")
        if self.hidden_size % self.num_heads:
            raise ValueError(f"hidden_size={self.hidden_size} is not a multiple of num_heads={self.num_heads}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout={self.dropout}: give a probability in [0, 1)")


class GroverHead(nn.Module):
    """Readout and two prediction networks, one for each of the encoder's atom branches."""

    def __init__(self, config: GroverConfig) -> None:
        super().__init__()
        self.readout: MeanReadout | SelfAttentiveReadout
        if config.readout == "mean":
            self.readout = MeanReadout(config.hidden_size)
        else:
            self.readout = SelfAttentiveReadout(config.hidden_size, config.attention_hidden, config.attention_out)
        self.descriptor_size = config.descriptor_size
        width = config.ffn_hidden_size or config.hidden_size
        hidden = [width] * (config.ffn_num_layers - 1)
        sizes = [self.readout.output_size + config.descriptor_size, *hidden, config.num_tasks]
        self.from_atom = FeedForward(sizes, config.activation, config.dropout, input_dropout=True)
        self.from_bond = FeedForward(sizes, config.activation, config.dropout, input_dropout=True)

    def pool(self, graph: Graph, from_atom: Tensor, from_bond: Tensor) -> tuple[Tensor, Tensor]:
        """Map atoms of both branches (N, D) to molecules, twice (B, R)."""
        return self.readout(graph, from_atom), self.readout(graph, from_bond)

    def forward(self, pooled: tuple[Tensor, Tensor], descriptors: Tensor | None) -> Tensor:
        """Map pooled branches (B, R) and molecule features (B, F) to scores (2, B, T)."""
        from_atom, from_bond = (join_descriptors(vectors, descriptors, self.descriptor_size) for vectors in pooled)
        return torch.stack([self.from_atom(from_atom), self.from_bond(from_bond)])


class Grover(nn.Module):
    """GROVER for property prediction.

    Two streams (atoms, directed bonds) each end in a prediction. Training uses both and pulls them together; the
    prediction is the mean of the two probabilities (classification) or values (regression).

    Args:
        config: The options.

    Example:
        >>> from featurizers import GroverFeaturizer
        >>> model = Grover(GroverConfig(hidden_size=16, num_tasks=3)).eval()
        >>> model(GroverFeaturizer()("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Rong et al. 2020 (arXiv:2007.02835). Differs from the authors' code in: no padding rows unless
        `released_padding`; initial weights (theirs sets every vector to zero, LayerNorm weights and PReLU slopes
        included, which stops learning); the loss in eval mode (theirs takes the sigmoid twice); the first block always
        has an input layer (theirs drops it where widths happen to match).
    """

    config_class: ClassVar[type[GroverConfig]] = GroverConfig
    shares_states: ClassVar[bool] = True

    def __init__(self, config: GroverConfig) -> None:
        super().__init__()
        self.config = config
        self._sigmoid = kinds.task_entry(config.task).facts.get("link") == "sigmoid"
        self.encoder = GroverEncoder(
            config.atom_size,
            config.bond_size,
            config.hidden_size,
            config.num_blocks,
            num_heads=config.num_heads,
            depth=config.num_layers,
            activation=config.activation,
            dropout=config.dropout,
            bias=config.bias,
            dense=config.dense,
            dynamic_depth=config.dynamic_depth,
            bond_outputs=config.embedding_output == "both",
            released_padding=config.released_padding,
        )
        self.head = GroverHead(config)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch.

        Args:
            molecules: Features as the config says.

        Returns:
            In eval mode (B, T): values, or logits whose sigmoid is the mean probability of the two branches. In
            training mode the scores of both branches (2, B, T), which `loss` takes.
        """
        branches = self.head(self._pooled(molecules), molecules.descriptors)
        if self.training:
            return branches
        return logit_of_mean(branches[0], branches[1]) if self._sigmoid else branches.mean(0)

    def loss_parts(
        self, criterion: Callable[[Tensor, Tensor], Tensor], scores: Tensor, targets: Tensor
    ) -> dict[str, Tensor]:
        """Parts of the loss of every target, each (B, T).

        In training mode `L(a, y)`, `L(b, y)` and `c (a - b)^2` for branch scores a, b; in eval mode `L(s, y)`.

        Args:
            criterion: L, from scores (B, S) and targets (B, T) to losses (B, T).
            scores: What `forward` returned, (2, B, S) or (B, S).
            targets: Labels, or (standardized) values (B, T).
        """
        targets = targets.to(scores.dtype)
        if scores.dim() == 2:
            return {"loss": criterion(scores, targets)}
        apart = squared_distance(scores[0], scores[1], targets.shape[1])
        return {
            "from_atom": criterion(scores[0], targets),
            "from_bond": criterion(scores[1], targets),
            "distance": self.config.distance_coefficient * apart,
        }

    def elementwise_loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Loss of every target (B, T): the sum of `loss_parts` with binary cross-entropy or the squared error.

        Args:
            scores: What `forward` returned, (2, B, T) or (B, T).
            targets: Labels in [0, 1] or (standardized) values (B, T).
        """
        criterion = F.binary_cross_entropy_with_logits if self._sigmoid else F.mse_loss
        parts = self.loss_parts(partial(criterion, reduction="none"), scores, targets)
        return torch.stack([*parts.values()]).sum(0)

    def loss(self, scores: Tensor, targets: Tensor, mask: Tensor | None = None) -> Tensor:
        """Mean of `elementwise_loss` over the known targets.

        Args:
            scores: What `forward` returned, (2, B, T) or (B, T).
            targets: (B, T); anything where the mask is 0.
            mask: 1 where a target is known (B, T); `None` knows all.
        """
        mask = torch.ones_like(targets) if mask is None else mask
        losses = self.elementwise_loss(scores, targets.masked_fill(mask == 0, 0.0))
        return (losses * mask).sum() / mask.sum().clamp(min=1)

    def embed(self, molecules: MoleculeGraph, source: str = "atom") -> Tensor:
        """Vectors of molecules before the head, as the released command `fingerprint` gives them.

        Args:
            molecules: B molecules.
            source: "atom" for the pooled atoms of both branches side by side (B, 2R), R being `hidden_size` (times
                `attention_out`); "bond" for the mean bonds of both branches (B, 2D); "both" for all of them.

        Raises:
            ValueError: Another source, or the model has no branches for bonds.
        """
        if source not in SOURCES:
            raise ValueError(f"source={source!r}: choose one of {', '.join(SOURCES)}")
        if source == "atom":
            return torch.cat(self._pooled(molecules), dim=1)
        states, counts = self.encoder(molecules, bonds=True), molecules.graph.batch_num_edges()
        atoms = self.head.pool(molecules.graph, states.atom_from_atom, states.atom_from_bond)
        bonds = [mean_rows(rows, counts) for rows in (states.bond_from_atom, states.bond_from_bond)]
        return torch.cat([*(atoms if source == "both" else ()), *bonds], dim=1)

    def _pooled(self, molecules: MoleculeGraph) -> tuple[Tensor, Tensor]:
        embeddings = self.encoder(molecules)
        return self.head.pool(molecules.graph, embeddings.atom_from_atom, embeddings.atom_from_bond)
