"""Sums over the neighbours of atoms and of directed bonds."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from featurizers.backend import DGLGraph, dgl
from featurizers.molecule_graph import MoleculeGraph
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import Graph, sum_at_destination, sum_at_source, sum_neighbors


@dataclass(frozen=True)
class Neighborhood:
    """The bonds of a batch, for sums over what is next to an atom or leads to a bond.

    Args:
        graph: N atoms and E directed bonds.
        source: Source atom of each directed bond (E,).
        destination: Destination atom of each directed bond (E,).
        reverse: Opposite direction of each directed bond (E,).
        missing: How often the last row is added to each atom's sum (N, 1), or `None`: see `padded`.
    """

    graph: Graph
    source: Tensor
    destination: Tensor
    reverse: Tensor
    missing: Tensor | None = None

    @classmethod
    def of(cls, molecules: MoleculeGraph) -> Neighborhood:
        """The bonds as they are."""
        source, destination = molecules.graph.edges()
        return cls(molecules.graph, source, destination, molecules.reverse_edges)

    @classmethod
    def padded(cls, molecules: MoleculeGraph) -> Neighborhood:
        """The bonds with the padding row of GROVER's released code.

        That code pads the neighbour lists of all atoms to the largest degree of the batch with an extra row, which
        stops being zero after the first layer. Here the extra row is one more atom, the last, with one bond to itself,
        also the last; every sum then adds its row as often as neighbours are missing.
        """
        source, destination = molecules.graph.edges()
        loop = source.new_tensor([molecules.graph.num_nodes()])
        source, destination = torch.cat([source, loop]), torch.cat([destination, loop])
        sizes = torch.cat([molecules.num_atoms, loop.new_ones(1)])
        edges = torch.cat([molecules.graph.batch_num_edges(), loop.new_ones(1)])
        graph = TensorGraph(source, destination, sizes, edges, {}, {})
        if isinstance(molecules.graph, DGLGraph):
            graph = dgl.graph((source, destination), num_nodes=int(loop) + 1)
        degrees = graph.in_degrees()
        missing = (degrees.max() - degrees).unsqueeze(1).to(molecules.atom_feats.dtype)
        reverse = torch.cat([molecules.reverse_edges, loop.new_tensor([molecules.graph.num_edges()])])
        return cls(graph, source, destination, reverse, missing)

    def sum_to_atoms(self, bonds: Tensor) -> Tensor:
        """For each atom the sum of the bonds that lead to it: (E, ...) to (N, ...)."""
        return self._with_padding(sum_at_destination(self.graph, bonds), bonds)

    def sum_atoms(self, atoms: Tensor) -> Tensor:
        """For each atom the sum of its neighbours: (N, ...) to (N, ...)."""
        return self._with_padding(sum_neighbors(self.graph, atoms), atoms)

    def sum_bonds(self, bonds: Tensor) -> Tensor:
        """For each bond v -> w the sum of the bonds u -> v with u other than w: (E, ...) to (E, ...)."""
        return self.sum_to_atoms(bonds).index_select(0, self.source) - bonds.index_select(0, self.reverse)

    def sum_atoms_behind(self, atoms: Tensor) -> Tensor:
        """For each bond v -> w the sum of v and its neighbours other than w: (N, ...) to (E, ...)."""
        around = atoms + self.sum_atoms(atoms)
        return around.index_select(0, self.source) - atoms.index_select(0, self.destination)

    def subtract_reverse(self, bonds: Tensor, out: Tensor) -> Tensor:
        """Subtract from each row of `out` (E, ...) the opposite direction's row of `bonds` (E, ...)."""
        even = len(bonds) - len(bonds) % 2  # an odd last row is the padding, its own reverse
        out[0:even:2].sub_(bonds[1:even:2])
        out[1:even:2].sub_(bonds[0:even:2])
        out[even:].sub_(bonds[even:])
        return out

    def add_transposed_padding(self, atoms: Tensor, out: Tensor) -> Tensor:
        """Add to the last row of `out` what the transposed sum of `_with_padding` puts there."""
        if self.missing is not None:
            out[-1] += (self.missing.to(atoms.dtype).unsqueeze(-1) * atoms).sum(0)
        return out

    def _with_padding(self, sums: Tensor, rows: Tensor) -> Tensor:
        if self.missing is None:
            return sums
        shape = (-1, *[1] * (rows.dim() - 1))
        return sums + self.missing.to(rows.dtype).view(shape) * rows[-1:]


@dataclass(frozen=True)
class AtomSum:
    """`Neighborhood.sum_atoms` and its transpose, for rows (N, C, D)."""

    around: Neighborhood

    def __call__(self, rows: Tensor) -> Tensor:
        """The sums (N, C, D)."""
        return self.around.sum_atoms(rows)

    def into(self, rows: Tensor, out: Tensor) -> Tensor:
        """The sums, written to `out`."""
        return out.copy_(self.around.sum_atoms(rows))

    def transposed_into(self, rows: Tensor, out: Tensor) -> Tensor:
        """The transposed map, written to `out`: every bond has both directions, so only the padding differs."""
        out.copy_(sum_neighbors(self.around.graph, rows))
        return self.around.add_transposed_padding(rows, out)


@dataclass(frozen=True)
class BondSum:
    """`Neighborhood.sum_bonds` and its transpose, for rows (E, C, D)."""

    around: Neighborhood

    def __call__(self, rows: Tensor) -> Tensor:
        """The sums (E, C, D)."""
        return self.around.sum_bonds(rows)

    def into(self, rows: Tensor, out: Tensor) -> Tensor:
        """The sums, written to `out`."""
        torch.index_select(self.around.sum_to_atoms(rows), 0, self.around.source, out=out)
        return self.around.subtract_reverse(rows, out)

    def transposed_into(self, rows: Tensor, out: Tensor) -> Tensor:
        """The transposed map, written to `out`."""
        at_source = sum_at_source(self.around.graph, rows)
        torch.index_select(at_source, 0, self.around.destination, out=out)
        self.around.subtract_reverse(rows, out)
        return self.around.add_transposed_padding(at_source, out)
