"""Layer normalization of all atoms of a molecule together."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from zoo.layers.message_passing import Graph, graph_of_nodes, sum_nodes


class MoleculeNorm(nn.Module):
    """Normalizes by mean and variance over all atoms and columns of a molecule, then scales and shifts each column.

    Args:
        hidden_size: Width D.
        eps: Added to the variance.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> graph = CanonicalFeaturizer()("CCO").graph
        >>> y = MoleculeNorm(2)(graph, torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
        >>> round(y.mean().item(), 6), round(y.std(correction=0).item(), 3)
        (0.0, 1.0)

    Reference:
        Ba et al. 2016 (arXiv:1607.06450); equals PyG's `LayerNorm(mode="graph")`.
    """

    def __init__(self, hidden_size: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(hidden_size)), nn.Parameter(torch.zeros(hidden_size))
        self.eps = eps

    def forward(self, graph: Graph, x: Tensor) -> Tensor:
        """Map atoms (N, D) to atoms (N, D)."""
        numbers = graph_of_nodes(graph)
        counts = (graph.batch_num_nodes() * x.shape[1]).clamp(min=1).to(x.dtype).unsqueeze(1)
        mean = sum_nodes(graph, x).sum(1, keepdim=True) / counts
        centred = x - mean.index_select(0, numbers)
        variance = sum_nodes(graph, centred.square()).sum(1, keepdim=True) / counts
        y = centred * (variance + self.eps).rsqrt().index_select(0, numbers)
        return y * self.weight + self.bias
