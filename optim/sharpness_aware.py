"""The sharpness-aware step: one loop for every rule.

A rule is a subclass of `SharpnessAware` that overrides some of the hooks of `Rule`. Everything else (passes, weights
kept and copied back, mixed precision, clipping, replicas, retries, checkpoints) is the loop's, the same for all.
"""

from __future__ import annotations

from typing import Any

import torch

from optim import checks
from optim.compiling import never_compiled
from optim.context import StepContext
from optim.passes import Passes
from optim.plan import Plan
from optim.rule import Closure


class SharpnessAware(Passes):
    r"""Base class of the family: the step of the wrapped optimizer, with a gradient taken at perturbed weights.

    .. math:: \epsilon = \rho\, T^2 d / \lVert T d \rVert, \qquad w \leftarrow U(w, \nabla L(w + \epsilon))

    with the rule's direction d, the base optimizer's update U, and T = 1, or T = \|w\| + eta when ``adaptive``. Where a
    base has ``maximize=True``, the sign of epsilon turns round.

    Args:
        base: Optimizer instance that makes the update. Its ``param_groups`` and ``state`` are shared, so learning-rate
            schedulers attach to this object. Groups with ``"perturb": False`` are updated but never perturbed; a group
            with a ``"rho"`` is perturbed by that radius, :math:`\epsilon_i = \rho_i\, d_i / \lVert d \rVert`.
        rho: Radius of the perturbation, >= 0; 0 is the base optimizer bit for bit, in one pass a step.
        rise: In place of rho: share of the loss L, >= 0, by which a step along the gradient would raise it to first
            order, :math:`\rho_t = rise \cdot \vert L \vert / \lVert g \rVert` (LE-SAM, arXiv 2605.10183; read in
            secondary sources). One value fits data sets whose radii differ by a factor of 30. A step without a gradient
            at the weights takes loss and norm of the step before. None: rho counts.
        max_rho: Bound on the radius that a rise gives, > 0: on a plateau, with little slope at a high loss, the step
            for a rise of 3 % leads far away. None: no bound.
        start: Share of the run, in [0, 1], that is over when perturbing begins (arXiv 2410.10373 finds most of SAM's
            gain in its last epochs); a `StepContext` tells the length of the run.
        ascent_share: Share of the batch, in (0, 1], over which the ascent pass runs: its first samples. It needs a
            closure that can leave samples out, as `SampleClosure`.
        adaptive: Scale the perturbation to the weights (ASAM, arXiv 2102.11600, eq. 5).
        eta: Added to \|w\| when ``adaptive``, >= 0.
        max_grad_norm: Clip the global norm of the updating gradient to this, > 0; None: no clipping.
        model: Model whose BatchNorm statistics count a batch once; None: every pass counts.
        no_sync: Context-manager factory, as ``ddp_model.no_sync``, for the ascent pass: each replica then climbs by the
            gradient of its own share of the batch (m-sharpness, arXiv 2010.01412, section 4.1).
        diagnostics: Compute ``last.cosine``; costs a few passes over the memory of the parameters.
        same_dropout: Draw the same random numbers (dropout masks) in the second pass as in the first.

    Attributes:
        passes: Closure calls so far.
        skipped: Steps without an update, because the updating gradient was not finite.
        unperturbed: Steps that should have been perturbed, but whose direction was zero or not finite.
        horizon: Steps of the run, where a `StepContext` named them.
        last: `StepRecord` of the last step; None before the first.
    """

    @never_compiled
    @torch.no_grad()
    def step(  # type: ignore[override]
        self,
        closure: Closure | None = None,
        *,
        grad_scaler: torch.amp.GradScaler | None = None,
        context: StepContext | None = None,
    ) -> Any:
        """Make one step.

        An exception in a pass leaves weights, statistics and the rule as they were, so the step may be tried again.

        Args:
            closure: Runs forward and backward and returns the loss. Called as often as the rule needs. Gradients are
                cleared before every call, so it need not do that itself.
            grad_scaler: Short for ``context=StepContext(grad_scaler=...)``.
            context: What the training loop hands over; its fields go before the options of this optimizer.

        Returns:
            The loss of the last closure call.

        Raises:
            TypeError: No closure, or it returned None.
            ValueError: A backward outside the closure left gradients, and the closure does not clear them.
        """
        if closure is None and self.is_frozen():
            return self.base.step()
        closure = checks.closure_of(type(self).__name__, closure)
        checks.no_first_step(self._attempt)
        attempt = self._begin(grad_scaler, context)
        try:
            self._make_passes(attempt, closure)
        except BaseException:
            self._abandon(attempt)
            raise
        self._finish(attempt)
        return attempt.loss

    @never_compiled
    @torch.no_grad()
    def first_step(
        self,
        zero_grad: bool = False,
        *,
        grad_scaler: torch.amp.GradScaler | None = None,
        context: StepContext | None = None,
    ) -> None:
        """Climb with the gradients that a backward at the weights left; `second_step` finishes the step.

        For loops without a closure. Every rule needs both passes then: one that would do without the first ignores it.

        Args:
            zero_grad: Clear the gradients afterwards.
            grad_scaler: As in `step`.
            context: As in `step`.

        Raises:
            RuntimeError: The last `first_step` still waits for its `second_step`.
            ValueError: The radius depends on the loss, which only a closure tells.
        """
        checks.no_first_step(self._attempt)
        checks.no_rise(self.rise)
        attempt = self._begin(grad_scaler, context)
        attempt.passes = 2
        try:
            if attempt.plan is Plan.ASCENT:
                self._look_around(attempt)
            if attempt.again:
                self._climb(attempt)
        except BaseException:
            self._abandon(attempt)
            raise
        self._attempt = attempt
        if zero_grad:
            self.zero_grad()

    @never_compiled
    @torch.no_grad()
    def second_step(self, zero_grad: bool = False) -> None:
        """Go back to the weights, and update them with the gradients that a backward at the perturbed weights left.

        Args:
            zero_grad: Clear the gradients afterwards.

        Raises:
            RuntimeError: There was no `first_step`.
        """
        attempt, self._attempt = checks.first_step_of(self._attempt), None
        self._descend(attempt)
        self._finish(attempt)
        self._opt_called = True  # torch's schedulers look for it
        if zero_grad:
            self.zero_grad()
