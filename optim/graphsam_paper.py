"""GraphSAM exactly as its paper prints it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch

from optim import checks
from optim.graphsam import GraphSAM
from optim.schedules import smooth_rho


class PaperGraphSAM(GraphSAM):
    r"""GraphSAM as published: the anchor keeps its length, and rho decays with every epoch.

    .. math::
        d_0 = g, \qquad d \leftarrow \beta d + (1 - \beta)\, g_s / \lVert g_s \rVert, \qquad
        \epsilon = \rho_e\, d / \lVert d \rVert, \qquad \rho_e = \rho_0\, \gamma^{e / \lambda}

    `GraphSAM` divides the anchor by its norm, so that both terms of the average have one scale, and decays rho in steps
    of lam epochs. Where a gradient is longer than 1, the raw anchor outweighs the unit vectors that follow: at its
    defaults the direction of an epoch is nearly that of its first step. ``1 + 1/steps_per_epoch`` passes a step.

    Args:
        base: Optimizer instance that makes the update.
        **options: Options of `GraphSAM`, such as ``rho``, ``beta``, ``gamma`` and ``lam``.

    Example:
        >>> optimizer = PaperGraphSAM(torch.optim.Adam(torch.nn.Linear(2, 1).parameters()), rho=0.08, lam=2)
        >>> optimizer.set_epoch(4)
        >>> optimizer.current_rho
        0.02

    Reference:
        Wang et al., ICLR 2024, arXiv 2406.13137, eqs. 4 and 5; read in secondary sources that quote them.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"anchor": "raw", "variant": "paper"}

    def __init__(self, base: torch.optim.Optimizer, **options: Any) -> None:
        super().__init__(base, anchor="raw", **checks.without_fixed(type(self), options))

    def scheduled_rho(self, rho: float) -> float:
        """Return the radius of the epoch."""
        return smooth_rho(rho, self.gamma, self.lam, self.epoch or 0)
