"""The layer of the molecule attention transformer: attention mixed with distances and bonds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.activations import Activation
from zoo.layers.feed_forward import FeedForward
from zoo.layers.norms import ScaleNorm, UnbiasedLayerNorm
from zoo.layers.pair_blocks import MASKED

MAT_NORMS = {"unbiased": UnbiasedLayerNorm, "scale": ScaleNorm, "layer": nn.LayerNorm}
DENSE_OUTPUTS = ("leaky_relu", "tanh", "linear")


class MATLayer(nn.Module):
    """Attention whose weights are partly fixed by the structure, and a feed-forward network.

    The weights are `a softmax(q k / sqrt(D / H)) + fixed`. Both parts are normalized before and added to their input.

    Args:
        hidden_size: Width D.
        num_heads: Heads H, a divisor of D.
        attention_share: Weight a of the softmax, in (0, 1].
        dropout: Probability of dropping a value or a weight, in [0, 1).
        norm: "unbiased" (published), "scale" or "layer" (torch's layer norm).
        dense_num_layers: Linear layers of the feed-forward network, with a leaky ReLU between them.
        dense_output: What follows the last of them: "leaky_relu" (published), "tanh" or "linear".

    Reference:
        Maziarka et al. 2020 (arXiv:2002.08264), equation 2; equals the authors' `EncoderLayer`.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        attention_share: float,
        dropout: float = 0.0,
        *,
        norm: str = "unbiased",
        dense_num_layers: int = 1,
        dense_output: str = "leaky_relu",
    ) -> None:
        super().__init__()
        self.num_heads, self.attention_share = num_heads, attention_share
        self.norm, self.ffn_norm = MAT_NORMS[norm](hidden_size), MAT_NORMS[norm](hidden_size)
        self.query_key_value = nn.Linear(hidden_size, 3 * hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.feed_forward = FeedForward([hidden_size] * (dense_num_layers + 1), "leaky_relu", dropout)
        self.dense_output = Activation(dense_output)
        self.dropout = nn.Dropout(dropout)

    @torch.no_grad()
    def reset_parameters(self) -> None:
        """Draw all matrices by Glorot's uniform rule, queries, keys and values each by themselves."""
        of_ffn = [weight for weight in self.feed_forward.parameters() if weight.dim() > 1]
        for weight in (*self.query_key_value.weight.chunk(3), self.output.weight, *of_ffn):
            nn.init.xavier_uniform_(weight)

    def forward(self, x: Tensor, fixed: Tensor, mask: Tensor) -> Tensor:
        """Update tokens.

        Args:
            x: Tokens (b, L, D).
            fixed: Weights that the structure gives (b, L, L), 0 for padding.
            mask: Whether a token is there (b, L).

        Returns:
            (b, L, D).
        """
        b, L, D = x.shape
        parts = self.query_key_value(self.norm(x)).view(b, L, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()
        scores = query * query.shape[-1] ** -0.5 @ key.transpose(2, 3)
        scores = scores + (~mask).to(scores.dtype)[:, None, None, :] * MASKED
        weights = self.dropout(self.attention_share * scores.softmax(-1) + fixed.unsqueeze(1))
        x = x + self.dropout(self.output((weights @ value).transpose(1, 2).reshape(b, L, D)))
        y = self.dropout(self.dense_output(self.feed_forward(self.ffn_norm(x))))
        return x + self.dropout(y)  # the authors drop twice: in the network, and where it is added
