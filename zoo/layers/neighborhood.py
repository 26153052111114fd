"""Sums over the neighbours of atoms and of directed bonds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from featurizers.backend import is_dgl_graph, require_dgl
from featurizers.molecule_graph import MoleculeGraph
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import Graph, sum_at_destination, sum_neighbors
from zoo.layers.row_sums import RowSums


@dataclass(frozen=True)
class Neighborhood:
    """The bonds of a batch, for sums over what is next to an atom or leads to a bond.

    Args:
        graph: N atoms and E directed bonds.
        source: Source atom of each directed bond (E,).
        destination: Destination atom of each directed bond (E,).
        reverse: Opposite direction of each directed bond (E,).
        missing: How often the last row is added to each atom's sum (N, 1), or `None`: see `padded`.
        host: The same on the CPU, where the graph is on another device, which would have to be waited for.
    """

    graph: Graph
    source: Tensor
    destination: Tensor
    reverse: Tensor
    missing: Tensor | None = None
    host: Neighborhood | None = None

    @classmethod
    def of(cls, molecules: MoleculeGraph) -> Neighborhood:
        """The bonds as they are."""
        source, destination = molecules.graph.edges()
        elsewhere = on_host(molecules)
        host = None if elsewhere is None else cls.of(elsewhere)
        return cls(molecules.graph, source, destination, molecules.reverse_edges, host=host)

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
        elsewhere = on_host(molecules)
        host = None if elsewhere is None else cls.padded(elsewhere)
        if is_dgl_graph(molecules.graph):
            graph: Graph = require_dgl().graph((source, destination), num_nodes=int(loop) + 1)
        else:
            known = None if host is None else host.graph
            graph = TensorGraph(source, destination, sizes, edges, {}, {}, known)
        degrees = graph.in_degrees()
        missing = (degrees.max() - degrees).unsqueeze(1).to(torch.get_default_dtype())
        reverse = torch.cat([molecules.reverse_edges, loop.new_tensor([molecules.graph.num_edges()])])
        return cls(graph, source, destination, reverse, missing, host)

    def sum_to_atoms(self, bonds: Tensor) -> Tensor:
        """Return, for each atom, the sum of the bonds that lead to it: (E, ...) to (N, ...)."""
        return self._with_padding(sum_at_destination(self.graph, bonds), bonds)

    def sum_atoms(self, atoms: Tensor) -> Tensor:
        """Return, for each atom, the sum of its neighbours: (N, ...) to (N, ...)."""
        return self._with_padding(sum_neighbors(self.graph, atoms), atoms)

    def sum_bonds(self, bonds: Tensor) -> Tensor:
        """Return, for each bond v -> w, the sum of the bonds u -> v with u other than w: (E, ...) to (E, ...)."""
        return self.sum_to_atoms(bonds).index_select(0, self.source) - bonds.index_select(0, self.reverse)

    def sum_atoms_behind(self, atoms: Tensor) -> Tensor:
        """Return, for each bond v -> w, the sum of v and its neighbours other than w: (N, ...) to (E, ...)."""
        around = atoms + self.sum_atoms(atoms)
        return around.index_select(0, self.source) - atoms.index_select(0, self.destination)

    @cached_property
    def atom_rows(self) -> RowSums:
        """`sum_atoms` as sums of rows, for rows without gradients."""
        if self.host is not None:
            return self.host.atom_rows.to(self.source.device)
        return self._row_sums(self.destination, self.source, torch.arange(self.graph.num_nodes()).to(self.source))

    @cached_property
    def bond_rows(self) -> RowSums:
        """`sum_bonds` as sums of rows, for rows without gradients."""
        if self.host is not None:
            return self.host.bond_rows.to(self.source.device)
        leading = self.destination.argsort(stable=True)  # bonds by the atom that they lead to
        degrees = torch.bincount(self.destination, minlength=self.graph.num_nodes())
        first = (degrees.cumsum(0) - degrees).index_select(0, self.source)
        counts = degrees.index_select(0, self.source)
        bonds = torch.arange(len(counts)).to(counts).repeat_interleave(counts)
        before = counts.cumsum(0) - counts
        places = torch.arange(len(bonds)).to(counts) + (first - before).index_select(0, bonds)
        terms = leading.index_select(0, places)
        behind = terms != self.reverse.index_select(0, bonds)
        return self._row_sums(bonds[behind], terms[behind], self.source)

    def _row_sums(self, sums: Tensor, terms: Tensor, atoms: Tensor) -> RowSums:
        """Sums of pairs and of the padding, `atoms` being the atom around which each sum adds."""
        if self.missing is not None:
            times = self.missing.flatten().to(sums.dtype).index_select(0, atoms)
            padded = torch.arange(len(atoms)).to(sums).repeat_interleave(times)
            sums = torch.cat([sums, padded])
            terms = torch.cat([terms, torch.full_like(padded, len(atoms) - 1)])
        return RowSums.of(sums, terms, len(atoms))

    def _with_padding(self, sums: Tensor, rows: Tensor) -> Tensor:
        if self.missing is None:
            return sums
        shape = (-1, *[1] * (rows.dim() - 1))
        return sums + self.missing.to(rows.dtype).view(shape) * rows[-1:]


def on_host(molecules: MoleculeGraph) -> MoleculeGraph | None:
    """Return the bonds of a batch on the CPU, or `None` of a batch that is there already, or whose graph is DGL's."""
    graph = molecules.graph
    if graph.device.type == "cpu" or not isinstance(graph, TensorGraph):
        return None
    return MoleculeGraph(graph.on_host())
