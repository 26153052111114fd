"""SAM-One."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.graphsam import GraphSAM


class SAMOne(GraphSAM):
    """Climb along one gradient for an epoch: the baseline that shows what GraphSAM's moving average is for.

    The direction of the first step of an epoch is kept for all of its steps. ``1 + 1/steps_per_epoch`` passes a step.

    Args:
        base: Optimizer instance that makes the update.
        anchor_every: Epochs for which a direction is kept, >= 1; None: that of the first step for the complete run.
        **options: Options of `GraphSAM`, such as ``gamma``, the decay of rho.

    Reference:
        arXiv 2406.13137, baseline "SAM-One"; read in secondary sources and in the released code, whose class takes a
        new direction each epoch.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"beta": 1.0, "variant": "paper"}

    def __init__(self, base: torch.optim.Optimizer, *, anchor_every: int | None = 1, **options: Any) -> None:
        options = checks.without_fixed(type(self), options)
        super().__init__(base, beta=1.0, anchor_every=anchor_every, **options)
