"""Attention between the heads of one atom or bond."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.tracing import is_exported


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
        return self.output(self.attend(queries, keys, values).transpose(1, 2).flatten(2)).flatten(1)

    def attend(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """Attend, without the last product.

        Args:
            queries: (n, H, D), fastest where each head is contiguous.
            keys: (n, H, D).
            values: (n, H, D).

        Returns:
            The parts of each row (n, P, H, D / P), P being `num_heads`; each of the H heads has its part of every one
            of the P vectors.
        """
        query, key, value = (
            self._parts(rows, weight, bias)
            for rows, weight, bias in zip((queries, keys, values), self.weight, self.bias, strict=True)
        )
        # The sequences are as short as there are heads: products of small matrices, with a softmax over an outer axis,
        # take half the time of the fused kernel.
        with torch.autocast(queries.device.type, enabled=False):
            scores = row_products(query, key) * query.shape[-1] ** -0.5
            weights = self._drop(scores.permute(2, 0, 1).softmax(0).permute(1, 2, 0))
            attended = weights @ value
        return attended.to(queries.dtype).view(queries.shape[0], self.num_heads, *attended.shape[1:])

    def attend_jointly(self, heads: Tensor) -> Tensor:
        """Attend as `attend` does, with the fewest operations and copies.

        Args:
            heads: Queries, keys and values, one head after another (3, H, n, D), contiguous.

        Returns:
            The parts of each row (n, P, H, D / P).
        """
        _, H, n, D = heads.shape
        products = torch.baddbmm(self.bias.unsqueeze(1), heads.view(3, H * n, D), self.weight)
        query, key, value = products.view(3, H, n * H, D // H).transpose(1, 2).unbind()
        weights = self._drop((query @ key.transpose(1, 2) * (D // H) ** -0.5).softmax(-1))
        return (weights.to(value.dtype) @ value).view(n, H, H, D // H)

    def _drop(self, weights: Tensor) -> Tensor:
        return F.dropout(weights.contiguous(), self.dropout) if self.dropout and self.training else weights

    def _parts(self, rows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Map heads (n, H, D) to the parts of their products (n * P, H, D / P), a sequence for each row and part.

        They are in single precision at least, in which small matrices are multiplied fast, and a view of the products
        where these are: a row of a sequence lies n * D numbers after the one before.
        """
        n, H, D = rows.shape
        products = torch.addmm(bias, rows.transpose(0, 1).reshape(H * n, D), weight)
        products = products.to(torch.promote_types(products.dtype, torch.float32))
        return products.view(H, n * self.num_heads, D // self.num_heads).transpose(0, 1)


def row_products(left: Tensor, right: Tensor) -> Tensor:
    """Products of the rows of two batches of matrices, (b, i, d) and (b, j, d) to (b, i, j)."""
    return left @ right.transpose(1, 2) if is_exported() else _RowProducts.apply(left, right)


class _RowProducts(torch.autograd.Function):
    """`left @ right.T`, whose gradient for `right` is not the transpose of many small matrices."""

    @staticmethod
    def forward(ctx: Any, left: Tensor, right: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(left, right)
        return left @ right.transpose(1, 2)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        left, right = ctx.saved_tensors
        return grad @ right, grad.transpose(1, 2) @ left
