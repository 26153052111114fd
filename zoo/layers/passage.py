"""Which rows message passing computes at each step, where rows that look alike share their states.

A state after r steps is a function of what lies within r steps of its atom or bond, and atoms and bonds are of few
kinds: in a batch of 32 molecules four of five directed bonds look like another one as far as one step reaches, half of
them as far as two do. Such rows are computed once. Values and gradients stay what they were, up to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from zoo.layers.alike import Alike, number_columns, number_rows, number_surroundings
from zoo.layers.dropping import dropping_modules
from zoo.layers.filled_rows import MULTIPLE, compiles_products, fill_rows, filled
from zoo.layers.neighborhood import Neighborhood
from zoo.layers.row_sums import RowSums
from zoo.layers.tracing import is_exported

Sums: TypeAlias = Callable[[Tensor], Tensor]

MOST_NEIGHBORS = 16
"""Graphs with more around an atom are none of molecules, and not worth the search."""


_every_row: ContextVar[bool] = ContextVar("every_row", default=False)


@contextmanager
def compute_every_row() -> Iterator[None]:
    """Compute rows that look alike each for itself, to compare values and time."""
    token = _every_row.set(True)
    try:
        yield
    finally:
        _every_row.reset(token)


def may_share(module: nn.Module) -> bool:
    """Return whether rows that look alike have equal states in a module: it drops no values, and has no hooks."""
    if any(part.training for part in dropping_modules(module)):
        return False
    return not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


@dataclass(frozen=True)
class Step:
    """One step of message passing.

    Args:
        sums: Sums over neighbours, from the rows before the step to those after it.
        inputs: The row that each of those after it was before the first step (R,); `None` for the same one.
    """

    sums: RowSums
    inputs: Tensor | None = None

    def of_input(self, x: Tensor) -> Tensor:
        """The input (R, D) of the rows after this step, from that of the rows before the first."""
        return x if self.inputs is None else x.index_select(0, self.inputs)


@dataclass(frozen=True)
class Passage:
    """Some steps of message passing, from some rows to others.

    Args:
        steps: One after another; the last one stands for all that may follow.
        first: Rows before the first step; `None` for all.
        last: Rows after the last step; `None` for all.
    """

    steps: Sequence[Step]
    first: Alike | None = None
    last: Alike | None = None

    def __getitem__(self, step: int) -> Step:
        return self.steps[min(step, len(self.steps) - 1)]

    def most_rows(self, x: Tensor) -> int:
        """The most rows that a step computes, given the input (R, D) of those before the first."""
        return max((len(x) if step.inputs is None else len(step.inputs) for step in self.steps), default=0)

    @classmethod
    def of_all(cls, sums: RowSums) -> Passage:
        """Steps on all rows."""
        return cls([Step(sums)])


def choose(values: Tensor, rows: Alike | None) -> Tensor:
    """Values of the computed rows, from those of all (n, ...)."""
    return fill_rows(values) if rows is None else rows.choose(values)


def spread(states: Tensor, rows: Alike | None, size: int) -> Tensor:
    """States of all `size` rows, from those of the computed ones."""
    return states[:size] if rows is None else rows.spread(states)


class Surroundings:
    """The atoms and directed bonds of a batch, and which of them look alike as far as messages come.

    Args:
        around: The bonds.
        atom_feats: Features of the atoms (N, A).
        bond_feats: Features of the directed bonds (E, F).
        share: Let rows that look alike share their states (see `may_share`). They do not where a gradient is asked for
            each row, nor in a trace, nor on a GPU, which would be waited for.
    """

    def __init__(self, around: Neighborhood, atom_feats: Tensor, bond_feats: Tensor, share: bool) -> None:
        self.around, self.atom_feats, self.bond_feats = around, atom_feats, bond_feats
        self.multiple = MULTIPLE if compiles_products(atom_feats) else 1
        self.shared = share and not _every_row.get() and not is_exported() and self._can_be_compared()

    def _can_be_compared(self) -> bool:
        if any(feats.requires_grad or feats.device.type != "cpu" for feats in (self.atom_feats, self.bond_feats)):
            return False
        degrees = self.around.graph.in_degrees()
        return len(degrees) > 0 and int(degrees.max()) <= MOST_NEIGHBORS

    def atom_passages(self, depths: Sequence[int], even: bool = False) -> list[Passage]:
        """Steps between atoms.

        Args:
            depths: How many steps are taken from one passage to the next.
            even: Compute the same rows at each step, for heads that take different numbers of steps.
        """
        return self._passages(self.around.atom_rows, self._atom_kinds if self.shared else None, depths, even)

    def bond_passages(self, depths: Sequence[int], even: bool = False) -> list[Passage]:
        """Steps between directed bonds; arguments as for atoms."""
        return self._passages(self.around.bond_rows, self._bond_kinds if self.shared else None, depths, even)

    def feats_of(self, atoms: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Features of atoms of different kinds (k, A), and which of them each of some atoms has (R,).

        Args:
            atoms: Their numbers (R,); `None` for all, in their order.
        """
        if not self.shared:
            return fill_rows(self.atom_feats), atoms
        classes = self._kinds_alike.classes
        return self._kinds_alike.choose(self.atom_feats), torch.from_numpy(
            classes if atoms is None else classes[atoms.numpy()]
        )

    def sums_of_atoms(self, atoms: Alike | None) -> tuple[Alike | None, Sums]:
        """Atoms that differ by themselves and by what they sum: their neighbours, of the given classes."""
        return self._summing(self.around.atom_rows, atoms) if atoms else (None, self._sum_all_atoms)

    def sums_of_bonds(self, bonds: Alike | None) -> tuple[Alike | None, Sums]:
        """Atoms that differ by themselves and by what they sum: the bonds that lead to them, of the given classes."""
        return self._summing(self.around.incoming_rows, bonds) if bonds else (None, self._sum_all_bonds)

    def _sum_all_atoms(self, atoms: Tensor) -> Tensor:
        return fill_rows(self.around.sum_atoms(atoms[: self.atom_feats.shape[0]]))

    def _sum_all_bonds(self, bonds: Tensor) -> Tensor:
        return fill_rows(self.around.sum_to_atoms(bonds[: self.bond_feats.shape[0]]))

    @cached_property
    def _kinds_alike(self) -> Alike:
        return Alike.of(self._atom_kinds, self.multiple)

    @cached_property
    def _atom_kinds(self) -> np.ndarray:
        return number_rows(self.atom_feats)

    @cached_property
    def _bond_kinds(self) -> np.ndarray:
        of_sources = self._atom_kinds[self.around.source.numpy()]
        return number_columns([of_sources, number_rows(self.bond_feats)])

    def _summing(self, sums: RowSums, summed: Alike) -> tuple[Alike, Sums]:
        numbers = number_surroundings(self._atom_kinds, summed.classes, sums)
        atoms = Alike.of(numbers, self.multiple)
        return atoms, summed.sums_into(atoms, sums)

    def _passages(self, sums: RowSums, kinds: np.ndarray | None, depths: Sequence[int], even: bool) -> list[Passage]:
        if kinds is None:
            every = Passage.of_all(sums if self.multiple == 1 else sums.fill(filled(len(sums.starts))))
            return [every] * len(depths)
        levels = [kinds]
        for _ in range(sum(depths)):
            levels.append(number_surroundings(levels[-1], levels[-1], sums))
        if even:
            last = Alike.of(levels[-1], self.multiple)
            return [Passage([Step(last.sums_into(last, sums))], last, last)] * len(depths)
        rows = [Alike.of(level, self.multiple) for level in levels]
        return [_passage(rows[start : stop + 1], sums) for start, stop in pairwise(accumulate(depths, initial=0))]


def _passage(rows: Sequence[Alike], sums: RowSums) -> Passage:
    """Steps from each of some rows to the next."""
    first, last = rows[0], rows[-1]
    steps = [
        Step(before.sums_into(after, sums), torch.from_numpy(first.classes[after.chosen]))
        for before, after in pairwise(rows)
    ]
    return Passage(steps, first, last)
