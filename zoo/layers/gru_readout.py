"""A readout that reads the atoms of a molecule in their order, in both directions."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo.layers.atom_sequences import cudnn_where_it_serves, onnx_gru, read_both_ways
from zoo.layers.message_passing import Graph, graph_of_nodes, max_nodes, mean_nodes, sizes_on_host
from zoo.layers.readout import by_molecule, place_in_molecule
from zoo.layers.tracing import is_exported


class GRUReadout(nn.Module):
    """Mean over the atoms of `mish(W [forward, backward])`, the outputs of a bidirectional GRU.

    The GRU starts in both directions from the largest `mish(x + bias)` of the molecule's atoms. It depends on the order
    of the atoms.

    Args:
        hidden_size: Width D of the atoms and of the readout.
        padded_length: `None`, or what the released CoMPT does: every molecule is followed by zeros up to this length
            (0: that of the longest molecule of the batch), which the GRU reads and the sum of the mean contains.

    Reference:
        Chen et al. 2021 (arXiv:2107.08773), equation 10, after Song et al. 2020 (CMPNN). Differs from the authors'
        code in reading no padding, unless asked for.
    """

    def __init__(self, hidden_size: int, padded_length: int | None = None) -> None:
        super().__init__()
        self.padded_length = padded_length
        self.bias = nn.Parameter(torch.empty(hidden_size).uniform_(-(hidden_size**-0.5), hidden_size**-0.5))
        self.gru = nn.GRU(hidden_size, hidden_size, bidirectional=True)
        self.merge = nn.Linear(2 * hidden_size, hidden_size)

    def forward(self, graph: Graph, node_feats: Tensor) -> Tensor:
        """Map atoms (N, D) to molecules (B, D)."""
        start = max_nodes(graph, F.mish(node_feats + self.bias))
        if self.padded_length is not None:
            return self._read_padded(graph, node_feats, start)
        if is_exported():
            outputs = self._read_block(graph, node_feats, start)
        else:
            outputs = read_both_ways(self.gru, sizes_on_host(graph), node_feats, start)
        return mean_nodes(graph, F.mish(self.merge(outputs)).to(node_feats.dtype))

    def _read_block(self, graph: Graph, node_feats: Tensor, start: Tensor) -> Tensor:
        """Read the molecules as one block with one operation of ONNX; atoms (N, D) to outputs (N, 2 D)."""
        block = onnx_gru(self.gru, by_molecule(graph, node_feats).transpose(0, 1), graph.batch_num_nodes(), start)
        return block[place_in_molecule(graph), :, graph_of_nodes(graph)].flatten(1)

    def _read_padded(self, graph: Graph, node_feats: Tensor, start: Tensor) -> Tensor:
        sizes, block = graph.batch_num_nodes(), by_molecule(graph, node_feats)
        length = self.padded_length or block.shape[1]
        if block.shape[1] > length:
            raise ValueError(f"padded_length={length}: the batch has a molecule of {block.shape[1]} atoms")
        block = F.pad(block, (0, 0, 0, length - block.shape[1]))
        of_padding = torch.maximum(start, F.mish(self.bias))
        start = torch.where((sizes < length).unsqueeze(1), of_padding, start)
        with cudnn_where_it_serves(self.gru):
            outputs, _ = self.gru(block.transpose(0, 1), start.expand(2, -1, -1).contiguous())
        return F.mish(self.merge(outputs)).sum(0) / sizes.to(start.dtype).unsqueeze(1)
