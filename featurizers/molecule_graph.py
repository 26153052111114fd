"""`MoleculeGraph`: a batch of molecules as the models see it.

Letters used in every docstring: B molecules, N atoms, E directed bonds, P ordered atom pairs, H heads, D width,
T tasks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from featurizers.backend import is_dgl_graph, require_dgl
from featurizers.pair_blocks import PairBlocks
from featurizers.pair_table import PairTable
from featurizers.size_buckets import BUCKET_COST
from featurizers.tensor_graph import TensorGraph

if TYPE_CHECKING:
    from featurizers.backend import DGLGraph

BLOCK_COST_ELSEWHERE = 100_000
"""What one more block costs on a GPU, in atom pairs: starting an operation takes longer there than computing it."""


def move_graph(
    graph: DGLGraph | TensorGraph, device: torch.device | str, non_blocking: bool = False
) -> DGLGraph | TensorGraph:
    """A graph on another device; a `TensorGraph` where the installed DGL cannot use that device."""
    if isinstance(graph, TensorGraph):
        return graph.to(device, non_blocking)
    try:
        return graph.to(device, non_blocking=non_blocking)
    except (require_dgl().DGLError, KeyError):  # no code for the device, or a device that DGL has not heard of
        return TensorGraph.from_dgl(graph).to(device)


def with_paired_edges(graph: DGLGraph) -> DGLGraph:
    """Return the graph with its edges in such an order that `2k` and `2k + 1` are the two directions of a bond.

    Raises:
        ValueError: An edge has no opposite direction.
    """
    source, destination = (ends.long() for ends in graph.edges())
    if are_paired(source, destination):
        return graph.long()
    low, high = torch.minimum(source, destination), torch.maximum(source, destination)
    order = (low * graph.num_nodes() + high).argsort(stable=True)
    source, destination = source[order], destination[order]
    if not are_paired(source, destination):
        raise ValueError(
            "an edge of the graph has no opposite direction: give every bond two edges, u to v and v to u, and remove "
            "edges from atoms to themselves (dgl.remove_self_loop)"
        )
    ndata = dict(graph.ndata)
    edata = {name: feats[order] for name, feats in graph.edata.items()}
    sizes = graph.batch_num_nodes().long(), graph.batch_num_edges().long()
    return TensorGraph(source, destination, *sizes, ndata, edata).to_dgl()


def are_paired(source: Tensor, destination: Tensor) -> bool:
    """Return whether edges (E,) `2k` and `2k + 1` are opposite directions of a bond between two nodes."""
    if len(source) % 2:
        return False
    there_and_back = torch.equal(source[0::2], destination[1::2]) and torch.equal(source[1::2], destination[0::2])
    return there_and_back and not bool((source == destination).any())


@dataclass
class MoleculeGraph:
    """One batch of molecules.

    Args:
        graph: Batched graph of the atoms with both directions of every bond; edges `2k` and `2k + 1` are the two
            directions of the same bond. `graph.ndata["feat"]` holds the atom features (N, A), `graph.edata["feat"]` the
            bond features (E, F).
        pairs: Structural features of all ordered atom pairs in `edata`, row-major in each molecule; `None` unless the
            featurizer fills it.
        descriptors: Features of whole molecules (B, F), or `None`.
        extra: More features of whole molecules by name, each (B, ...).
        partners: The other molecules of each row, where a row has several: a batch of B for each.
    """

    graph: DGLGraph | TensorGraph
    pairs: PairTable | None = None
    descriptors: Tensor | None = None
    extra: dict[str, Tensor] = field(default_factory=dict)
    partners: tuple[MoleculeGraph, ...] = ()
    _sizes: np.ndarray | None = field(default=None, init=False, repr=False, compare=False)
    _blocks: dict[int, PairBlocks] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def from_dgl(
        cls, graph: DGLGraph, pairs: PairTable | DGLGraph | None = None, descriptors: Tensor | None = None
    ) -> MoleculeGraph:
        """Make a batch of a DGLGraph that was built elsewhere.

        Args:
            graph: Batched graph of the atoms with both directions of every bond, in any order, and the features that
                the model reads: `ndata["feat"]` (N, A), `edata["feat"]` (E, F). It is not changed.
            pairs: As in the class, or a batched complete graph, row-major in each molecule, with those `edata`.
            descriptors: As in the class.

        Raises:
            ValueError: A feature is missing, or an edge has no opposite direction.

        Example:
            >>> from featurizers import CanonicalFeaturizer
            >>> MoleculeGraph.from_dgl(CanonicalFeaturizer()("CCO").to_dgl()).num_atoms
            tensor([3])
        """
        for name, feats in (("ndata", graph.ndata), ("edata", graph.edata)):
            if "feat" not in feats:
                raise ValueError(f'graph.{name} has no "feat": put the features that the model reads there')
        if is_dgl_graph(pairs):
            pairs = PairTable(pairs.batch_num_nodes(), dict(pairs.edata))
        return cls(with_paired_edges(graph), pairs, descriptors)

    def to_dgl(self) -> DGLGraph:
        """The graph of the atoms with its features as a DGLGraph; itself where it is one.

        Raises:
            ImportError: DGL is not installed.
        """
        return self.graph.to_dgl() if isinstance(self.graph, TensorGraph) else self.graph

    @property
    def batch_size(self) -> int:
        """Number of molecules B."""
        return self.graph.batch_size

    def __len__(self) -> int:
        return self.batch_size

    @property
    def device(self) -> torch.device:
        """Device of the tensors."""
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
        """Return, for every directed bond, the index of its opposite direction (E,)."""
        return torch.arange(self.graph.num_edges(), device=self.device) ^ 1

    @property
    def sizes(self) -> np.ndarray:
        """Atoms of each molecule (B,), int64 in main memory: a batch that came from there is not waited for."""
        if self._sizes is None:
            self._sizes = self.num_atoms.cpu().numpy()
        return self._sizes

    def blocks(self, leading: int = 0) -> PairBlocks:
        """The batch in dense blocks, made once for each number of leading tokens (see `PairBlocks.of_sizes`)."""
        if leading not in self._blocks:
            cost = BUCKET_COST if self.device.type == "cpu" else BLOCK_COST_ELSEWHERE
            self._blocks[leading] = PairBlocks.of_sizes(self.sizes, leading, cost).to(self.device)
        return self._blocks[leading]

    def to(self, device: torch.device | str, non_blocking: bool = False) -> MoleculeGraph:
        """The same batch on another device (itself if it is there already).

        Where the installed DGL has no code for the device, the graph becomes a `TensorGraph`.

        Args:
            device: Where to.
            non_blocking: As in `torch.Tensor.to`.
        """
        if self.device == torch.device(device):
            return self

        def move(feats: Tensor) -> Tensor:
            return feats.to(device, non_blocking=non_blocking)

        pairs = None if self.pairs is None else self.pairs.to(device, non_blocking)
        batch = self._with(move_graph(self.graph, device, non_blocking), pairs, move)
        batch.partners = tuple(partner.to(device, non_blocking) for partner in self.partners)
        batch._blocks = {leading: blocks.to(device) for leading, blocks in self._blocks.items()}
        return batch

    def pin_memory(self) -> MoleculeGraph:
        """The same batch in memory from which a GPU copies by itself; its graph becomes a `TensorGraph`."""
        graph = self.graph if isinstance(self.graph, TensorGraph) else TensorGraph.from_dgl(self.graph)
        pairs = None if self.pairs is None else self.pairs.pin_memory()
        batch = self._with(graph.pin_memory(), pairs, Tensor.pin_memory)
        batch.partners = tuple(partner.pin_memory() for partner in self.partners)
        return batch

    def _with(
        self, graph: DGLGraph | TensorGraph, pairs: PairTable | None, change: Callable[[Tensor], Tensor]
    ) -> MoleculeGraph:
        descriptors = None if self.descriptors is None else change(self.descriptors)
        batch = MoleculeGraph(graph, pairs, descriptors, {name: change(feats) for name, feats in self.extra.items()})
        batch._sizes = self.sizes
        return batch
