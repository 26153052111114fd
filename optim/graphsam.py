"""GraphSAM: sharpness-aware minimisation for about the price of the base optimizer."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks
from optim.plan import Plan
from optim.schedules import step_rho
from optim.sharpness_aware import SharpnessAware
from optim.vectors import Vector


class GraphSAM(SharpnessAware):
    r"""GraphSAM: the ascent gradient is taken once an epoch and carried over by a moving average of updating gradients.

    At the first step of an epoch (the anchor) d = g/‖g‖. Every step e then uses

    .. math::
        \epsilon = \rho_e\, d / \lVert d \rVert, \qquad g_s = \nabla L(w + \epsilon), \qquad
        d \leftarrow \beta d + (1 - \beta)\, g_s / \lVert g_s \rVert, \qquad
        \rho_e = \rho_0\, \gamma^{\lfloor e / \lambda \rfloor}

    with global norms over all perturbed parameters. ``1 + 1/steps_per_epoch`` passes a step: call ``set_epoch(epoch)``
    at the start of each epoch. If it is never called, the first step is the only anchor and rho stays rho_0. An anchor
    whose gradient is zero or not finite is taken again at the next step; such an updating gradient is not averaged in.

    Args:
        base: Optimizer instance that makes the update.
        rho: rho_0, >= 0.
        beta: Share of the old direction in the average, in [0, 1]; 1 keeps the anchor's for the whole epoch.
        gamma: Decay of rho, in [0, 1].
        lam: Epochs for each decay of rho, >= 1.
        anchor_every: Epochs from anchor to anchor, >= 1; None: only the first step of the run is one, at the cost of
            the base optimizer. That is enough for beta = 0, whose direction is the last updating gradient.
        anchor: ``"unit"`` divides the anchor by its norm, so that both terms of the average are unit vectors;
            ``"raw"`` keeps it as it is, as the paper prints it, so that its weight depends on the size of the gradient.
        adaptive: Scale the perturbation to the weights, as ASAM. None: the variant's own, False for the paper's.
        eta: Added to \|w\| when adaptive, >= 0.
        variant: ``"paper"`` for this class, or ``"released"`` for the effective rule of the authors' code, see
            `ReleasedGraphSAM`. The paper to the letter is `PaperGraphSAM`.
        **options: Options of `SharpnessAware`.

    Example:
        >>> model = torch.nn.Linear(2, 1)
        >>> optimizer = GraphSAM(torch.optim.Adam(model.parameters(), lr=1e-4), rho=0.05)
        >>> def closure():
        ...     optimizer.zero_grad()
        ...     loss = model(torch.ones(4, 2)).square().mean()
        ...     loss.backward()
        ...     return loss
        >>> for epoch in range(5):
        ...     optimizer.set_epoch(epoch)
        ...     for _ in range(10):
        ...         loss = optimizer.step(closure)
        >>> optimizer.passes
        55

    Reference:
        Wang et al., "Efficient Sharpness-Aware Minimization for Molecular Graph Transformer Models", ICLR 2024,
        arXiv 2406.13137, section 4 and algorithm 1, which this class changes in one place: the anchor has unit length.
        Written from secondary sources and the released code; docs/sharpness_aware.md lists how paper and code differ.
    """

    variants: ClassVar[dict[str, type[GraphSAM]]] = {}
    remembers: ClassVar[tuple[str, ...]] = ("direction",)

    def __init_subclass__(cls, variant: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if variant is not None:
            GraphSAM.variants[variant] = cls

    def __new__(cls, *args: Any, variant: str = "paper", **kwargs: Any) -> GraphSAM:
        """Return the class of the variant: ``GraphSAM(base, variant="released")`` is a `ReleasedGraphSAM`."""
        known: dict[str, type[GraphSAM]] = {"paper": GraphSAM, **GraphSAM.variants}
        checks.one_of("variant", variant, tuple(known))
        return super().__new__(known[variant] if cls is GraphSAM else cls, *args, **kwargs)

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        rho: float = 0.05,
        beta: float = 0.99,
        gamma: float = 0.5,
        lam: int = 1,
        anchor_every: int | None = 1,
        anchor: str = "unit",
        adaptive: bool | None = None,
        eta: float = 0.01,
        variant: str = "paper",
        **options: Any,
    ) -> None:
        super().__init__(base, rho=rho, adaptive=bool(adaptive), eta=eta, **options)
        self.beta = checks.fraction("beta", beta)
        self.gamma = checks.fraction("gamma", gamma)
        self.lam = checks.positive_int("lam", lam)
        self.anchor_every = None if anchor_every is None else checks.positive_int("anchor_every", anchor_every)
        self.anchor = checks.one_of("anchor", anchor, ("unit", "raw"))
        self.anchor_due = True
        self.anchor_epoch: int | None = None
        self.scale = 1.0

    def scheduled_rho(self, rho: float) -> float:
        """Return the radius of the epoch."""
        return step_rho(rho, self.gamma, self.lam, self.epoch or 0)

    def start_epoch(self, epoch: int) -> None:
        """Take the true gradient at the first step of every epoch that is far enough from the last anchor's."""
        if self.anchor_epoch is None:
            self.anchor_due = True
        elif self.anchor_every is not None:
            self.anchor_due |= abs(epoch - self.anchor_epoch) >= self.anchor_every

    def plan(self) -> Plan:
        """Return two passes for an anchor, one otherwise."""
        return Plan.ASCENT if self.anchor_due else Plan.CARRIED

    def direction(self, weights: list[Tensor], gradient: Vector) -> Vector:
        """Return the anchor, which replaces the carried direction."""
        direction = gradient.unit() if self.anchor == "unit" else gradient.clone()
        # At once, in place of the old one: if the second pass fails, the anchor is still due and taken anew.
        self.memory.store("direction", weights, direction)
        self.scale = 1.0
        self.defer(anchor_due=False, anchor_epoch=self.epoch)
        return direction

    def carried_direction(self, weights: list[Tensor]) -> Vector | None:
        """Return the moving average of the updating gradients since the anchor."""
        return self.memory.recall("direction", weights, self._layout.compact)

    def learn(self, weights: list[Tensor], updating: Vector, perturbed: bool) -> None:
        """Move the direction towards the updating gradient."""
        direction = self.carried_direction(weights)
        if direction is None or not updating.usable:
            return
        # What is stored is d / scale: then the average is one lerp, and only the scale has to be multiplied.
        share = (1 - self.beta) / updating.norm
        self.scale = self.beta * self.scale + share
        direction.move_towards(updating, share / self.scale)

    def rule_state(self) -> dict[str, Any]:
        """Return also whether the next step is an anchor, the epoch of the last, and the scale of the direction."""
        own = {"anchor_due": self.anchor_due, "anchor_epoch": self.anchor_epoch, "scale": self.scale}
        return {**super().rule_state(), **own}
