"""The passes of one step, its update, and how a failed pass is undone."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from numbers import Number
from typing import Any

import torch
from torch import Tensor

from optim import checks, gradients
from optim.arithmetic import copy_
from optim.attempt import Attempt
from optim.context import StepContext
from optim.displacement import Displacement
from optim.foreign import ForeignGradients, refuse_unless_cleared
from optim.layout import Layout
from optim.plan import Plan
from optim.random_state import GlobalRandomState
from optim.record import StepRecord
from optim.rule import Closure, Rule
from optim.running_stats import RunningStats
from optim.vectors import Flaw


class Passes(Rule):
    """Phases of a step of `SharpnessAware`: begin, look around, climb, descend, finish; or abandon."""

    keep_perturbation = False
    """Keep each perturbation in ``last.perturbation``, in memory of its own."""

    _attempt: Attempt | None = None
    _layout = Layout(())  # replaced at the first step
    _foreign = ForeignGradients()  # replaced at the first step

    def _begin(self, grad_scaler: torch.amp.GradScaler | None, context: StepContext | None) -> Attempt:
        context = self._complete(context or StepContext(), grad_scaler)
        self.horizon = context.total_steps
        stretches = self.stretches()
        plan = self.plan() if any(stretch.radius > 0 for stretch in stretches) else Plan.PLAIN
        statistics = RunningStats(context.model)
        attempt = Attempt(context, gradients.perturbable(self.param_groups), stretches, plan, statistics)
        if not self._layout.fits(attempt.weights):
            self._layout = Layout(attempt.weights)
        attempt.before = statistics.copy()
        if self.same_dropout and plan is Plan.ASCENT:
            attempt.random_state = GlobalRandomState(attempt.weights)
        return attempt

    def _complete(self, context: StepContext, grad_scaler: torch.amp.GradScaler | None) -> StepContext:
        """Fill the fields that the loop left open with the options of this optimizer."""
        if context.no_sync is not None:
            checks.no_sync_of(self, context.no_sync)
        return StepContext(
            max_grad_norm=self.max_grad_norm if context.max_grad_norm is None else context.max_grad_norm,
            model=self.model if context.model is None else context.model,
            no_sync=self.no_sync if context.no_sync is None else context.no_sync,
            grad_scaler=grad_scaler if context.grad_scaler is None else context.grad_scaler,
            total_steps=context.total_steps,
            mean=context.mean,
        )

    def _make_passes(self, attempt: Attempt, closure: Closure) -> None:
        """One pass at the weights, or at carried perturbed weights; or both, one after the other."""
        foreign = self._foreign.are_there(attempt.weights)
        self._foreign = ForeignGradients()  # which lets go of the gradient that it has remembered
        if attempt.plan is Plan.ASCENT:
            with attempt.context.no_sync() if attempt.context.no_sync is not None else nullcontext():
                attempt.first_loss = self._pass(attempt, self._ascent_closure(closure), foreign)
            self._look_around(attempt)
            foreign = False
        if attempt.again:
            self._climb(attempt)
            if attempt.perturbed:
                self._pass(attempt, lambda: self.perturbed_loss(closure), foreign)
            else:
                self._pass(attempt, closure, foreign)
            self._descend(attempt)

    def _ascent_closure(self, closure: Closure) -> Closure:
        """Return the closure of the ascent pass, over the first samples of the batch where a part is enough."""
        if self.ascent_share == 1:
            return closure
        samples = getattr(closure, "num_samples", None)
        if samples is None:
            raise TypeError(
                f"ascent_share={self.ascent_share:g} needs a closure that can leave samples out: optim.SampleClosure, "
                "or one with num_samples that takes the positions of samples"
            )
        return partial(closure, torch.arange(max(1, math.ceil(self.ascent_share * samples))))

    def _pass(self, attempt: Attempt, closure: Closure, foreign: bool) -> Any:
        if foreign:
            closure = partial(refuse_unless_cleared, attempt.weights, closure)
        gradients.clear(self.param_groups)
        attempt.passes += 1
        with torch.enable_grad():
            attempt.loss = closure()
        if attempt.loss is None:
            raise TypeError("the closure returned None; end it with `return loss`, after `loss.backward()`")
        return attempt.loss

    def _look_around(self, attempt: Attempt) -> None:
        """Read the ascent gradient, and ask whether a second pass follows."""
        scaler, compact = attempt.context.grad_scaler, self._layout.compact
        attempt.gradient = gradients.read(attempt.weights, scaler, copy=self.keeps_gradient, compact=compact)
        attempt.flaw = gradients.worst_of_replicas(attempt.gradient.flaw, attempt.context.no_sync)
        attempt.again = attempt.flaw is not Flaw.NONE or self.wants_perturbed_pass(attempt.gradient)
        if self.ascent_share < 1:
            attempt.statistics.put_back(attempt.before)  # the second pass counts the complete batch
        else:
            attempt.counted = attempt.statistics.copy()

    def _climb(self, attempt: Attempt) -> None:
        """Move the weights to where the second pass is made, if there is a direction."""
        displacement = self._displacement(attempt)
        if not self.keeps_gradient:
            attempt.gradient = None  # its memory is needed for the gradients of the second pass
        if displacement is not None:
            if self.diagnostics:
                attempt.climbed = displacement.in_proportion()
            if self.keep_perturbation:
                attempt.perturbation = displacement.scaled()
            attempt.kept = self._layout.copy_of(attempt.weights)
            displacement.add_to(attempt.weights)
        if attempt.random_state is not None:
            attempt.random_state.restore()

    def _displacement(self, attempt: Attempt) -> Displacement | None:
        if attempt.plan is Plan.PLAIN:
            return None
        direction = None
        if attempt.plan is Plan.CARRIED:
            direction = self.carried_direction(attempt.weights)
        elif attempt.flaw is Flaw.NONE and attempt.gradient is not None:
            direction = self.direction(attempt.weights, attempt.gradient)
        unit = None if direction is None else self.unit_displacement(attempt.weights, direction)
        attempt.missed = unit is None or not self._fit_radii(attempt)
        if unit is None or attempt.missed:
            return None
        vector, divisor = unit
        return self.clip(Displacement(vector, [(s.count, s.sign * s.radius / divisor) for s in attempt.stretches]))

    def _fit_radii(self, attempt: Attempt) -> bool:
        """Turn a relative rise of the loss into radii; returns whether they are known."""
        if self.rise is None:
            return True
        loss, slope = self.carried_loss, self.carried_slope
        if attempt.gradient is not None:
            loss, slope = _number(attempt.first_loss), self.slope(attempt.weights, attempt.gradient)
            if attempt.context.no_sync is None:  # else loss and gradient are those of this replica
                loss = attempt.context.loss_of_replicas(loss)
        radius = self.radius_of_rise(loss, slope)
        if radius is None:
            return False
        attempt.stretches = [replace(s, radius=self.bounded(s.radius * radius)) for s in attempt.stretches]
        return True

    def _descend(self, attempt: Attempt) -> None:
        """Put the weights back; the statistics too, if the ascent pass has counted this batch."""
        if attempt.climbed is not None:
            attempt.cosine = attempt.climbed.cosine(gradients.read(attempt.weights))
        if attempt.kept is not None:
            copy_(attempt.weights, attempt.kept)
        if attempt.counted is not None:
            attempt.statistics.put_back(attempt.counted)

    def _abandon(self, attempt: Attempt) -> None:
        """Leave no trace of a step that failed."""
        if attempt.kept is not None:
            copy_(attempt.weights, attempt.kept)
        attempt.statistics.put_back(attempt.before)
        self.roll_back()

    def _finish(self, attempt: Attempt) -> None:
        """Let the rule learn and the base step, and write the record."""
        self.commit()
        self.passes += attempt.passes
        self.unperturbed += attempt.missed
        updated, norm = self._update(attempt)
        self.steps += 1
        self.last = StepRecord(
            attempt.passes, attempt.rho if attempt.perturbed else 0.0, attempt.perturbed, updated, norm, attempt.cosine,
            _detach(attempt.loss), self._gap(attempt), attempt.perturbation,
        )  # fmt: skip
        self._foreign = ForeignGradients(attempt.weights)

    def _gap(self, attempt: Attempt) -> Any:
        if self.ascent_share < 1:  # the two losses are not of the same samples
            return None
        first, last = _detach(attempt.first_loss), _detach(attempt.loss)
        return None if first is None or last is None or not attempt.perturbed else self.gap(first, last)

    def _update(self, attempt: Attempt) -> tuple[bool, float]:
        """Let the base step, unless a gradient is not finite; returns whether it did and the gradient's norm."""
        context, weights = attempt.context, attempt.weights
        if context.grad_scaler is not None:
            gradients.unscale(context.grad_scaler, self.base, attempt.flaw is Flaw.NOT_FINITE and context.scales)
        updating = gradients.read(weights, compact=self._layout.compact)
        if updating.finite and attempt.rho > 0:
            corrected = self.correct(weights, attempt.gradient, updating, attempt.perturbed)
            gradients.write(weights, corrected, updating)
            updating = corrected
        norm = math.hypot(updating.norm, gradients.norm_of_rest(self.param_groups, weights))
        if not math.isfinite(norm):
            self.skipped += 1
            return False, norm
        if self.rise is not None:
            loss = _detach(attempt.loss)
            self.carried_loss = None if loss is None else context.loss_of_replicas(float(loss))
            self.carried_slope = self.slope(weights, updating)
        self.learn(weights, updating, attempt.perturbed)
        if context.max_grad_norm is not None and norm + 1e-6 > context.max_grad_norm:
            gradients.clip_(self.param_groups, context.max_grad_norm, norm)
        if context.grad_scaler is None:
            self.base.step()
        else:
            context.grad_scaler.step(self.base)
        if attempt.rho > 0:
            self.after_update(weights)
        return True, norm


def _number(loss: Any) -> float:
    """Return a loss as a float.

    Raises:
        TypeError: It is not a number.
    """
    value = _detach(loss)
    if value is None:
        raise TypeError(f"rise needs the loss of a step as a number, and the closure returned {loss!r}")
    return float(value)


def _detach(loss: Any) -> Any:
    """Return a loss without its graph; None for what is not a number."""
    if isinstance(loss, Tensor):
        return loss.detach()
    return loss if isinstance(loss, Number) else None
