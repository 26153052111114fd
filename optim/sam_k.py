"""SAM at every k-th step."""

from __future__ import annotations

from typing import Any

import torch

from optim import checks
from optim.plan import Plan
from optim.sam import SAM


class SAMK(SAM):
    """SAM every k-th step, beginning with the first; the base optimizer's own step otherwise.

    ``1 + 1/every`` passes a step. It is the baseline to which LookSAM is compared.

    Args:
        base: Optimizer instance that makes the update.
        every: k, >= 1; 1 is SAM.
        **options: Options of `SAM`.

    Reference:
        Liu, Mai, Chen, Hsieh, You, "Towards Efficient and Scalable Sharpness-Aware Minimization", arXiv 2203.02714,
        section 4.1 ("SAM-k"); read in secondary sources only.
    """

    def __init__(self, base: torch.optim.Optimizer, *, every: int = 5, **options: Any) -> None:
        super().__init__(base, **options)
        self.every = checks.positive_int("every", every)

    def plan(self) -> Plan:
        """Return SAM's two passes at steps 0, k, 2k, ..."""
        return Plan.ASCENT if self.steps % self.every == 0 else Plan.PLAIN
