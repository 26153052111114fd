"""Sums over the neighbours of atoms and of directed bonds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import torch
from torch import Tensor

from featurizers.backend import is_dgl_graph, require_dgl
from featurizers.molecule_graph import MoleculeGraph
from featurizers.tensor_graph import TensorGraph
from zoo.layers.message_passing import Graph, sum_at_destination, sum_neighbors
from zoo.layers.row_sums import RowSums
from zoo.layers.tracing import is_exported


@dataclass(frozen=True)
class Neighborhood:
    """The bonds of a batch, for sums over what is next to an atom or leads to a bond.

    Args:
        graph: N atoms and E directed bonds.
        source: Source atom of each directed bond (E,).
        destination: Destination atom of each directed bond (E,).
        reverse: Opposite direction of each directed bond (E,).
        missing: How often the last row is added to each atom's sum (N, 1), or `None`: see `padded`.
        host: The same on the CPU, where the graph is on another device: it knows sizes that this one would wait for.
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
        loop = torch.full((1,), molecules.graph.num_nodes(), dtype=source.dtype, device=source.device)
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
        reverse = torch.cat([molecules.reverse_edges, torch.full_like(loop, molecules.graph.num_edges())])
        return cls(graph, source, destination, reverse, missing, host)

    def sum_to_atoms(self, bonds: Tensor) -> Tensor:
        """Return, for each atom, the sum of the bonds that lead to it: (E, ...) to (N, ...)."""
        return self._with_padding(sum_at_destination(self.graph, bonds), bonds)

    def sum_atoms(self, atoms: Tensor) -> Tensor:
        """Return, for each atom, the sum of its neighbours: (N, ...) to (N, ...)."""
        return self._with_padding(sum_neighbors(self.graph, atoms), atoms)

    def sum_bonds(self, bonds: Tensor) -> Tensor:
        """Return, for each bond v -> w, the sum of the bonds u -> v with u other than w: (E, ...) to (E, ...)."""
        sums = self.sum_to_atoms(bonds).index_select(0, self.source)
        sums -= bonds.index_select(0, self.reverse)
        return sums

    def sum_atoms_behind(self, atoms: Tensor) -> Tensor:
        """Return, for each bond v -> w, the sum of v and its neighbours other than w: (N, ...) to (E, ...)."""
        around = atoms + self.sum_atoms(atoms)
        return around.index_select(0, self.source) - atoms.index_select(0, self.destination)

    @cached_property
    def atom_rows(self) -> RowSums:
        """`sum_atoms` as sums of rows, for rows without gradients."""
        if is_exported():
            return cast(RowSums, self.sum_atoms)  # which is called, and has no gradient
        terms = self.source.index_select(0, self._leading)
        if self.missing is None:  # every bond has both directions, so that the map is its own transpose
            rows = RowSums(terms, self._first, lambda: rows)
            return rows
        sums = self.destination.index_select(0, self._leading)
        return self._padded_sums(sums, terms, rows=self.graph.num_nodes())

    @cached_property
    def bond_rows(self) -> RowSums:
        """`sum_bonds` as sums of rows, for rows without gradients."""
        if is_exported():
            return cast(RowSums, self.sum_bonds)
        sums, terms, starts = self._bonds_around(self.source, self.reverse)
        if self.missing is not None:
            return self._padded_sums(sums, terms, rows=len(self.source), of_bonds=True)
        return RowSums(terms, starts, self._transposed_bond_rows)

    @cached_property
    def incoming_rows(self) -> RowSums:
        """`sum_to_atoms` as sums of rows."""
        if self.missing is not None:
            numbers = torch.arange(len(self.source), device=self.source.device)
            return self._padded_sums(self.destination, numbers, rows=len(self.source))
        return RowSums(self._leading, self._first, rows=len(self.source))

    def _transposed_bond_rows(self) -> RowSums:
        """For each bond v -> w the bonds w -> u with u other than v, which are those u -> w the other way."""
        bonds = torch.arange(len(self.source), device=self.source.device)
        _, terms, starts = self._bonds_around(self.destination, bonds)
        return RowSums(self.reverse.index_select(0, terms), starts)

    @cached_property
    def _leading(self) -> Tensor:
        """The bonds by the atom that they lead to (E,)."""
        return self.destination.argsort(stable=True)

    @cached_property
    def _first(self) -> Tensor:
        """Places in `_leading` at which the bonds of each atom begin (N,)."""
        degrees = self.graph.in_degrees()
        return degrees.cumsum(0) - degrees

    def _bonds_around(self, atoms: Tensor, left_out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """For each bond, find the bonds that lead to one of its atoms (E,), without one of them (E,).

        Returns:
            Pairs of a bond and one that it finds, (M,) and (M,), in the order of the first; where those of each bond
            begin (E,).
        """
        numbers = torch.arange(len(atoms), device=atoms.device)
        counts = self.graph.in_degrees().index_select(0, atoms) - 1
        starts = counts.cumsum(0) - counts
        degrees = (self.host or self).graph.in_degrees()
        size = int((degrees * (degrees - 1)).sum())
        finding = numbers.repeat_interleave(counts, output_size=size)
        rank = torch.empty_like(numbers).scatter_(0, self._leading, numbers)
        shift = self._first.index_select(0, atoms) - starts
        places = torch.arange(size, device=atoms.device) + shift.index_select(0, finding)
        places += places >= rank.index_select(0, left_out).index_select(0, finding)
        return finding, self._leading.index_select(0, places), starts

    def _padded_sums(self, sums: Tensor, terms: Tensor, rows: int, of_bonds: bool = False) -> RowSums:
        """Return sums of pairs and of the padding, the last of all rows, around atoms or those that bonds come from."""
        times = self._times(of_bonds)
        size = int((self.host or self)._times(of_bonds).sum())
        padded = torch.arange(len(times), device=sums.device).repeat_interleave(times, output_size=size)
        sums = torch.cat([sums, padded])
        terms = torch.cat([terms, torch.full_like(padded, rows - 1)])
        return RowSums.of(sums, terms, len(times), rows)

    def _times(self, of_bonds: bool) -> Tensor:
        """Copies of the padding to add around each atom (N,), or around the atom that each bond comes from (E,)."""
        times: Tensor = self.missing.flatten().long()  # type: ignore[union-attr]
        return times.index_select(0, self.source) if of_bonds else times

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
