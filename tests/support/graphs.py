"""Graphs for tests, of whatever graphs are made of here."""

import numpy as np
import pytest
from torch import Tensor

from featurizers import PackedMolecules
from featurizers.backend import dgl
from featurizers.batched_graph import batched_graph

needs_dgl = pytest.mark.skipif(dgl is None, reason="compares with DGL, which is not installed here")


def graph_of(sizes, source=(), destination=()):
    """A batch of graphs with these numbers of nodes; all edges count for the first."""
    source, destination = (np.asarray(ends, dtype=np.int64) for ends in (source, destination))
    sizes = np.asarray(sizes if not isinstance(sizes, Tensor) else sizes.numpy(), dtype=np.int64)
    counts = np.zeros_like(sizes)
    counts[0] = len(source)
    return batched_graph((source, destination), sizes, counts, {}, {})


def batch_of(featurizer, molecules):
    """A batch of molecules."""
    return featurizer.collate(PackedMolecules.pack([featurizer.read(molecule) for molecule in molecules]))
