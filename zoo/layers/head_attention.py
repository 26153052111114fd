"""Attention between the heads of one atom or bond."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class HeadAttention(nn.Module):
    """Multi-head attention whose sequence is the heads of one row: rows never mix.

    Args:
        hidden_size: Width D of each head.
        num_heads: Number H of heads, which is the length of the sequence and also the number of parts that attention
            splits each vector into.
        dropout: Probability of dropping an attention weight in training, in [0, 1).
        bias: Add a bias to the output; query, key and value always have one.

    Raises:
        ValueError: `hidden_size` is not a multiple of `num_heads`.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), section 4.1; which axis attends is as in the authors' code.
    """

    def __init__(self, hidden_size: int, num_heads: int, dropout: float = 0.0, bias: bool = False) -> None:
        super().__init__()
        if hidden_size % num_heads:
            raise ValueError(
                f"hidden_size={hidden_size} is not a multiple of num_heads={num_heads}: change one of them"
            )
        self.num_heads, self.dropout = num_heads, dropout
        # Of query, key and value; weight[i] multiplies from the right.
        self.weight = nn.Parameter(torch.empty(3, hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.zeros(3, hidden_size))
        self.output = nn.Linear(hidden_size, hidden_size, bias=bias)
        for weight in (*self.weight, self.output.weight):
            nn.init.xavier_normal_(weight.data)

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend.

        Args:
            queries: One vector of each head for each row (n, H, D).
            keys: (n, H, D).
            values: (n, H, D).

        Returns:
            The heads of each row after attention, side by side (n, H * D).
        """
        return self.output(self.attend(queries, keys, values)).flatten(1)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend, without the last product: (n, H, D) three times to (n, H, D)."""
        n, H, D = queries.shape
        query, key, value = (
            self._parts(rows, weight, bias)
            for rows, weight, bias in zip((queries, keys, values), self.weight, self.bias, strict=True)
        )
        dropout = self.dropout if self.training else 0.0
        # The sequences are as short as there are heads: products of small matrices, with a softmax over an outer axis,
        # take half the time of the fused kernel.
        with torch.autocast(queries.device.type, enabled=False):
            scores = query @ key.transpose(1, 2) * (D // H) ** -0.5
            weights = scores.permute(2, 0, 1).softmax(0).permute(1, 2, 0)
            weights = F.dropout(weights.contiguous(), dropout) if dropout else weights
            attended = (weights @ value).view(n, H, H, D // H).transpose(1, 2)
        return attended.to(queries.dtype, memory_format=torch.contiguous_format).reshape(n, H, D)

    def attend_jointly(self, heads: Tensor) -> Tensor:
        """Attend as `attend` does, with the fewest operations and copies.

        Args:
            heads: Queries, keys and values, one head after another (3, H, n, D), contiguous.

        Returns:
            The parts of each row after attention (n, P, H, D / P), P being `num_heads`; each of the H heads has its
            part of every one of the P vectors.
        """
        _, H, n, D = heads.shape
        products = torch.baddbmm(self.bias.unsqueeze(1), heads.view(3, H * n, D), self.weight)
        query, key, value = products.view(3, H, n * H, D // H).transpose(1, 2).unbind()
        weights = (query @ key.transpose(1, 2) * (D // H) ** -0.5).softmax(-1)
        dropout = self.dropout if self.training else 0.0
        weights = F.dropout(weights, dropout) if dropout else weights
        return (weights.to(value.dtype) @ value).view(n, H, H, D // H)

    def _parts(self, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Map heads (n, H, D) to the parts of their products (n * H, H, D / H), a sequence for each row and part.

        They are in single precision at least, in which small matrices are multiplied fast.
        """
        n, H, D = rows.shape
        products = torch.addmm(bias, rows.transpose(0, 1).reshape(H * n, D), weight)
        parts = products.view(H, n, H, D // H).permute(1, 2, 0, 3)
        dtype = torch.promote_types(products.dtype, torch.float32)
        return parts.to(dtype, memory_format=torch.contiguous_format).reshape(n * H, H, D // H)
