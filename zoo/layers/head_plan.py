"""Plan of the heads that take steps of message passing together, and of their dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor

from zoo.layers.passage import Passage
from zoo.layers.row_sums import RowSums


def advances_jointly(x: Tensor) -> bool:
    """Return whether all heads of rows x take each step in one operation: everywhere but on a CPU.

    A GPU starts kernels at a few microseconds each, and a step of a small model has hundreds of them; a CPU starts them
    at once, and what it computes for one head after another stays in its cache.
    """
    return x.device.type != "cpu"


@dataclass(frozen=True)
class Block:
    """Some heads that take all steps together.

    Args:
        group: The group that they belong to.
        inside: The heads among those of their group.
        heads: The heads among all.
        place: The place of the first among all, heads with more steps first.
        steps: How many steps they take.
    """

    group: int
    inside: slice
    heads: slice
    place: int
    steps: int

    @property
    def size(self) -> int:
        """Number of heads."""
        return self.heads.stop - self.heads.start


@dataclass(frozen=True)
class Plan:
    """Plan of `HeadSteps`, apart from its tensors.

    Args:
        steps: Steps of each head (K,).
        passage: What adds up neighbours at each step; steps on all rows where heads take different numbers of them.
        activation: Name of the activation.
        dropout: Probability of dropping a message value; 0 outside training.
        dense: Leave out the input from the second state on.
        groups: Into how many tensors the heads are divided in the end.
        together: Heads that take a step together at most.
        keep: Keep what the gradient needs.
    """

    steps: Sequence[int]
    passage: Passage
    activation: str
    dropout: float
    dense: bool
    groups: int
    together: int
    keep: bool

    def blocks(self) -> list[Block]:
        """Divide the heads into blocks of neighbours in one group that take equally many steps.

        Example:
            >>> from zoo.layers.alike import AllRows
            >>> plan = Plan([2, 2, 2, 1], Passage([], AllRows(0), AllRows(0)), "relu", 0.0, False, 2, 2, False)
            >>> [(block.heads.start, block.heads.stop, block.steps) for block in plan.blocks()]
            [(0, 2, 2), (2, 3, 2), (3, 4, 1)]
        """
        per_group, blocks = len(self.steps) // self.groups, []
        order = sorted(range(len(self.steps)), key=lambda head: -self.steps[head])
        places = {head: place for place, head in enumerate(order)}
        for (group, steps), run in groupby(range(len(self.steps)), lambda k: (k // per_group, self.steps[k])):
            heads = list(run)
            for start in range(heads[0], heads[-1] + 1, self.together):
                stop, shift = min(start + self.together, heads[-1] + 1), group * per_group
                inside = slice(start - shift, stop - shift)
                blocks.append(Block(group, inside, slice(start, stop), places[start], steps))
        return blocks

    @property
    def sums(self) -> RowSums:
        """The sums over neighbours of every step, where all steps are on the same rows."""
        return self.passage[0].sums

    def draw_masks(self, x: Tensor) -> list[Tensor]:
        """Draw the message values that stay: at each step those of the heads that take it, see `Block.place`."""
        if not self.dropout:
            return []
        dtype = torch.promote_types(x.dtype, torch.float32)
        shapes = [(count, *x.shape) for count in self.running()[:-1]]
        return [torch.rand(shape, dtype=dtype, device=x.device) >= self.dropout for shape in shapes]

    def running(self) -> list[int]:
        """Count the heads that take each step, in decreasing order, and at last 0.

        Example:
            >>> from zoo.layers.alike import AllRows
            >>> Plan([2, 1, 2, 0], Passage([], AllRows(0), AllRows(0)), "relu", 0.0, False, 1, 4, False).running()
            [3, 2, 0]
        """
        return [sum(steps > step for steps in self.steps) for step in range(max(self.steps) + 1)]

    def order(self, device: torch.device) -> Tensor | None:
        """The heads (K,), those with more steps first; `None` where that is the order that they have."""
        order = sorted(range(len(self.steps)), key=lambda head: -self.steps[head])
        if order == sorted(order):
            return None
        return torch.tensor(order).to(device, non_blocking=True)

    def drop_all(self, messages: Tensor, masks: Sequence[Tensor], step: int) -> None:
        """Drop values of all messages (heads, n, D) after a step, in the order of `order`, or of their gradient."""
        if masks:
            messages.mul_(masks[step][: len(messages)]).div_(1 - self.dropout)

    def drop(self, messages: Tensor, masks: Sequence[Tensor], step: int, block: Block) -> None:
        """Drop values of a block's messages (heads, n, D), or of their gradient, in place."""
        if masks:
            messages.mul_(masks[step][block.place : block.place + block.size]).div_(1 - self.dropout)
