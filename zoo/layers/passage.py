"""Steps of message passing, and the rows that each of them computes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor

from zoo.layers.alike import Alike, AllRows
from zoo.layers.row_sums import RowSums

Rows: TypeAlias = Alike | AllRows


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
        first: Rows before the first step.
        last: Rows after the last step.
    """

    steps: Sequence[Step]
    first: Rows
    last: Rows

    def __getitem__(self, step: int) -> Step:
        return self.steps[min(step, len(self.steps) - 1)]

    def most_rows(self, x: Tensor) -> int:
        """The most rows that a step computes, given the input (R, D) of those before the first."""
        return max((len(x) if step.inputs is None else len(step.inputs) for step in self.steps), default=0)

    @classmethod
    def of_all(cls, sums: RowSums, size: int) -> Passage:
        """Steps on all rows, of which there are `size`."""
        return cls([Step(sums)], AllRows(size), AllRows(size))
