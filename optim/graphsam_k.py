"""GraphSAM-K."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.graphsam import GraphSAM


class GraphSAMK(GraphSAM):
    """GraphSAM that takes the true gradient at the first step of every K-th epoch only.

    In between, its moving average goes on. ``1 + 1/(K * steps_per_epoch)`` passes a step.

    Args:
        base: Optimizer instance that makes the update.
        anchor_every: K, >= 1; 1 is GraphSAM. The paper finds no loss at 2, and less gain beyond.
        **options: Options of `GraphSAM`.

    Reference:
        arXiv 2406.13137, the experiments with GraphSAM-K; read in secondary sources.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"variant": "paper"}

    def __init__(self, base: torch.optim.Optimizer, *, anchor_every: int = 2, **options: Any) -> None:
        super().__init__(base, anchor_every=anchor_every, **checks.without_fixed(type(self), options))
