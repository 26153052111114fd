"""Encoded molecules to one batched graph: the part of a featurizer that needs torch."""

from __future__ import annotations

import numpy as np
import torch

from featurizers.batch_arrays import of_level
from featurizers.batched_graph import batched_graph
from featurizers.molecule_graph import MoleculeGraph
from featurizers.pair_table import PairTable


def collate(arrays: dict[str, np.ndarray]) -> MoleculeGraph:
    """Make one batched graph of the arrays of a batch, see `featurizers.batch_arrays`."""
    graph = batched_graph(
        (arrays["source"], arrays["destination"]),
        arrays["num_atoms"],
        arrays["num_bonds"],
        _tensors(arrays, "atoms"),
        _tensors(arrays, "bonds"),
    )
    pairs = None
    if "pairs.distance" in arrays:
        pairs = PairTable(torch.from_numpy(arrays["num_atoms"]), _tensors(arrays, "pairs"))
    descriptors = torch.from_numpy(arrays["descriptors"]) if "descriptors" in arrays else None
    return MoleculeGraph(graph=graph, pairs=pairs, descriptors=descriptors, extra=_tensors(arrays, "molecule"))


def _tensors(arrays: dict[str, np.ndarray], level: str) -> dict[str, torch.Tensor]:
    """Features of one level by name."""
    return {name: torch.from_numpy(array) for name, array in of_level(arrays, level).items()}
