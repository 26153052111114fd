"""One block of GROVER's encoder: message passing of all heads, then attention between the heads."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.head_attention import HeadAttention
from zoo.layers.head_messages import HeadMessages
from zoo.layers.head_plan import advances_jointly
from zoo.layers.passage import Passage
from zoo.layers.tracing import is_exported


class GroverBlock(nn.Module):
    """Update of atoms (or directed bonds) from their neighbours.

    Args:
        hidden_size: Width D.
        num_heads: Number H of attention heads; each takes its query, key and value from its own message passing.
        depth: States of a message passing, the input included.
        activation: Name of the activation.
        dropout: Probability of dropping a value, in [0, 1).
        bias: Biases in the linear layers.
        dense: See `HeadMessages`.
        dynamic_depth: See `HeadMessages`.

    Reference:
        Rong et al. 2020 (arXiv:2007.02835), section 4.1 (GTransformer), without a residual connection as in the
        authors' code.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        depth: int,
        activation: str,
        dropout: float = 0.0,
        bias: bool = False,
        dense: bool = False,
        dynamic_depth: str | None = None,
    ) -> None:
        super().__init__()
        self.messages = HeadMessages(
            hidden_size, 3 * num_heads, depth, activation, dropout, bias, dense, dynamic_depth, num_groups=3
        )
        self.attention = HeadAttention(hidden_size, num_heads, dropout, bias)
        self.merge = nn.Linear(num_heads * hidden_size, hidden_size, bias=bias)
        self.norm = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, passage: Passage) -> Tensor:
        """Map states (n, D) to states of the rows with which the passage ends (m, D)."""
        if advances_jointly(x):
            parts = self.attention.attend_jointly(self.messages.joint(x, passage).unflatten(0, (3, -1)))
        else:
            parts = self.attention.attend(*self.messages(x, passage))
        return self.dropout(self.norm(self._merge(parts)))

    def _merge(self, parts: Tensor) -> Tensor:
        """Parts of heads (n, P, H, D / P) through the attention's last product and the one that joins, to (n, D).

        Nothing comes between the two: with more rows than columns it takes less time to multiply the weights first.
        They also change places instead of the rows.
        """
        n, P, H, d = parts.shape
        if not is_exported() and n <= P * d:
            return self.merge(self.attention.output(parts.transpose(1, 2).flatten(2)).flatten(1))
        weight, bias = self._merging_weight()
        return F.linear(parts.flatten(1), weight.view(-1, H, P, d).transpose(1, 2).flatten(1), bias)

    def _merging_weight(self) -> tuple[Tensor, Tensor | None]:
        """Product (D, H, D) of the attention's last weights and those that join the heads, and its bias (D,)."""
        output, merge = self.attention.output, self.merge
        H, D = self.attention.num_heads, output.in_features
        per_head = merge.weight.view(D, H, D)
        bias: Tensor | None = merge.bias
        if bias is not None and output.bias is not None:
            bias = per_head.sum(1) @ output.bias + bias
        return per_head @ output.weight, bias
