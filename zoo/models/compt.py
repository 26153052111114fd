"""CoMPT: attention over all atoms of a molecule, weakened with their distance, and a GRU as readout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from types import MappingProxyType
from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from featurizers.needs import Needs
from zoo.layers.compt_attention import KERNELS
from zoo.layers.compt_encoder import ComptEncoder
from zoo.layers.gru_readout import GRUReadout
from zoo.layers.message_passing import Graph
from zoo.layers.norms import NORMS
from zoo.layers.prediction_head import join_descriptors
from zoo.models.option_ranges import require_choice, require_multiple, require_positive, require_probability
from zoo.registry import kinds
from zoo.registry.catalog.targets import NUMBERS, ZERO_ONE

LOSSES = {ZERO_ONE: ("bce",), NUMBERS: ("mse", "mae", "rmse")}
ELEMENTWISE: dict[str, Any] = {
    "bce": F.binary_cross_entropy_with_logits,
    "mse": F.mse_loss,
    "mae": F.l1_loss,
    "rmse": F.mse_loss,
}


@dataclass(frozen=True)
class ComptConfig:
    """Options of `Compt`.

    Args:
        task: Kind of target: "classification" (binary, one logit per task), "regression", ...
        num_tasks: Number T of tasks.
        atom_size: Number of atom features.
        bond_size: Number of bond features.
        descriptor_size: Number of molecule features that are joined to the readout; 0 uses none.
        hidden_size: Width D, a multiple of `num_heads`.
        num_layers: Layers of attention.
        num_heads: Number of attention heads.
        ffn_num_layers: Linear layers after each attention.
        head_num_layers: Linear layers of the prediction network.
        distance_kernel: How attention weakens with distance: "exp" or "softmax".
        norm: "layer" or "scale".
        dropout: Probability of dropping a value, in [0, 1).
        positions: Give every place in the molecule a learned vector. Without, only the GRU depends on the order of the
            atoms.
        max_positions: Size of the table of these vectors; later atoms share the last.
        loss: "bce", "mse", "mae" or "rmse" (the root of the batch's mean square); `None` takes "bce" for
            classification, "mse" for regression.
        released_padding: Read padding in the readout as the released code does; predictions then depend on its length.
        padded_length: Length that `released_padding` fills molecules up to; 0 is that of the batch's longest molecule.

    Raises:
        ValueError: An option out of its range.
    """

    task: str = "classification"
    num_tasks: int = 1
    atom_size: int = 115
    bond_size: int = 13
    descriptor_size: int = 0
    hidden_size: int = 256
    num_layers: int = 4
    num_heads: int = 4
    ffn_num_layers: int = 1
    head_num_layers: int = 2
    distance_kernel: str = "exp"
    norm: str = "layer"
    dropout: float = 0.0
    positions: bool = True
    max_positions: int = 128
    loss: str | None = None
    released_padding: bool = False
    padded_length: int = 0

    legacy_defaults: ClassVar[Mapping[str, Any]] = MappingProxyType({"descriptor_size": 0})
    """Defaults at the time of the checkpoints that do not hold their full configuration."""

    def __post_init__(self) -> None:
        require_choice(self, "distance_kernel", KERNELS)
        require_choice(self, "norm", NORMS)
        require_choice(self, "loss", (None, *LOSSES.get(kinds.labels_of(self.task), ())))
        require_positive(self, "num_tasks", "hidden_size", "num_layers", "num_heads", "ffn_num_layers")
        require_positive(self, "head_num_layers", "max_positions")
        require_multiple(self, "hidden_size", "num_heads")
        require_probability(self, "dropout")
        if self.padded_length and not self.released_padding:
            raise ValueError(f"padded_length={self.padded_length} has no effect without released_padding=True")


class ComptHead(nn.Module):
    """GRU readout and a prediction network with Mish, normalization and dropout between its linear layers."""

    def __init__(self, config: ComptConfig) -> None:
        super().__init__()
        D = config.hidden_size
        self.descriptor_size = config.descriptor_size
        sizes = [D + config.descriptor_size, *[D] * (config.head_num_layers - 1), config.num_tasks]
        self.readout = GRUReadout(D, config.padded_length if config.released_padding else None)
        self.hidden = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes[:-1]))
        self.norms = nn.ModuleList(NORMS[config.norm](D) for _ in self.hidden)
        self.dropout = nn.Dropout(config.dropout)
        self.output = nn.Linear(sizes[-2], config.num_tasks)

    def pool(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        return self.readout(graph, node_feats)

    def forward(self, x: Tensor, descriptors: Tensor | None = None) -> Tensor:
        """Map molecules (B, D) and their descriptors (B, F) to scores (B, T)."""
        x = join_descriptors(x, descriptors, self.descriptor_size)
        for linear, norm in zip(self.hidden, self.norms, strict=True):
            x = self.dropout(norm(F.mish(linear(x))))
        return self.output(x)


class Compt(nn.Module):
    """CoMPT for property prediction.

    Needs a featurizer with atom pairs. Its outputs depend on the order of the atoms, by the table of positions and by
    the readout; `ComptFeaturizer(canonical_order=True)` makes that order a matter of the molecule alone.

    Args:
        config: The options.

    Example:
        >>> from featurizers import ComptFeaturizer
        >>> model = Compt(ComptConfig(hidden_size=16, num_tasks=3)).eval()
        >>> model(ComptFeaturizer()("CCO")).shape
        torch.Size([1, 3])

    Reference:
        Chen et al. 2021 (arXiv:2107.08773). Differs from the authors' code in: no padding unless `released_padding`; no
        edge update (computed there and discarded); no biases of keys (they cancel in the softmax); exact attention at
        O(P D) cost (see `ComptAttention`); atoms beyond the table of positions are allowed.
    """

    config_class: ClassVar[type[ComptConfig]] = ComptConfig
    needs: ClassVar[Needs] = Needs(pairs=True)
    atom_order_matters: ClassVar[bool] = True

    def __init__(self, config: ComptConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = ComptEncoder(
            config.atom_size,
            config.bond_size,
            config.hidden_size,
            config.num_layers,
            positions=config.max_positions if config.positions else 0,
            norm=config.norm,
            num_heads=config.num_heads,
            kernel=config.distance_kernel,
            ffn_num_layers=config.ffn_num_layers,
            dropout=config.dropout,
        )
        self.head = ComptHead(config)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        return self.head(self.embed(molecules), molecules.descriptors)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Molecule vectors before the prediction network (B, D)."""
        return self.head.pool(molecules.graph, self.encoder(molecules))

    @property
    def own_criterion(self) -> bool:
        """Whether the options name a loss, which takes the place of the task's."""
        return self.config.loss is not None

    def loss_parts(
        self, criterion: Callable[[Tensor, Tensor], Tensor], scores: Tensor, targets: Tensor
    ) -> dict[str, Tensor]:
        """Loss of every label (B, T) under its name: the one that the options name, else the criterion's."""
        name = self.config.loss
        if name is None:
            return {"loss": criterion(scores, targets)}
        return {name: ELEMENTWISE[name](scores, targets.to(scores.dtype), reduction="none")}

    def reduce_loss(self, losses: Tensor, mask: Tensor) -> Tensor:
        """Mean loss (B, T) over the known labels, a scalar, and for "rmse" its root."""
        mask = mask.to(losses.dtype)
        mean = (losses * mask).sum() / mask.sum().clamp(min=1)
        return mean.clamp(min=1e-12).sqrt() if self.config.loss == "rmse" else mean

    def loss(self, scores: Tensor, targets: Tensor, mask: Tensor) -> Tensor:
        """Training loss, a scalar, with binary cross-entropy or the squared error where the options name none.

        Args:
            scores: (B, T).
            targets: (B, T); anything where the mask is 0.
            mask: 1 where a label is known (B, T).
        """
        usual = LOSSES[kinds.labels_of(self.config.task)][0]
        criterion = partial(ELEMENTWISE[usual], reduction="none")
        parts = self.loss_parts(criterion, scores, targets.masked_fill(mask == 0, 0.0).to(scores.dtype))
        return self.reduce_loss(next(iter(parts.values())), mask)
