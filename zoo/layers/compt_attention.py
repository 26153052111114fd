"""CoMPT's attention over all atoms of a molecule, without a number for every pair and head."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.message_passing import (
    Graph,
    dot_of_edge_and_destination,
    graph_of_nodes,
    highest_at_destination,
    sum_at_destination,
    sum_weighted_neighbors,
)
from zoo.layers.pair_blocks import PairBlocks, require_pairs

KERNELS = ("exp", "softmax")


@dataclass(frozen=True)
class Surroundings:
    """Facts about a batch that every layer needs.

    Args:
        graph: N atoms, E directed bonds.
        bond_feats: (E, F).
        destination: Destination atom of each directed bond (E,).
        unbonded: Atoms of the molecule that an atom has no bond to, itself included (N, 1).
        blocks: Places of atoms and pairs in dense blocks.
        distances: In bonds, blocks (b, L, L); 0 where `connected` is.
        connected: 1 for two atoms of one fragment, else 0; blocks (b, L, L).
    """

    graph: Graph
    bond_feats: Tensor
    destination: Tensor
    unbonded: Tensor
    blocks: PairBlocks
    distances: list[Tensor]
    connected: list[Tensor]

    @classmethod
    def of(cls, molecules: MoleculeGraph, dtype: torch.dtype) -> Surroundings:
        """Those of a batch whose pairs have distances.

        Raises:
            ValueError: The batch has no pairs.
        """
        pairs = require_pairs(molecules)
        graph, blocks = molecules.graph, molecules.blocks()
        sizes = molecules.num_atoms.index_select(0, graph_of_nodes(graph))
        distances = blocks.pairs(pairs.edata["distance"], fill=-1)
        return cls(
            graph=graph,
            bond_feats=molecules.bond_feats.to(dtype),
            destination=graph.edges()[1],
            unbonded=(sizes - graph.in_degrees()).to(dtype).unsqueeze(1),
            blocks=blocks,
            distances=[block.clamp(min=0).to(dtype) for block in distances],
            connected=[(block >= 0).to(dtype) for block in distances],
        )


class ComptAttention(nn.Module):
    """Multi-head attention whose keys are the bonds, weakened with distance.

    Atom m gives atom n of its molecule the weight `p_mn = softmax_n(q_m . k_mn / sqrt(D / H))`, where the key `k_mn` is
    linear in the features of their bond, and sums `(2 - [m = n]) p_mn exp(-decay d_mn) v_n` ("softmax": the
    exponentials divided by their sum over n).

    Pairs without a bond share one key, whose product with `q_m` is the same for all n and so cancels in the softmax.
    The scores are therefore 0 but at bonds, and the sum splits into one product with `exp(-decay d)` for all heads
    together and a correction along the bonds: O(P D) work, where scoring every pair takes O(P D^2) to make the keys.
    Key biases cancel too and do not exist.

    Args:
        hidden_size: Width D.
        num_heads: Heads H, a divisor of D.
        bond_size: Number F of bond features.
        kernel: "exp" or "softmax".

    Raises:
        ValueError: `hidden_size` is not a multiple of `num_heads`, or the kernel is unknown.

    Reference:
        Chen et al. 2021 (arXiv:2107.08773), equations 3 to 7. Atoms of different fragments never see each other (in the
        authors' code they do once the decay is negative).
    """

    def __init__(self, hidden_size: int, num_heads: int, bond_size: int, kernel: str) -> None:
        super().__init__()
        if hidden_size % num_heads:
            raise ValueError(
                f"hidden_size={hidden_size} is not a multiple of num_heads={num_heads}: change one of them"
            )
        if kernel not in KERNELS:
            raise ValueError(f"kernel={kernel!r}: choose one of {', '.join(KERNELS)}")
        self.num_heads, self.bond_size, self.kernel = num_heads, bond_size, kernel
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size, bias=False)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.output = nn.Linear(hidden_size, hidden_size)
        self.decay = nn.Parameter(torch.tensor(0.1))

    def forward(self, x: Tensor, around: Surroundings, bond_embedding: Tensor) -> Tensor:
        """Attend.

        Args:
            x: Atoms (N, D).
            around: Bonds and distances.
            bond_embedding: Weight that embeds bond features (D, F).

        Returns:
            (N, D).
        """
        N, H, dtype = x.shape[0], self.num_heads, around.bond_feats.dtype
        # Products may come in lower precision (autocast); sums over bonds are in that of the features.
        query, value = self.query(x).view(N, H, -1), self.value(x).to(dtype)
        keys = (self.key.weight @ bond_embedding).view(H, -1, self.bond_size) / math.sqrt(query.shape[2])
        of_features = torch.einsum("nhd,hdf->nhf", query, keys).to(dtype)
        scores = dot_of_edge_and_destination(around.graph, around.bond_feats.unsqueeze(1), of_features)
        # exp(scores), and `rest` for pairs without a bond, both scaled so that the larger is 1.
        highest = highest_at_destination(around.graph, scores.detach())
        weights = (scores - highest.index_select(0, around.destination)).exp()
        rest = (-highest).exp()
        total = rest * around.unbonded + sum_at_destination(around.graph, weights)
        everywhere, row_sums = self._spread(value, around)
        beyond_rest = 2 * (-self.decay).exp() * (weights - rest.index_select(0, around.destination))
        along_bonds = sum_weighted_neighbors(around.graph, value.view(N, H, -1), beyond_rest)
        message = rest.unsqueeze(2) * (2 * everywhere - value).view(N, H, -1) + along_bonds
        if row_sums is not None:
            total = total * row_sums
        return self.output((message / total.unsqueeze(2)).flatten(1))

    def _spread(self, value: Tensor, around: Surroundings) -> tuple[Tensor, Tensor | None]:
        """Sum, for every atom, all values weakened with distance (N, D), and for "softmax" the factors."""
        pairs = zip(around.distances, around.connected, strict=True)
        factors = [torch.exp(-self.decay * distance) * connected for distance, connected in pairs]
        values = around.blocks.atoms(value)
        sums = around.blocks.flat_atoms([f @ v for f, v in zip(factors, values, strict=True)])
        if self.kernel == "exp":
            return sums, None
        return sums, around.blocks.flat_atoms([f.sum(2, keepdim=True) for f in factors])
