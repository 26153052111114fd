"""What the adapters of DGL-LifeSci's predictors share."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from types import MappingProxyType
from typing import Any

from dgl.base import DGLWarning
from torch import Tensor, nn

from featurizers.backend import DGLGraph
from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.batch_norm import replace_batch_norms
from zoo.layers.prediction_head import join_descriptors
from zoo.layers.self_loops import with_self_loops

IGNORED_DESCRIPTORS: Mapping[str, Any] = MappingProxyType({"descriptor_size": 0})
"""The `legacy_defaults` of models whose former versions did not read the descriptors that a featurizer gave."""


class AtomEncoder(nn.Module):
    """Message passing on atoms, then a readout; both are DGL-LifeSci's.

    Args:
        gnn: Called with graph, atom features (N, A) and, with `uses_bonds`, bond features (E, F); returns (N, D).
        readout: Called with graph and atoms (N, D); returns (B, R).
        self_loops: Join every atom to itself; bond features then have one more column that marks these edges.
        uses_bonds: The message passing reads bond features.

    Raises:
        RuntimeError: In `forward`, where the batch is on a device that the installed DGL cannot use.
    """

    def __init__(self, gnn: nn.Module, readout: nn.Module, *, self_loops: bool, uses_bonds: bool) -> None:
        super().__init__()
        self.gnn, self.readout = gnn, readout
        self.self_loops, self.uses_bonds = self_loops, uses_bonds

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """A batch to molecule vectors (B, R)."""
        graph = molecules.graph
        if not isinstance(graph, DGLGraph):
            raise RuntimeError(
                f"this model runs layers of DGL-LifeSci, and the installed DGL cannot use {molecules.device}: "
                'build it with device="cpu", or install a DGL that was made for the device'
            )
        dtype = next(self.parameters()).dtype
        atom_feats, bond_feats = molecules.atom_feats.to(dtype), molecules.bond_feats.to(dtype)
        if self.self_loops:
            graph, bond_feats = with_self_loops(graph, bond_feats)
        bonds = [bond_feats] if self.uses_bonds else []
        with quiet_without_edges(graph):
            return self.readout(graph, self.gnn(graph, atom_feats, *bonds))


@contextmanager
def quiet_without_edges(graph: DGLGraph) -> Iterator[None]:
    """Keep DGL from warning of a batch without bonds, which single atoms make and which is no mistake."""
    with warnings.catch_warnings() if graph.num_edges() == 0 else nullcontext():
        if graph.num_edges() == 0:
            warnings.simplefilter("ignore", DGLWarning)
        yield


class DGLLifePredictor(nn.Module):
    """A predictor of DGL-LifeSci behind the interface of this zoo.

    Its batch normalizations are replaced by ones that can train on a batch of one molecule.

    Args:
        config: The options.
        predictor: With the parts `gnn`, `readout` and `predict`. The config's `descriptor_size`
            descriptors of the molecule are joined to what `predict` reads.
        self_loops: See `AtomEncoder`.
        uses_bonds: See `AtomEncoder`.
    """

    def __init__(self, config: Any, predictor: nn.Module, *, self_loops: bool = False, uses_bonds: bool) -> None:
        super().__init__()
        self.config = config
        replace_batch_norms(predictor)
        parts: Any = predictor
        self.encoder = AtomEncoder(parts.gnn, parts.readout, self_loops=self_loops, uses_bonds=uses_bonds)
        self.head: nn.Module = with_more_inputs(parts.predict, config.descriptor_size)

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Molecule vectors before the head (B, R)."""
        return self.encoder(molecules)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)


def with_more_inputs(head: nn.Module, count: int) -> nn.Module:
    """A head whose first linear layer, made anew, reads `count` columns more; itself where that is 0."""
    if count == 0:
        return head
    for parent in head.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.Linear):
                setattr(parent, name, nn.Linear(child.in_features + count, child.out_features))
                return head
    if not isinstance(head, nn.Linear):
        raise TypeError(f"{type(head).__name__} has no linear layer to which descriptors could be joined")
    return nn.Linear(head.in_features + count, head.out_features)
