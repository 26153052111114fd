"""`MoleculeGraph`: a batch of molecules as the models see it.

Letters used in every docstring: B molecules, N atoms, E directed bonds, P ordered atom pairs, H heads, D width,
T tasks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from featurizers.backend import DGLError, DGLGraph
from featurizers.tensor_graph import TensorGraph


def moved(graph: DGLGraph | TensorGraph, device: torch.device | str) -> DGLGraph | TensorGraph:
    """A graph on another device; a `TensorGraph` where the installed DGL cannot use that device."""
    try:
        return graph.to(device)
    except (DGLError, KeyError):  # no code for the device, or a device that DGL has not heard of
        return TensorGraph.from_dgl(graph).to(device)


@dataclass
class MoleculeGraph:
    """One batch of molecules.

    Args:
        graph: Batched graph of the atoms with both directions of every bond; edges `2k` and `2k + 1` are the two
            directions of the same bond. `graph.ndata["feat"]` holds the atom features (N, A), `graph.edata["feat"]` the
            bond features (E, F).
        pairs: Batched complete graph (P edges, self-pairs included, source-major within a molecule) whose
            `edata` hold structural features of atom pairs; `None` unless the featurizer fills it.
        descriptors: Features of whole molecules (B, F), or `None`.
        extra: More features of whole molecules by name, each (B, ...).
    """

    graph: DGLGraph | TensorGraph
    pairs: DGLGraph | TensorGraph | None = None
    descriptors: Tensor | None = None
    extra: dict[str, Tensor] = field(default_factory=dict)

    @property
    def batch_size(self) -> int:
        """Number of molecules B."""
        return self.graph.batch_size

    def __len__(self) -> int:
        return self.batch_size

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.graph.device

    @property
    def atom_feats(self) -> Tensor:
        """Atom features (N, A)."""
        return self.graph.ndata["feat"]

    @property
    def bond_feats(self) -> Tensor:
        """Bond features (E, F), one row per direction."""
        return self.graph.edata["feat"]

    @property
    def num_atoms(self) -> Tensor:
        """Atoms of each molecule (B,)."""
        return self.graph.batch_num_nodes()

    @property
    def reverse_edges(self) -> Tensor:
        """For every directed bond the index of its opposite direction (E,)."""
        return torch.arange(self.graph.num_edges(), device=self.device) ^ 1

    def to(self, device: torch.device | str) -> MoleculeGraph:
        """The same batch on another device (itself if it is there already).

        Where the installed DGL has no code for the device, the graphs become `TensorGraph`s.
        """
        if self.device == torch.device(device):
            return self
        return MoleculeGraph(
            graph=moved(self.graph, device),
            pairs=None if self.pairs is None else moved(self.pairs, device),
            descriptors=None if self.descriptors is None else self.descriptors.to(device),
            extra={name: feats.to(device) for name, feats in self.extra.items()},
        )
