"""Encoded molecules to one batched graph: the part of a featurizer that needs torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from featurizers.batched_graph import batched_graph
from featurizers.extra_arrays import at_level
from featurizers.molecule_graph import MoleculeGraph
from featurizers.packed import PackedMolecules

if TYPE_CHECKING:
    from featurizers.base import Featurizer


def collate(featurizer: Featurizer, packed: PackedMolecules) -> MoleculeGraph:
    """Make one batched graph of what a featurizer has encoded."""
    graph = batched_graph(
        packed.directed_edges(),
        packed.num_atoms,
        2 * packed.num_bonds,
        {"feat": torch.from_numpy(featurizer.atom_features(packed.atoms)), **_tensors(packed, "atoms")},
        {"feat": torch.from_numpy(featurizer.bond_features(packed.bonds)), **_tensors(packed, "bonds", repeats=2)},
    )
    descriptors = None if packed.descriptors is None else torch.from_numpy(np.array(packed.descriptors))
    pairs = None if featurizer.pairs is None else featurizer.pairs.table(packed)
    if pairs is not None:
        pairs.edata.update(_tensors(packed, "pairs"))
    return MoleculeGraph(graph=graph, pairs=pairs, descriptors=descriptors, extra=_tensors(packed, "molecule"))


def _tensors(packed: PackedMolecules, level: str, repeats: int = 1) -> dict[str, torch.Tensor]:
    """Extra arrays of one level by name, each row `repeats` times."""
    return {
        name: torch.from_numpy(array.repeat(repeats, axis=0)) for name, array in at_level(packed.extra, level).items()
    }
