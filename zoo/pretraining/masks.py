"""Drawing the atoms and bonds whose words are to be predicted."""

from __future__ import annotations

import torch
from torch import Tensor

SHARE = 0.15
"""Share of the atoms and of the bonds of each molecule, rounded up."""


def draw(counts: Tensor, share: float = SHARE) -> Tensor:
    """Draw a share of the rows of each molecule, rounded up, from torch's generator.

    Args:
        counts: Rows of each molecule (B,), on the CPU.
        share: Above 0, at most 1.

    Returns:
        Whether each row was drawn (sum of counts,), booleans.

    Example:
        >>> drawn = draw(torch.tensor([3, 20]))
        >>> int(drawn[:3].sum()), int(drawn[3:].sum())
        (1, 3)
    """
    total = int(counts.sum())
    molecules = torch.arange(len(counts)).repeat_interleave(counts)
    order = torch.argsort(molecules.double() + torch.rand(total, dtype=torch.float64).clamp(max=1 - 1e-9))
    starts = counts.cumsum(0) - counts
    ranks = torch.empty(total, dtype=torch.long)
    ranks[order] = torch.arange(total) - starts.repeat_interleave(counts)
    wanted = torch.ceil(counts.double() * share - 1e-9).long()
    return ranks < wanted.repeat_interleave(counts)
