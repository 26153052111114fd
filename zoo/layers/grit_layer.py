"""GRIT's layer: attention whose scores are computed from, and written into, states of pairs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.feed_forward import FeedForward
from zoo.layers.normalization import normalization
from zoo.layers.pair_blocks import MASKED, PairBlocks
from zoo.layers.signed_root import signed_root


class GRITLayer(nn.Module):
    """Update of atoms x and ordered pairs e.

    With `root(x) = sign(x) sqrt(|x|)`, `s_ij = relu(root((q_i + k_j) * W e_ij) + W' e_ij)`, and in every head
    `m_i = sum_j softmax_j(clamp(a . s_ij)) (v_j + V s_ij)`. Atoms get `W'' (t m_i + u log(1 + degree_i) m_i)`, pairs
    `W''' s_ij`; both are added to their input and normalized, atoms also go through a feed-forward network.

    Args:
        hidden_size: Width D of atoms and pairs.
        num_heads: Heads H, a divisor of D.
        dropout: Probability of dropping a message, a pair state or a hidden value of the network, in [0, 1).
        attention_dropout: Probability of dropping an attention weight, in [0, 1).
        update_pairs: Whether the pair states change; nothing reads them after the last layer.
        norm: "batch" or "layer".
        clamp: Scores beyond plus or minus this are cut; `None` cuts none.
        bias: Give keys and values a bias, as queries and pairs have one.
        root_eps: See `signed_root`.

    Reference:
        Ma et al. 2023 (arXiv:2305.17589), equations 2 to 4; equals `GritTransformerLayer` of the authors' code in the
        configuration for ZINC and, with `norm="layer"` and `clamp=None`, with its options `layer_norm` and no `clamp`.
    """

    def __init__(
        self,
        hidden_size: int,
        num_heads: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        update_pairs: bool = True,
        norm: str = "batch",
        clamp: float | None = 5.0,
        bias: bool = False,
        root_eps: float = 0.0,
    ) -> None:
        super().__init__()
        D, H = hidden_size, num_heads
        d = D // H
        self.num_heads, self.clamp, self.root_eps = H, clamp, root_eps
        self.query_key_value = nn.Linear(D, 3 * D, bias=bias)
        self.query_bias = None if bias else nn.Parameter(torch.empty(D).uniform_(-(D**-0.5), D**-0.5))
        self.scale_and_shift = nn.Linear(D, 2 * D)
        for part in (*self.query_key_value.weight.data.chunk(3), self.scale_and_shift.weight.data):
            nn.init.xavier_normal_(part)
        self.to_score = nn.Parameter(torch.randn(H, d) * (2 / (H + d)) ** 0.5)
        self.to_value = nn.Parameter(torch.randn(H, d, d) * (2 / (D + d * d)) ** 0.5)
        self.without_degree = nn.Parameter(torch.randn(D) * (D + 1) ** -0.5)
        self.with_degree = nn.Parameter(torch.randn(D) * (D + 1) ** -0.5)
        self.output = nn.Linear(D, D)
        self.norm, self.ffn_norm = normalization(norm, D), normalization(norm, D)
        self.feed_forward = FeedForward([D, 2 * D, D], "relu", dropout)
        self.dropout, self.attention_dropout = nn.Dropout(dropout), nn.Dropout(attention_dropout)
        self.update_pairs = update_pairs
        if update_pairs:
            self.pair_output, self.pair_norm = nn.Linear(D, D), normalization(norm, D)

    def forward(
        self, x: Tensor, pairs: Tensor, ends: tuple[Tensor, Tensor], log_degrees: Tensor, blocks: PairBlocks
    ) -> tuple[Tensor, Tensor]:
        """Update a batch.

        Args:
            x: Atoms (N, D).
            pairs: States of the ordered pairs (P, D), row-major in each molecule.
            ends: First and second atom of every pair, (P,) twice; the first attends to the second.
            log_degrees: `log(1 + degree)` (N, 1).
            blocks: Where atoms and pairs stand in dense blocks.

        Returns:
            Atoms (N, D) and pairs (P, D).
        """
        query, key, value = self.query_key_value(x).chunk(3, dim=1)
        query = query if self.query_bias is None else query + self.query_bias
        scale, shift = self.scale_and_shift(pairs).chunk(2, dim=1)
        product = (query.index_select(0, ends[0]) + key.index_select(0, ends[1])) * scale
        states = torch.relu(signed_root(product, self.root_eps) + shift)
        message = self.dropout(self._messages(states, value, blocks))
        message = self.without_degree * message + self.with_degree * log_degrees * message
        x = self.norm(x + self.output(message))
        x = self.ffn_norm(x + self.feed_forward(x))
        if self.update_pairs:
            pairs = self.pair_norm(pairs + self.pair_output(self.dropout(states)))
        return x, pairs

    def _messages(self, states: Tensor, value: Tensor, blocks: PairBlocks) -> Tensor:
        """Map states of pairs (P, D) and values of atoms (N, D) to what each atom hears (N, D)."""
        heads, result = (self.num_heads, -1), []
        parts = (blocks.pairs(self._scores(states), MASKED), blocks.pairs(states), blocks.atoms(value))
        for scores, s, v in zip(*parts, strict=True):
            weights = self.attention_dropout(scores.softmax(2))
            message = torch.einsum("bijh,bjhd->bihd", weights, v.unflatten(2, heads))
            of_pairs = torch.einsum("bijh,bijhd->bihd", weights, s.unflatten(3, heads))
            result.append((message + torch.einsum("bihd,hde->bihe", of_pairs, self.to_value)).flatten(2))
        return blocks.flat_atoms(result)

    def _scores(self, states: Tensor) -> Tensor:
        """Map states (P, D) to scores (P, H); not in float16, which cannot hold the score of padding."""
        # One product with a matrix that is zero between heads: less memory traffic than a sum for each head.
        eye = torch.eye(self.num_heads, dtype=self.to_score.dtype, device=states.device)
        scores = states @ (eye[:, None] * self.to_score[..., None]).flatten(0, 1)
        scores = scores.float() if scores.dtype.itemsize < 4 else scores
        return scores if self.clamp is None else scores.clamp(-self.clamp, self.clamp)
