"""The last part of most models: a vector of each molecule, and its descriptors, to scores."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.feed_forward import FeedForward, head_sizes


def join_descriptors(vectors: Tensor, descriptors: Tensor | None, size: int) -> Tensor:
    """Molecule vectors with the descriptors of the molecules next to them.

    Args:
        vectors: (B, R).
        descriptors: (B, F), or `None`.
        size: Number F of descriptors that the model was built for; 0 for none.

    Returns:
        (B, R + F).

    Raises:
        ValueError: The batch has other descriptors than the model was built for, or none.

    Example:
        >>> join_descriptors(torch.zeros(2, 8), torch.ones(2, 3), 3).shape
        torch.Size([2, 11])
    """
    found = 0 if descriptors is None else descriptors.shape[1]
    if found and not size:
        raise ValueError(
            f"the batch has descriptors (B, {found}) and the model was built without: build the featurizer without "
            f"descriptors, or the model with descriptor_size={found}"
        )
    if found != size:
        has = "none" if descriptors is None else f"(B, {found})"
        raise ValueError(
            f"the model needs descriptors (B, {size}) and the batch has {has}: "
            "build the featurizer with the options it had when the model was built"
        )
    return vectors if descriptors is None or not size else torch.cat([vectors, descriptors.to(vectors.dtype)], dim=1)


class PredictionHead(nn.Module):
    """A feed-forward network on molecule vectors, with descriptors of the molecule joined to them.

    Args:
        vector_size: Width R of the vectors.
        descriptor_size: Number F of descriptors; 0 uses none.
        hidden_size: Width of the hidden layers.
        num_layers: Linear layers, at least 1.
        num_tasks: Number T of tasks.
        activation: Name of the activation.
        dropout: Probability of dropping a value before each linear layer, in [0, 1).
        shape: Widths of the hidden layers, see `head_sizes`.

    Example:
        >>> head = PredictionHead(8, 0, 16, 2, 3, "relu")
        >>> head(torch.zeros(5, 8)).shape
        torch.Size([5, 3])
    """

    def __init__(
        self,
        vector_size: int,
        descriptor_size: int,
        hidden_size: int,
        num_layers: int,
        num_tasks: int,
        activation: str,
        dropout: float = 0.0,
        shape: str = "constant",
    ) -> None:
        super().__init__()
        self.descriptor_size = descriptor_size
        sizes = head_sizes(vector_size + descriptor_size, hidden_size, num_layers, num_tasks, shape)
        self.network = FeedForward(sizes, activation, dropout, input_dropout=True)

    def forward(self, vectors: Tensor, descriptors: Tensor | None = None) -> Tensor:
        """Vectors (B, R) and descriptors (B, F) to scores (B, T).

        Raises:
            ValueError: The batch has other descriptors than the head was built for.
        """
        return self.network(join_descriptors(vectors, descriptors, self.descriptor_size))
