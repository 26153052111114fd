"""Randomised sharpness-aware training."""

from __future__ import annotations

from typing import Any

import torch

from optim import checks
from optim.plan import Plan
from optim.randomness import RandomizedSAM


class RST(RandomizedSAM):
    """SAM with a given probability, the base optimizer's own step otherwise; a fair draw at every step.

    ``1 + probability`` passes a step on average. The draws come from a generator of its own with a fixed seed, which is
    saved: data-parallel replicas draw alike, and a resumed run goes on with the same draws.

    Args:
        base: Optimizer instance that makes the update.
        probability: Probability of a SAM step, in [0, 1]; may be changed between steps to follow a schedule.
        seed: Seed of the draws.
        **options: Options of `SAM`.

    Reference:
        Zhao, "Randomized Sharpness-Aware Training for Boosting Computational Efficiency in Deep Learning",
        arXiv 2203.09962, constant scheduling function; read in secondary sources only.
    """

    def __init__(self, base: torch.optim.Optimizer, *, probability: float = 0.5, seed: int = 0, **options: Any) -> None:
        super().__init__(base, seed=seed, **options)
        self.probability = checks.fraction("probability", probability)

    def plan(self) -> Plan:
        """Return SAM's two passes, or one."""
        return Plan.ASCENT if self.draws.uniform() < self.probability else Plan.PLAIN
