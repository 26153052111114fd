"""`Surroundings`: atoms and bonds that look alike as far as messages come share their states.

A state after r steps is a function of what lies within r steps of its atom or bond, and atoms and bonds are of few
kinds: in a batch of 32 molecules three of four directed bonds look like another one as far as one step reaches, half of
them as far as two do. Such rows are computed once. Values and gradients stay what they were, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TypeAlias, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules import module as hooks_of_all

from zoo.layers.alike import Alike, AllRows, number_columns, number_rows, number_surroundings
from zoo.layers.dropping import dropping_modules
from zoo.layers.filled_rows import MULTIPLE, compiles_products, fill_rows, filled
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.passage import Passage, Rows, Step
from zoo.layers.row_sums import RowSums

Sums: TypeAlias = Callable[[Tensor], Tensor]

MOST_NEIGHBORS = 16
"""No atom of a molecule has more; where one has, the search would take too long."""
WORTHWHILE = 30_000_000
"""Multiplications in a batch from which the search, of about a millisecond, takes less time than it saves."""
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")

_every_row: ContextVar[bool] = ContextVar("every_row", default=False)


@contextmanager
def compute_every_row() -> Iterator[None]:
    """Compute each row, also those that look like another one: to compare values and times.

    Example:
        >>> with compute_every_row():
        ...     may_share(nn.Linear(1, 1))
        False
    """
    token = _every_row.set(True)
    try:
        yield
    finally:
        _every_row.reset(token)


def may_share(module: nn.Module) -> bool:
    """Return whether rows that look alike have equal states in a module, and nobody watches them.

    They have not where values are dropped, and hooks may ask for every row.
    """
    if _every_row.get() or torch.compiler.is_compiling() or any(part.training for part in dropping_modules(module)):
        return False
    if any(getattr(hooks_of_all, f"_global{name}", None) for name in HOOKS):
        return False
    return not any(getattr(part, name) for part in module.modules() for name in HOOKS)


class Surroundings:
    """The atoms and directed bonds of a batch, and which of them look alike as far as messages come.

    Args:
        around: The bonds.
        atom_feats: Features of the atoms (N, A).
        bond_feats: Features of the directed bonds (E, F).
        share: Let rows that look alike share their states, see `may_share`. They do not where the features require
            gradients, nor on a GPU, which would be waited for, nor where an atom has more than `MOST_NEIGHBORS`.
        work: Multiplications that the model takes for each bond: where there are few, the search would not pay.
    """

    def __init__(self, around: Neighborhood, atom_feats: Tensor, bond_feats: Tensor, share: bool, work: int) -> None:
        self.around, self.atom_feats, self.bond_feats = around, atom_feats, bond_feats
        self.multiple = MULTIPLE if compiles_products(atom_feats) else 1
        self.shared = share and len(bond_feats) * work >= WORTHWHILE and self._can_be_compared()

    def _can_be_compared(self) -> bool:
        if any(feats.requires_grad or feats.device.type != "cpu" for feats in (self.atom_feats, self.bond_feats)):
            return False
        return len(self.atom_feats) > 0 and int(self.around.graph.in_degrees().max()) <= MOST_NEIGHBORS

    @property
    def all_atoms(self) -> AllRows:
        """All atoms."""
        return AllRows(self.atom_feats.shape[0])

    @property
    def all_bonds(self) -> AllRows:
        """All directed bonds."""
        return AllRows(self.bond_feats.shape[0])

    def atom_passages(self, depths: Sequence[int], same_rows: bool = False) -> list[Passage]:
        """Steps between atoms.

        Args:
            depths: How many steps are taken in one passage after another.
            same_rows: Compute the same rows in all steps, for heads that take different numbers of steps.
        """
        sums = self.around.atom_rows
        if not self.shared:
            return [Passage.of_all(self._fill(sums), self.all_atoms.size)] * len(depths)
        return self._passages(self._atom_kinds, sums, depths, same_rows)

    def bond_passages(self, depths: Sequence[int], same_rows: bool = False, by_graph: bool = False) -> list[Passage]:
        """Steps between directed bonds.

        Args:
            depths: As for atoms.
            same_rows: As for atoms.
            by_graph: Where each row is computed, let the graph add rows up: it takes sums of atoms less one bond.
        """
        if self.shared:
            return self._passages(self._bond_kinds, self.around.bond_rows, depths, same_rows)
        sums = cast(RowSums, self._sum_bonds_by_graph) if by_graph else self._fill(self.around.bond_rows)
        return [Passage.of_all(sums, self.all_bonds.size)] * len(depths)

    def feats_of(self, atoms: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Features of atoms of different kinds (k, A), and which of them each of some atoms has (R,).

        Args:
            atoms: Their numbers (R,); `None` for all, in their order.
        """
        if not self.shared:
            return fill_rows(self.atom_feats), atoms
        kinds = self._alike_atoms
        classes = kinds.classes if atoms is None else kinds.classes[atoms.numpy()]
        return kinds.choose(self.atom_feats), torch.from_numpy(classes)

    def sums_of_atoms(self, atoms: Rows) -> tuple[Rows, Sums]:
        """Atoms to be computed from the states of their neighbours, which are given, and the sums of these."""
        if isinstance(atoms, AllRows):
            return self.all_atoms, lambda states: fill_rows(self.around.sum_atoms(atoms.spread(states)))
        return self._summing(self.around.atom_rows, atoms)

    def sums_of_bonds(self, bonds: Rows) -> tuple[Rows, Sums]:
        """Atoms to be computed from the states of bonds that lead to them, which are given, and the sums of these."""
        if isinstance(bonds, AllRows):
            return self.all_atoms, lambda states: fill_rows(self.around.sum_to_atoms(bonds.spread(states)))
        return self._summing(self.around.incoming_rows, bonds)

    def _sum_bonds_by_graph(self, bonds: Tensor) -> Tensor:
        return fill_rows(self.around.sum_bonds(self.all_bonds.spread(bonds)))

    def _fill(self, sums: RowSums) -> RowSums:
        return sums if self.multiple == 1 else sums.fill(filled(len(sums.starts)))

    @cached_property
    def _alike_atoms(self) -> Alike:
        return Alike.of(self._atom_kinds, self.multiple)

    @cached_property
    def _atom_kinds(self) -> np.ndarray:
        return number_rows(self.atom_feats)

    @cached_property
    def _bond_kinds(self) -> np.ndarray:
        of_sources = self._atom_kinds[self.around.source.numpy()]
        return number_columns([of_sources, number_rows(self.bond_feats)])

    def _summing(self, sums: RowSums, summed: Alike) -> tuple[Alike, Sums]:
        numbers, around = number_surroundings(self._atom_kinds, summed.numbers, sums)
        atoms = Alike.of(numbers, self.multiple)
        return atoms, summed.sums_for(atoms, around)

    def _passages(self, kinds: np.ndarray, sums: RowSums, depths: Sequence[int], same_rows: bool) -> list[Passage]:
        rows, seen = [Alike.of(kinds, self.multiple)], []
        for _ in range(sum(depths) + same_rows):
            numbers, around = number_surroundings(rows[-1].numbers, rows[-1].numbers, sums)
            rows.append(Alike.of(numbers, self.multiple))
            seen.append(around)
        if same_rows:
            last = rows[-2]
            return [Passage([Step(last.sums_for(last, seen[-1]))], last, last)] * len(depths)
        ends = pairwise(accumulate(depths, initial=0))
        return [_passage(rows[start : stop + 1], seen[start:stop]) for start, stop in ends]


def _passage(rows: Sequence[Alike], seen: Sequence[np.ndarray]) -> Passage:
    """Steps from each of some rows to the next, the neighbours of which have the numbers that are seen."""
    first = rows[0]
    steps = [
        Step(before.sums_for(after, around), torch.from_numpy(first.classes[after.chosen]))
        for (before, after), around in zip(pairwise(rows), seen, strict=True)
    ]
    return Passage(steps, first, rows[-1])
