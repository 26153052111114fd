"""Batch normalization that also trains on a batch of one row, or of none."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class BatchNorm(nn.BatchNorm1d):
    """Batch normalization of rows (n, D); fewer than two rows are normalized by the running statistics.

    One row has no variance: torch refuses it in training, which would stop a run at a last batch of one molecule, or of
    one molecule without bonds where rows are bonds. Such a batch leaves the running statistics as they were.

    Example:
        >>> import torch
        >>> BatchNorm(4)(torch.ones(1, 4)).shape
        torch.Size([1, 4])

    Reference:
        Ioffe & Szegedy 2015 (arXiv:1502.03167).
    """

    def forward(self, input: Tensor) -> Tensor:
        """Map rows (n, D) to rows (n, D)."""
        if self.training and input.shape[0] < 2:
            return F.batch_norm(input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps)
        return super().forward(input)


def replace_batch_norms(module: nn.Module) -> None:
    """Put a `BatchNorm` in the place of every `torch.nn.BatchNorm1d` inside a module, in place."""
    for name, child in module.named_children():
        if type(child) is nn.BatchNorm1d:
            setattr(module, name, BatchNorm(child.num_features, child.eps, child.momentum))
        else:
            replace_batch_norms(child)
