"""One layer of GAT."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.message_passing import Graph, softmax_at_destination, sum_weighted_neighbors

NEGATIVE_SLOPE = 0.2


class GraphAttention(nn.Module):
    """Each head takes a mean of the neighbours, weighted by the softmax of `leaky_relu(l . W x_u + r . W x_v)`.

    Args:
        input_size: Width D_in of the atoms.
        head_size: Width D of one head.
        num_heads: Number H of heads.
        dropout: Probability of dropping an input value, in [0, 1).
        attention_dropout: Probability of dropping a weight, in [0, 1).
        residual: Add the input, through a linear map where its width is not H * D.

    Reference:
        Veličković et al. 2018 (arXiv:1710.10903), equations 1 to 4; equals `dgl.nn.GATConv`, whose names and initial
        weights the parameters have.
    """

    def __init__(
        self,
        input_size: int,
        head_size: int,
        num_heads: int,
        dropout: float,
        attention_dropout: float,
        residual: bool,
    ) -> None:
        super().__init__()
        width = num_heads * head_size
        self.num_heads, self.head_size, self.residual = num_heads, head_size, residual
        self.fc = nn.Linear(input_size, width, bias=False)
        self.attn_l = nn.Parameter(torch.empty(1, num_heads, head_size))
        self.attn_r = nn.Parameter(torch.empty(1, num_heads, head_size))
        self.feat_drop, self.attn_drop = nn.Dropout(dropout), nn.Dropout(attention_dropout)
        self.res_fc = nn.Linear(input_size, width) if residual and input_size != width else None
        self.bias = nn.Parameter(torch.zeros(width)) if self.res_fc is None else None
        drawn = [self.fc.weight, self.attn_l, self.attn_r]
        if self.res_fc is not None:
            drawn.append(self.res_fc.weight)
            nn.init.zeros_(self.res_fc.bias)
        for weight in drawn:
            nn.init.xavier_normal_(weight, gain=nn.init.calculate_gain("relu"))

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D_in) to atoms (N, H, D)."""
        source, destination = graph.edges()
        node_feats = self.feat_drop(node_feats)
        rows = self.fc(node_feats).view(-1, self.num_heads, self.head_size)
        of_source, of_destination = (rows * self.attn_l).sum(-1), (rows * self.attn_r).sum(-1)
        scores = of_source.index_select(0, source) + of_destination.index_select(0, destination)
        weights = self.attn_drop(softmax_at_destination(graph, F.leaky_relu(scores, NEGATIVE_SLOPE)))
        out = sum_weighted_neighbors(graph, rows, weights)
        if self.residual:
            kept = node_feats if self.res_fc is None else self.res_fc(node_feats)
            out = out + kept.view_as(out)
        return out if self.bias is None else out + self.bias.view(1, self.num_heads, self.head_size)


class GATLayer(nn.Module):
    """Attention whose heads are joined side by side and passed through an ELU, or, in a last layer, averaged.

    Args:
        input_size: Width D_in of the atoms.
        head_size: Width D of one head.
        num_heads: Number H of heads.
        dropout: Probability of dropping an input value, in [0, 1).
        attention_dropout: Probability of dropping a weight, in [0, 1).
        residual: Add the input.
        last: Average the heads.
    """

    def __init__(
        self,
        input_size: int,
        head_size: int,
        num_heads: int,
        dropout: float,
        attention_dropout: float,
        residual: bool,
        last: bool,
    ) -> None:
        super().__init__()
        self.gat_conv = GraphAttention(input_size, head_size, num_heads, dropout, attention_dropout, residual)
        self.last = last

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D_in) to atoms (N, H * D), or (N, D) in a last layer."""
        heads = self.gat_conv(graph, node_feats)
        return heads.mean(1) if self.last else F.elu(heads.flatten(1))
