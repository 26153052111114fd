"""Embedding of feature columns."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class FeatureEmbedding(nn.Module):
    """A learned vector for every feature column, summed with the values of the columns as weights.

    On one-hot columns this is the sum of `torch.nn.Embedding`s, one for each category.

    Args:
        num_columns: Number A of columns.
        hidden_size: Width D.
        std: Standard deviation of the initial vectors; the bias starts at 0.

    Example:
        >>> FeatureEmbedding(3, 8)(torch.eye(3)).shape
        torch.Size([3, 8])
    """

    def __init__(self, num_columns: int, hidden_size: int, std: float = 0.02) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(hidden_size, num_columns) * std)
        self.bias = nn.Parameter(torch.zeros(hidden_size))

    def forward(self, feats: Tensor) -> Tensor:
        """Map features (N, A) to (N, D)."""
        return F.linear(feats, self.weight, self.bias)
