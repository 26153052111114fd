"""GraphSAM-K."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.graphsam import GraphSAM


class GraphSAMK(GraphSAM):
    """GraphSAM with the published values that takes the true gradient at the first step of every K-th epoch only.

    In between, its moving average goes on. ``1 + 1/(K * steps_per_epoch)`` passes a step.

    Args:
        base: Optimizer instance that makes the update.
        rho: rho_0, >= 0.
        rise: In place of rho, as in `SharpnessAware`.
        beta: Share of the old direction in the average, in [0, 1].
        gamma: Decay of rho, in [0, 1].
        anchor_every: K, >= 1; 1 anchors every epoch. The paper finds no loss at 2, and less gain beyond.
        **options: Options of `GraphSAM`.

    Reference:
        arXiv 2406.13137, the experiments with GraphSAM-K; read in secondary sources.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"variant": "paper"}

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        rho: float = 0.05,
        rise: float | None = None,
        beta: float = 0.99,
        gamma: float = 0.5,
        anchor_every: int = 2,
        **options: Any,
    ) -> None:
        options = checks.without_fixed(type(self), options)
        super().__init__(
            base, **self.one_radius(rho, rise), beta=beta, gamma=gamma, anchor_every=anchor_every, **options
        )
