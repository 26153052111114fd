"""Graphormer's layer: dense attention with a bias for every pair of tokens."""

from __future__ import annotations

from torch import Tensor, nn

from zoo.layers.feed_forward import FeedForward


class BiasedAttention(nn.Module):
    """Multi-head attention `softmax(q k / sqrt(D / H) + bias) v`.

    Args:
        hidden_size: Width D.
        num_heads: Heads H, a divisor of D.
        dropout: Probability of dropping an attention weight, in [0, 1).

    Reference:
        Ying et al. 2021 (arXiv:2106.05234), equations 3 and 6; equals `dgl.nn.BiasedMHA`.
    """

    def __init__(self, hidden_size: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.query_key_value = nn.Linear(hidden_size, 3 * hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)
        for part in self.query_key_value.weight.data.chunk(3):
            nn.init.xavier_uniform_(part, gain=2**-0.5)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Map tokens (b, L, D) and biases (b, H, L, L), row i of which token i attends with, to tokens (b, L, D)."""
        b, L, D = x.shape
        parts = self.query_key_value(x).view(b, L, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(2, 3) + bias
        attended = self.dropout(scores.softmax(-1)) @ value
        return self.output(attended.transpose(1, 2).reshape(b, L, D))


class GraphormerLayer(nn.Module):
    """Attention and a feed-forward network, each normalized before and added to its input.

    Args:
        hidden_size: Width D.
        ffn_size: Width of the hidden layer of the feed-forward network.
        num_heads: Heads H, a divisor of D.
        dropout: Probability of dropping a value after the attention and after the network, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        activation_dropout: Probability of dropping a hidden value of the network, in [0, 1).

    Reference:
        Ying et al. 2021 (arXiv:2106.05234), equations 8 and 9; equals `EncoderLayer` of the authors' code (Graphormer
        v1) and, with `activation_dropout=dropout`, `dgl.nn.GraphormerLayer(norm_first=True)`.
    """

    def __init__(
        self,
        hidden_size: int,
        ffn_size: int,
        num_heads: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        activation_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(hidden_size)
        self.attention = BiasedAttention(hidden_size, num_heads, attention_dropout)
        self.ffn_norm = nn.LayerNorm(hidden_size)
        self.feed_forward = FeedForward([hidden_size, ffn_size, hidden_size], "gelu", activation_dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """Map tokens (b, L, D) and biases (b, H, L, L) to tokens (b, L, D)."""
        x = x + self.dropout(self.attention(self.attention_norm(x), bias))
        return x + self.dropout(self.feed_forward(self.ffn_norm(x)))
