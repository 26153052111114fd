"""Options of the family's members, and the hooks that the step calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from optim import checks
from optim.displacement import Displacement
from optim.plan import Plan
from optim.radius import Radius
from optim.vectors import Vector

Closure = Callable[..., Any]


class Rule(Radius):
    """Options and hooks of a sharpness-aware rule; `SharpnessAware` adds the step and documents the options.

    A hook that is asked before the last pass of a step changes no attribute and no memory by itself, because a pass may
    fail and the step be tried again: it calls `defer` and ``memory.stage``, which take effect after the last pass.
    """

    keeps_gradient: ClassVar[bool] = False
    """The rule reads the ascent gradient after the second pass, so it is copied out of the closure's reach."""

    ascent_decides: ClassVar[bool] = False
    """The ascent gradient enters the update or the number of passes, so replicas must agree on it: no ``no_sync``."""

    climbs_gradients: ClassVar[bool] = True
    """Directions are made of gradients, so a base that maximizes turns them round. False: of the base's momentum."""

    def __init__(
        self,
        base: torch.optim.Optimizer,
        *,
        rho: float = 0.05,
        rise: float | None = None,
        max_rho: float | None = None,
        start: float = 0.0,
        ascent_share: float = 1.0,
        adaptive: bool = False,
        eta: float = 0.01,
        max_grad_norm: float | None = None,
        model: nn.Module | None = None,
        no_sync: Callable[[], AbstractContextManager[Any]] | None = None,
        diagnostics: bool = False,
        same_dropout: bool = False,
        **unknown: Any,
    ) -> None:
        checks.no_unknown(type(self), unknown)
        super().__init__(base, rho=rho, rise=rise, max_rho=max_rho, start=start)
        self.ascent_share = checks.ascent_share_of(self, ascent_share)
        self.adaptive = adaptive
        self.eta = checks.nonnegative("eta", eta)
        self.max_grad_norm = max_grad_norm if max_grad_norm is None else checks.positive("max_grad_norm", max_grad_norm)
        self.model = model
        self.no_sync = checks.no_sync_of(self, no_sync)
        self.diagnostics = diagnostics
        self.same_dropout = same_dropout
        self._deferred: dict[str, Any] = {}

    # ------------------------------------------------------------------ before the last pass

    def plan(self) -> Plan:
        """Return the passes that this step needs. Asked once a step, and not at all while the radius is 0."""
        return Plan.ASCENT

    def direction(self, weights: list[Tensor], gradient: Vector) -> Vector:
        """Return where to climb after an ascent pass, in any length.

        Args:
            weights: The perturbed parameters.
            gradient: Gradient at the weights, finite and not zero, with a zero tensor for a parameter that got none.
        """
        return gradient

    def carried_direction(self, weights: list[Tensor]) -> Vector | None:
        """Return where to climb without an ascent pass, in any length; None: nothing is known yet."""
        return None

    def wants_perturbed_pass(self, gradient: Vector) -> bool:
        """Return whether the second pass is worth it; otherwise the update is made with ``gradient``."""
        return True

    def unit_displacement(self, weights: list[Tensor], direction: Vector) -> tuple[Vector, float] | None:
        """Return the perturbation of radius 1 as a vector and its divisor; None: the direction is zero or not finite.

        A negative divisor descends.
        """
        scale = [w.abs().add_(self.eta) for w in weights] if self.adaptive else None
        scaled = direction if scale is None else direction.times(scale)
        if not scaled.usable:
            return None
        return scaled if scale is None else scaled.times(scale), scaled.norm

    def clip(self, displacement: Displacement) -> Displacement:
        """Return what is left of a perturbation whose radius is known."""
        return displacement

    def perturbed_loss(self, closure: Closure) -> Any:
        """Call the closure at the perturbed weights."""
        return closure()

    def gap(self, first: Any, last: Any) -> Any:
        """Return the rise of the loss from the weights (``first``) to the perturbed weights (``last``)."""
        return last - first

    # ------------------------------------------------------------------ after the last pass

    def correct(self, weights: list[Tensor], gradient: Vector | None, updating: Vector, perturbed: bool) -> Vector:
        """Return the gradient for the base optimizer; not asked while the radius is 0.

        Args:
            weights: The perturbed parameters.
            gradient: Ascent gradient where the rule `keeps_gradient`; None otherwise, and without an ascent pass.
            updating: Gradient of the last pass, finite. Its tensors may be changed in place and returned in a new
                vector.
            perturbed: The last pass was at perturbed weights.
        """
        return updating

    def learn(self, weights: list[Tensor], updating: Vector, perturbed: bool) -> None:
        """Remember something of the finite updating gradient, before the base optimizer uses it."""

    def after_update(self, weights: list[Tensor]) -> None:
        """Change the weights once more, after the update of the base optimizer; not asked while the radius is 0."""

    # ------------------------------------------------------------------ all or nothing

    def defer(self, **values: Any) -> None:
        """Set attributes after the last pass of this step."""
        self._deferred.update(values)

    def commit(self) -> None:
        """Let what was deferred and staged take effect: the passes of the step are made."""
        if self._deferred:
            vars(self).update(self._deferred)
            self._deferred = {}
        self.memory.commit()

    def roll_back(self) -> None:
        """Forget what was deferred and staged: a pass failed, and the step may be tried again."""
        self._deferred = {}
        self.memory.roll_back()
