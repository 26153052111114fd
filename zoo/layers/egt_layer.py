"""The layer of the edge-augmented graph transformer: tokens and their pairs both have states."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zoo.layers.feed_forward import FeedForward
from zoo.layers.pair_blocks import MASKED

LARGEST_PRODUCT = 5.0
"""Products of queries and keys are kept within plus and minus this."""


class EGTLayer(nn.Module):
    """Attention whose scores and gates come from pair states, and which writes its scores back into them.

    For tokens h and pairs e: `s_ij = clamp(q_i . k_j / sqrt(D / H)) + W e_ij`, `g_ij = sigmoid(W' e_ij)`,
    `h_i += W'' c_i sum_j softmax_j(s_ij) g_ij v_j` with the degree scaler `c_i = log(1 + sum_j g_ij)` (1 without
    `scale_degree`, and for virtual nodes), `e_ij += W''' s_ij`; then both go through a feed-forward network. Everything
    is normalized before it is read.

    Args:
        hidden_size: Width D.
        pair_hidden_size: Width C of the pair states.
        num_heads: Heads H, a divisor of D.
        num_virtual_nodes: Tokens at the beginning that are not atoms.
        dropout: Probability of dropping a value, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        update_pairs: Whether the pair states change; nothing reads them after the last layer.
        scale_products: Divide products of queries and keys by the root of the head's width.
        scale_degree: Multiply what a token attends to by its degree scaler.
        ffn_multiplier: Hidden width of the tokens' feed-forward network, in widths D.
        pair_ffn_multiplier: Hidden width of the pairs' feed-forward network, in widths C.
        random_masking: Probability in training that a head of a token ignores another token, in [0, 1).
        recompute_pairs: Compute the update of the pairs again in the backward pass instead of keeping its parts.

    Reference:
        Hussain et al. 2022 (arXiv:2108.03348), equations 1 to 9; equals the authors' `EGT_Layer` (egt_pytorch). Random
        masking closes the gates too, as in the authors' TensorFlow code, with which they trained on ZINC; their PyTorch
        code leaves the gates open. `dgl.nn.EGTLayer` is `scale_products=False, scale_degree=True, ffn_multiplier=1,
        pair_ffn_multiplier=1`.
    """

    def __init__(
        self,
        hidden_size: int,
        pair_hidden_size: int,
        num_heads: int,
        num_virtual_nodes: int = 0,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        update_pairs: bool = True,
        *,
        scale_products: bool = True,
        scale_degree: bool = False,
        ffn_multiplier: float = 2.0,
        pair_ffn_multiplier: float = 2.0,
        random_masking: float = 0.0,
        recompute_pairs: bool = False,
    ) -> None:
        super().__init__()
        D, C = hidden_size, pair_hidden_size
        self.num_heads, self.num_virtual_nodes = num_heads, num_virtual_nodes
        self.scale = (D // num_heads) ** -0.5 if scale_products else 1.0
        self.scale_degree, self.random_masking = scale_degree, random_masking
        self.norm, self.pair_norm = nn.LayerNorm(D), nn.LayerNorm(C)
        self.query_key_value = nn.Linear(D, 3 * D)
        self.score_and_gate = nn.Linear(C, 2 * num_heads)
        self.output = nn.Linear(D, D)
        self.ffn_norm, self.feed_forward = nn.LayerNorm(D), FeedForward([D, round(ffn_multiplier * D), D], "elu")
        self.dropout, self.attention_dropout = nn.Dropout(dropout), nn.Dropout(attention_dropout)
        self.update_pairs, self.recompute_pairs = update_pairs, recompute_pairs
        if update_pairs:
            self.pair_output, self.pair_ffn_norm = nn.Linear(num_heads, C), nn.LayerNorm(C)
            self.pair_feed_forward = FeedForward([C, round(pair_ffn_multiplier * C), C], "elu")

    def forward(self, x: Tensor, pairs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Update tokens and pairs.

        Args:
            x: Tokens (b, L, D).
            pairs: States (b, L, L, C); row i is what token i attends with.
            mask: Whether a token is there (b, L).

        Returns:
            Tokens (b, L, D) and pairs (b, L, L, C).
        """
        b, L, D = x.shape
        parts = self.query_key_value(self.norm(x)).view(b, L, 3, self.num_heads, -1).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind()
        from_pairs, gates = self.score_and_gate(self.pair_norm(pairs)).permute(0, 3, 1, 2).chunk(2, dim=1)
        products = query @ key.transpose(2, 3) * self.scale
        scores = products.clamp(-LARGEST_PRODUCT, LARGEST_PRODUCT) + from_pairs
        attended = self.attend(scores, gates, value, mask)
        x = x + self.dropout(self.output(attended.transpose(1, 2).reshape(b, L, D)))
        x = x + self.dropout(self.feed_forward(self.ffn_norm(x)))
        if not self.update_pairs:
            return x, pairs
        if self.recompute_pairs and torch.is_grad_enabled():
            return x, checkpoint(self.write_scores, pairs, scores, use_reentrant=False)
        return x, self.write_scores(pairs, scores)

    def write_scores(self, pairs: Tensor, scores: Tensor) -> Tensor:
        """Pair states (b, L, L, C) after the scores (b, H, L, L) are written into them."""
        pairs = pairs + self.dropout(self.pair_output(scores.permute(0, 2, 3, 1)))
        return pairs + self.dropout(self.pair_feed_forward(self.pair_ffn_norm(pairs)))

    def attend(self, scores: Tensor, gates: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        """Gated attention with its degree scaler.

        Args:
            scores: (b, H, L, L).
            gates: Before the sigmoid (b, H, L, L).
            value: (b, H, L, D / H).
            mask: Whether a token is there (b, L).

        Returns:
            (b, H, L, D / H).
        """
        ignored = (~mask)[:, None, None, :]
        if self.training and self.random_masking > 0:
            ignored = ignored | (torch.rand_like(scores) < self.random_masking)
        away = ignored.to(scores.dtype) * MASKED
        gates = torch.sigmoid(gates + away)
        attended = self.attention_dropout((scores + away).softmax(-1) * gates) @ value
        if self.scale_degree:
            is_virtual = torch.arange(scores.shape[-1], device=scores.device) < self.num_virtual_nodes
            attended = attended * gates.sum(-1, keepdim=True).log1p().masked_fill(is_virtual[:, None], 1.0)
        return attended
