"""Scores of two branches of a model: their mean and their distance."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def logit_of_mean(a: Tensor, b: Tensor) -> Tensor:
    """The logit of the mean of two probabilities that are given by their logits; exact for large logits too."""
    yes = torch.logaddexp(F.logsigmoid(a), F.logsigmoid(b))
    no = torch.logaddexp(F.logsigmoid(-a), F.logsigmoid(-b))
    return yes - no


def squared_distance(a: Tensor, b: Tensor, num_tasks: int) -> Tensor:
    """Squared distance of two branches' scores (B, S), summed over those of each target (B, T).

    Where targets of several kinds need several numbers of scores, every target gets the same share of the total.
    """
    apart = (a - b).square()
    if apart.shape[1] % num_tasks:
        return apart.sum(-1, keepdim=True).expand(-1, num_tasks) / num_tasks
    return apart.unflatten(-1, (num_tasks, -1)).sum(-1)
