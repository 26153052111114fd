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
        size: Number F of descriptors that the model was built for; with 0 it reads none.

    Returns:
        (B, R + F).

    Raises:
        ValueError: The batch lacks the descriptors that the model was built for.

    Example:
        >>> join_descriptors(torch.zeros(2, 8), torch.ones(2, 3), 3).shape
        torch.Size([2, 11])
    """
    if not size:
        return vectors
    if descriptors is None or descriptors.shape[1] != size:
        found = "none" if descriptors is None else f"(B, {descriptors.shape[1]})"
        raise ValueError(
            f"the model needs descriptors (B, {size}) and the batch has {found}: "
            "build the featurizer with the options it had when the model was built, such as "
            'descriptors="rdkit_2d_normalized"'
        )
    return torch.cat([vectors, descriptors.to(vectors.dtype)], dim=1)


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
            ValueError: The batch lacks the descriptors that the head was built for.
        """
        return self.network(join_descriptors(vectors, descriptors, self.descriptor_size))
