"""Attention of every atom to all atoms of its molecule."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.pair_blocks import PairBlocks


class AtomAttention(nn.Module):
    """Multi-head self-attention within each molecule.

    Args:
        hidden_size: Width D, a multiple of `num_heads`.
        num_heads: Number H of heads.
        dropout: Probability of dropping an attention weight in training, in [0, 1).

    Example:
        >>> import dgl
        >>> graph = dgl.graph(([], []), num_nodes=3)
        >>> AtomAttention(8, 2)(PairBlocks.of(graph), torch.ones(3, 8)).shape
        torch.Size([3, 8])

    Reference:
        Vaswani et al. 2017 (arXiv:1706.03762), section 3.2.
    """

    def __init__(self, hidden_size: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.num_heads, self.scale = num_heads, (hidden_size // num_heads) ** -0.5
        self.query_key_value = nn.Linear(hidden_size, 3 * hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.dropout = nn.Dropout(dropout)

    def forward(self, blocks: PairBlocks, atoms: Tensor) -> Tensor:
        """Map atoms (N, D) to atoms (N, D); `blocks` says which belong together."""
        projected = self.query_key_value(atoms).unflatten(1, (3, self.num_heads, -1))
        attended = []
        for block, real in zip(blocks.atoms(projected), blocks.masks(), strict=True):
            query, key, value = block.permute(2, 0, 3, 1, 4)  # each (b, H, L, D / H)
            # Written out, since torch's fused attention has no second derivative on the CPU.
            scores = (self.scale * query) @ key.transpose(2, 3)
            weights = torch.softmax(scores.masked_fill(~real[:, None, None], float("-inf")), dim=3)
            attended.append((self.dropout(weights) @ value).transpose(1, 2).flatten(2))
        return self.output(blocks.flat_atoms(attended))
