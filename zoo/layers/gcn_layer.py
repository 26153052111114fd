"""One layer of GCN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.batch_norm import BatchNorm
from zoo.layers.message_passing import Graph, sum_neighbors


class SelfLoopedConvolution(nn.Module):
    """`W sum(x) + bias`, where the sum goes over an atom and its neighbours.

    Args:
        input_size: Width D_in of the atoms.
        output_size: Width D_out of the result.
        norm: What the sum is divided by: nothing ("none"), its number of terms ("right"), or the square roots of the
            numbers of terms at both ends of each bond ("both").

    Reference:
        Kipf & Welling 2017 (arXiv:1609.02907), equation 2; equals `dgl.nn.GraphConv` on a graph with self-loops.
    """

    def __init__(self, input_size: int, output_size: int, norm: str) -> None:
        super().__init__()
        self.norm = norm
        self.weight = nn.Parameter(torch.empty(input_size, output_size))
        self.bias = nn.Parameter(torch.zeros(output_size))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D_in) to atoms (N, D_out)."""
        terms = (graph.in_degrees() + 1).to(node_feats.dtype).unsqueeze(1)
        rows = node_feats * terms.rsqrt() if self.norm == "both" else node_feats
        input_size, output_size = self.weight.shape
        if input_size > output_size:  # sums of the narrower rows cost less
            rows = rows @ self.weight
        rows = sum_neighbors(graph, rows) + rows
        if input_size <= output_size:
            rows = rows @ self.weight
        if self.norm != "none":
            rows = rows * (terms.rsqrt() if self.norm == "both" else terms.reciprocal())
        return rows + self.bias


class GCNLayer(nn.Module):
    """`batch_norm(dropout(relu(convolution(x)) + relu(linear(x))))`.

    Args:
        input_size: Width D_in of the atoms.
        output_size: Width D_out of the result.
        norm: See `SelfLoopedConvolution`.
        residual: Add `relu(linear(x))`.
        batch_norm: Normalize the batch at the end.
        dropout: Probability of dropping a value, in [0, 1).

    Reference:
        DGL-LifeSci's `GCNLayer` (Li et al. 2021, arXiv:2106.14232), whose names the parameters have.
    """

    def __init__(
        self, input_size: int, output_size: int, norm: str, residual: bool, batch_norm: bool, dropout: float
    ) -> None:
        super().__init__()
        self.graph_conv = SelfLoopedConvolution(input_size, output_size, norm)
        self.dropout = nn.Dropout(dropout)
        self.res_connection = nn.Linear(input_size, output_size) if residual else None
        self.bn_layer = BatchNorm(output_size) if batch_norm else None

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D_in) to atoms (N, D_out)."""
        rows = F.relu(self.graph_conv(graph, node_feats))
        if self.res_connection is not None:
            rows = rows + F.relu(self.res_connection(node_feats))
        rows = self.dropout(rows)
        return rows if self.bn_layer is None else self.bn_layer(rows)
