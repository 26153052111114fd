"""Schedules of the learning rate, for torch's scheduler interface, and of the perturbation radius, as functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from optim import checks


def step_rho(rho: float, gamma: float, lam: int, epoch: int) -> float:
    r"""GraphSAM's radius in an epoch, :math:`\rho_0 \gamma^{\lfloor e / \lambda \rfloor}`.

    Args:
        rho: rho_0, >= 0.
        gamma: Decay, in [0, 1].
        lam: Epochs for each decay, >= 1.
        epoch: Number of the epoch, >= 0.

    Example:
        >>> [step_rho(0.08, 0.5, 2, epoch) for epoch in range(5)]
        [0.08, 0.08, 0.04, 0.04, 0.02]

    Reference:
        arXiv 2406.13137, section 4 (rho scheduler).
    """
    return rho * gamma ** (epoch // lam)


def smooth_rho(rho: float, gamma: float, lam: float, epoch: int) -> float:
    r"""The radius in an epoch by the formula that GraphSAM's paper prints, :math:`\rho_0 \gamma^{e / \lambda}`.

    It equals `step_rho` in every epoch that lam divides, so everywhere for lam = 1.

    Args:
        rho: rho_0, >= 0.
        gamma: Decay over lam epochs, in [0, 1].
        lam: Epochs, > 0.
        epoch: Number of the epoch, >= 0.

    Example:
        >>> [round(smooth_rho(0.09, 1 / 9, 2, epoch), 6) for epoch in range(3)]
        [0.09, 0.03, 0.01]

    Reference:
        arXiv 2406.13137, eq. 5; read in secondary sources.
    """
    return rho * gamma ** (epoch / lam)


def compounding_rho(rho: float, gamma: float, lam: int, epoch: int) -> float:
    r"""The radius of the released GraphSAM code, which decays what is already decayed.

    The code sets :math:`\rho \leftarrow \rho\, \gamma^{e / \lambda}` in every epoch e that lam divides, in all
    :math:`\rho_0 \gamma^{k (k + 1) / 2}` with :math:`k = \lfloor e / \lambda \rfloor`.

    Args:
        rho: rho_0, >= 0.
        gamma: Decay, in [0, 1].
        lam: Epochs for each decay, >= 1.
        epoch: Number of the epoch, >= 0.

    Example:
        >>> [compounding_rho(0.08, 0.5, 1, epoch) for epoch in range(4)]
        [0.08, 0.04, 0.01, 0.00125]
    """
    decays = epoch // lam
    return rho * gamma ** (decays * (decays + 1) // 2)


def proportional_rho(lr: float, rho_min: float, rho_max: float, lr_min: float, lr_max: float) -> float:
    r"""GSAM's radius, which follows the learning rate.

    .. math:: \rho_{min} + (\rho_{max} - \rho_{min}) (lr - lr_{min}) / (lr_{max} - lr_{min})

    Args:
        lr: Learning rate; outside [lr_min, lr_max] the nearer end counts.
        rho_min: Radius at ``lr_min``, >= 0.
        rho_max: Radius at ``lr_max``, >= 0.
        lr_min: >= 0.
        lr_max: > lr_min.

    Example:
        >>> proportional_rho(0.5, 0.0, 0.2, 0.0, 1.0)
        0.1

    Reference:
        Zhuang et al., arXiv 2203.08065, section 4.
    """
    share = (min(max(lr, lr_min), lr_max) - lr_min) / (lr_max - lr_min)
    return rho_min + (rho_max - rho_min) * share


class NoamLR(LRScheduler):
    r"""GROVER's schedule: linear warm-up from ``init_lr`` to ``max_lr``, then exponential decay to ``final_lr``.

    With s calls of ``step()`` so far, W = warmup_epochs * steps_per_epoch and N = total_epochs * steps_per_epoch:

    .. math::
        lr(s) = init + (max - init)\, s / W \;\; (s \le W), \qquad
        lr(s) = max\, (final / max)^{(s - W) / (N - W)} \;\; (W < s \le N)

    and ``final_lr`` for s > N. Call ``step()`` after every optimizer step. The first update is made with ``init_lr``.
    GROVER's own class is one ahead: under current torch its constructor has already stepped once.

    Args:
        optimizer: Optimizer whose learning rates are set.
        warmup_epochs: Length of the warm-up in epochs, >= 0; may be fractional.
        total_epochs: Epochs until ``final_lr``, > warmup_epochs.
        steps_per_epoch: Steps in an epoch, >= 1.
        init_lr: First learning rate, > 0.
        max_lr: Learning rate at the end of the warm-up, > 0.
        final_lr: Last learning rate, > 0.
        multipliers: A factor for each parameter group, such as GROVER's ``fine_tune_coff`` for its pretrained encoder;
            None: 1 for all. Groups added later have 1.
        last_epoch: Steps already made, as torch's schedulers have it; -1 for a new run.

    Raises:
        ValueError: A value outside its range, or not one multiplier a group.

    Reference:
        github.com/tencent-ailab/grover at 40b6d97, grover/util/nn_utils.py.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        *,
        warmup_epochs: float,
        total_epochs: float,
        steps_per_epoch: int,
        init_lr: float,
        max_lr: float,
        final_lr: float,
        multipliers: Sequence[float] | None = None,
        last_epoch: int = -1,
    ) -> None:
        self.init_lr = checks.positive("init_lr", init_lr)
        self.max_lr = checks.positive("max_lr", max_lr)
        self.final_lr = checks.positive("final_lr", final_lr)
        checks.positive_int("steps_per_epoch", steps_per_epoch)
        checks.nonnegative("warmup_epochs", warmup_epochs)
        if not total_epochs > warmup_epochs:
            raise ValueError(f"total_epochs must exceed warmup_epochs={warmup_epochs}, got {total_epochs!r}")
        self.warmup_steps = int(warmup_epochs * steps_per_epoch)
        self.total_steps = int(total_epochs * steps_per_epoch)
        self.multipliers = checks.one_each("multipliers", multipliers, len(optimizer.param_groups))
        super().__init__(optimizer, last_epoch)

    def value(self, step: int) -> float:
        """Learning rate after ``step`` calls of ``step()``, for a group with multiplier 1."""
        if step < self.warmup_steps:
            return self.init_lr + step * (self.max_lr - self.init_lr) / self.warmup_steps
        if step >= self.total_steps:
            return self.final_lr
        decay = (self.final_lr / self.max_lr) ** (1 / (self.total_steps - self.warmup_steps))
        return self.max_lr * decay ** (step - self.warmup_steps)

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """Learning rates of the groups."""
        added = len(self.optimizer.param_groups) - len(self.multipliers)
        return [self.value(self.last_epoch) * factor for factor in [*self.multipliers, *[1.0] * added]]


class InverseSqrtLR(LRScheduler):
    r"""CoMPT's schedule, of the original Transformer: linear warm-up, then decay with the square root of the step.

    The k-th update, k = 1, 2, ..., is made with

    .. math:: lr(k) = factor \cdot d_{model}^{-1/2} \cdot \min(k^{-1/2}, k\, W^{-3/2})

    Call ``step()`` after every optimizer step.

    Args:
        optimizer: Optimizer whose learning rates are set, alike for all groups.
        d_model: Width of the model, >= 1.
        warmup_steps: W, >= 1.
        factor: Overall factor, > 0.
        last_epoch: Steps already made, as torch's schedulers have it; -1 for a new run.

    Reference:
        Vaswani et al., "Attention Is All You Need", arXiv 1706.03762, eq. 3; github.com/jcchan23/CoMPT at 50bb4a8
        (``ScheduledOptim``).
    """

    def __init__(
        self, optimizer: Optimizer, *, d_model: int, warmup_steps: int, factor: float = 1.0, last_epoch: int = -1
    ) -> None:
        self.d_model = checks.positive_int("d_model", d_model)
        self.warmup_steps = checks.positive_int("warmup_steps", warmup_steps)
        self.factor = checks.positive("factor", factor)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:  # type: ignore[override]
        """Learning rates of the groups."""
        update = self.last_epoch + 1
        shape = min(update**-0.5, update * self.warmup_steps**-1.5)
        return [self.factor / math.sqrt(self.d_model) * shape] * len(self.optimizer.param_groups)
