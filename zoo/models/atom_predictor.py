"""Base class of GCN, GAT, GIN, MPNN and AttentiveFP."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from torch import Tensor, nn

from featurizers.molecule_graph import MoleculeGraph
from zoo.layers.prediction_head import join_descriptors

IGNORED_DESCRIPTORS: Mapping[str, Any] = MappingProxyType({"descriptor_size": 0})
"""The `legacy_defaults` of models whose former versions did not read the descriptors that a featurizer gave."""


class AtomEncoder(nn.Module):
    """Message passing on atoms, then a readout.

    Args:
        gnn: Called with graph, atom features (N, A) and bond features (E, F); returns (N, D).
        readout: Called with graph and atoms (N, D); returns (B, R).
    """

    def __init__(self, gnn: nn.Module, readout: nn.Module) -> None:
        super().__init__()
        self.gnn, self.readout = gnn, readout

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to molecule vectors (B, R)."""
        return self.readout(molecules.graph, self.embed_atoms(molecules))

    def embed_atoms(self, molecules: MoleculeGraph) -> Tensor:
        """Map a batch to atoms (N, D)."""
        dtype = next(self.parameters()).dtype
        return self.gnn(molecules.graph, molecules.atom_feats.to(dtype), molecules.bond_feats.to(dtype))


class AtomPredictor(nn.Module):
    """Message passing on atoms, a readout, and a head that also reads the descriptors of the molecule.

    Modules and parameters have the names of DGL-LifeSci's predictors, so that checkpoints from when these models ran
    its layers load.

    Args:
        config: The options.
        gnn: See `AtomEncoder`.
        readout: See `AtomEncoder`.
        head: From vectors and the config's `descriptor_size` descriptors (B, R + F) to scores (B, T).
    """

    def __init__(self, config: Any, gnn: nn.Module, readout: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.config = config
        self.encoder = AtomEncoder(gnn, readout)
        self.head = head

    def embed(self, molecules: MoleculeGraph) -> Tensor:
        """Molecule vectors before the head (B, R)."""
        return self.encoder(molecules)

    def forward(self, molecules: MoleculeGraph) -> Tensor:
        """Score a batch: raw scores (B, T)."""
        vectors = join_descriptors(self.embed(molecules), molecules.descriptors, self.config.descriptor_size)
        return self.head(vectors)
