"""A batch whose sizes have no values, so that a model can be traced for batches of any size."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from featurizers.molecule_graph import MoleculeGraph
from featurizers.pair_blocks import PairBlocks
from featurizers.pair_table import PairTable
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import number_nodes

LEVELS = {"atoms": "ndata", "bonds": "edata"}


class SymbolicGraph(TensorGraph):
    """A `TensorGraph` that takes its sizes from the shapes of its tensors, and what it would compute from inputs.

    Args:
        tensors: The inputs of an exported model by name, see `molzoo_runner.tensors`.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        self._source, self._destination = tensors["source"], tensors["destination"]
        self._batch_num_nodes, self._batch_num_edges = tensors["num_atoms"], tensors["num_bonds"]
        self._num_nodes, self._host = tensors["molecule"].shape[0], None
        self._most_nodes, self._in_degrees = tensors["slots"].shape[0], tensors["degree"]
        self.ndata, self.edata = of_level(tensors, "atoms"), of_level(tensors, "bonds")
        number_nodes(self, tensors["molecule"])

    def most_nodes(self) -> int:
        """Nodes of the largest graph."""
        return self._most_nodes

    def on_host(self) -> SymbolicGraph:
        """Return the graph itself: a trace is of one device."""
        return self


class SymbolicPairs(PairTable):
    """A `PairTable` whose counts have no values.

    Args:
        tensors: As for `SymbolicGraph`.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        counts = tensors["molecule"].shape[0], tensors["first"].shape[0]
        super().__init__(tensors["num_atoms"], of_level(tensors, "pairs"), counts)
        self._edges, self._self_pairs = (tensors["first"], tensors["second"]), tensors["self_pair"]

    def places_of_self_pairs(self) -> Tensor:
        """Return, for each atom, the place of its pair with itself (N,)."""
        return self._self_pairs


class SymbolicBlocks(PairBlocks):
    """`PairBlocks` with a single block, in which every molecule is padded to the largest of the batch."""

    def atoms(self, node_feats: Tensor) -> list[Tensor]:
        """Atoms (N, ...) as one block (B, L, ...)."""
        ((b, L),) = self.shapes
        flat = node_feats.new_zeros(b * L, *node_feats.shape[1:])
        return [flat.index_copy(0, self.atom_places, node_feats).unflatten(0, (b, L))]

    def pairs(self, pair_feats: Tensor, fill: float = 0.0) -> list[Tensor]:
        """Pairs (P, ...) as one block (B, L, L, ...)."""
        ((b, L),) = self.shapes
        flat = pair_feats.new_full((b * L * L, *pair_feats.shape[1:]), fill)
        return [flat.index_copy(0, self.pair_places, pair_feats).unflatten(0, (b, L, L))]

    def masks(self) -> list[Tensor]:
        """Return whether a token is there, (B, L)."""
        return [self.real]

    def flat_atoms(self, blocks: Sequence[Tensor]) -> Tensor:
        """The block (B, L, ...) as atoms (N, ...)."""
        return blocks[0].flatten(0, 1).index_select(0, self.atom_places)

    def in_order(self, blocks: Sequence[Tensor]) -> Tensor:
        """The rows of the block, whose molecules stand in the order of the batch."""
        return blocks[0]


class SymbolicMolecules(MoleculeGraph):
    """A `MoleculeGraph` of the inputs of an exported model.

    Args:
        tensors: As for `SymbolicGraph`.
    """

    def __init__(self, tensors: dict[str, Tensor]) -> None:
        pairs = SymbolicPairs(tensors) if "first" in tensors else None
        super().__init__(SymbolicGraph(tensors), pairs, tensors.get("descriptors"), extra=of_level(tensors, "molecule"))
        self.tensors = tensors

    def blocks(self, leading: int = 0) -> PairBlocks:
        """The batch as one dense block."""
        if leading in self._blocks:
            return self._blocks[leading]
        tensors = self.tensors
        molecule, place, slots = tensors["molecule"], tensors["place"], tensors["slots"]
        b, L = tensors["num_atoms"].shape[0], slots.shape[0] + leading
        tokens = torch.cat([slots.new_zeros(leading) - 1, slots])  # leading tokens are always there
        real = tokens.unsqueeze(0) < tensors["num_atoms"].unsqueeze(1)
        atom_places = molecule * L + place + leading
        pair_places = atom_places[:0]
        if "first" in tensors:
            first, second = tensors["first"], tensors["second"]
            columns = place.index_select(0, second) + leading
            pair_places = atom_places.index_select(0, first) * L + columns
        self._blocks[leading] = SymbolicBlocks(((b, L),), slots[:0], atom_places, pair_places, real)
        return self._blocks[leading]


def of_level(tensors: dict[str, Tensor], level: str) -> dict[str, Tensor]:
    """Return the features of one level, named without it."""
    return {name.partition(".")[2]: tensor for name, tensor in tensors.items() if name.startswith(f"{level}.")}
