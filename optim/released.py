"""The rule that the released GraphSAM code follows, for comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from optim import checks, gradients
from optim.displacement import Displacement
from optim.graphsam import GraphSAM
from optim.plan import Plan
from optim.schedules import compounding_rho
from optim.vectors import Vector

_EPS = 1e-12  # the code's guard of the norm: with zeroed gradients it alone decides the scale
_SHIFT = 1e-8  # the code adds it to every entry before it takes the norm of an updating gradient


class ReleasedGraphSAM(GraphSAM, variant="released"):
    r"""GraphSAM as the authors' code computes it on a GPU with torch 1.x. Use ``GraphSAM(base, variant="released")``.

    At every step but an anchor the code takes its "gradient norm" of gradients that were just zeroed, so the scale is
    :math:`\rho / 10^{-12}` and the clip of each tensor to ``radius`` alone decides the perturbation. Per tensor i, with
    T = \|w\| when adaptive and T = 1 otherwise:

    .. math::
        \epsilon_i = \mathrm{clip}_{radius}(\rho\, T_i^2 d_i / (\lVert T g \rVert + 10^{-12})), \qquad
        d_i \leftarrow \beta d_i + (1 - \beta)\, g_{s,i} / \lVert g_{s,i} + 10^{-8} \rVert

    where d is the raw gradient at an anchor, and g = 0 at all other steps. rho and radius decay compounding, see
    `compounding_rho`. Only the parameters of group 0 are perturbed. The code's second pass back-propagates
    loss * gradient; here the closure decides.

    Args:
        base: Optimizer instance that makes the update.
        rho: rho_0, >= 0.
        radius: Largest norm of the perturbation of one tensor in epoch 0, >= 0.
        beta: The code's ``alpha``, in [0, 1].
        gamma: Decay of rho and radius, in [0, 1].
        lam: The code's ``epoch_steps``, >= 1.
        adaptive: T = \|w\|; None is the code's default, True.
        **options: Options of `SharpnessAware`.

    Reference:
        github.com/YL-wang/GraphSAM at 1381480, CoMPT-main/sam.py and grover-main/grover/util/sam.py.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"anchor": "raw", "eta": 0.01, "rise": None, "max_rho": None}

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        rho: float = 0.05,
        radius: float = 0.05,
        adaptive: bool | None = None,
        variant: str = "released",
        **options: Any,
    ) -> None:
        checks.one_of("variant", variant, ("released",))
        checks.one_of("anchor", options.get("anchor", "raw"), ("raw",))
        options = checks.without_fixed(type(self), options)
        super().__init__(base, rho=rho, adaptive=adaptive is None or adaptive, anchor="raw", **options)
        self.radius = checks.nonnegative("radius", radius)

    def scheduled_rho(self, rho: float) -> float:
        """Return the radius of the epoch."""
        return compounding_rho(rho, self.gamma, self.lam, self.epoch or 0)

    @property
    def current_radius(self) -> float:
        """Clip radius of the epoch."""
        return compounding_rho(self.radius, self.gamma, self.lam, self.epoch or 0)

    def plan(self) -> Plan:
        """Return the paper's plan; remember which of the two it was, because the scale depends on it."""
        plan = super().plan()
        self._at_anchor = plan is Plan.ASCENT
        return plan

    def unit_displacement(self, weights: list[Tensor], direction: Vector) -> tuple[Vector, float] | None:
        """Return the direction, and what the code divides it by."""
        if not direction.usable:
            return None
        scale = [w.abs() for w in weights] if self.adaptive else [torch.ones_like(w) for w in weights]
        scaled = direction.times(scale)
        return scaled.times(scale), (scaled.norm if self._at_anchor else 0.0) + _EPS

    def clip(self, displacement: Displacement) -> Displacement:
        """Clip tensor by tensor, and leave nothing outside group 0."""
        tensors = displacement.scaled().clipped(self.current_radius).tensors
        first = gradients.perturbable(self.param_groups[:1])
        rest = [torch.zeros_like(t) for t in tensors[len(first) :]]
        return Displacement(Vector(tensors[: len(first)] + rest), [(len(tensors), 1.0)])

    def learn(self, weights: list[Tensor], updating: Vector, perturbed: bool) -> None:
        """Update the code's moving average: every tensor by a norm of its own."""
        direction = self.memory.recall("direction", weights)
        if direction is None:
            return
        wide = updating.wide().tensors
        norms = torch._foreach_norm(torch._foreach_add(wide, _SHIFT))
        torch._foreach_mul_(direction.tensors, self.beta)
        units = torch._foreach_div(wide, list(norms))
        torch._foreach_add_(direction.tensors, units, alpha=1 - self.beta)
