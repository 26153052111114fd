"""ESAM, and the closure that lets it choose samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

import torch
from torch import Tensor

from optim import checks
from optim.randomness import RandomizedSAM
from optim.rule import Closure
from optim.vectors import Vector


@runtime_checkable
class ChoosesSamples(Protocol):
    """Protocol of the closures that let `ESAM` choose samples.

    Attributes:
        losses: Losses (B,) of the last call over the complete batch, without graph; None before it.
    """

    losses: Tensor | None

    def __call__(self, subset: Tensor | None = None) -> Tensor:
        """Zero the gradients, forward and backward over samples ``subset`` (b,) or all; returns their mean loss."""
        ...

    def per_sample(self) -> Tensor:
        """Losses (B,) at the present weights: a forward, no backward."""
        ...


class SampleClosure:
    """A closure over a batch that can also be asked for the loss of each sample, and for a pass over some of them.

    It is an ordinary closure for every optimizer, and lets `ESAM` choose samples.

    Args:
        zero_grad: Clears the gradients, as ``optimizer.zero_grad``.
        sample_losses: Takes the indices of samples, shape (b,), and returns their losses, shape (b,), with a graph.
        num_samples: B, number of samples in the batch.
        scale: Applied to the mean loss before its backward, as ``grad_scaler.scale``.

    Attributes:
        losses: Losses (B,) of the last call over the complete batch, without graph; None before it.

    Example:
        >>> model, inputs = torch.nn.Linear(2, 1), torch.ones(4, 2)
        >>> closure = SampleClosure(model.zero_grad, lambda chosen: model(inputs[chosen]).square().sum(1), 4)
        >>> loss = closure()
        >>> closure.losses.shape
        torch.Size([4])
    """

    def __init__(
        self,
        zero_grad: Callable[[], Any],
        sample_losses: Callable[[Tensor], Tensor],
        num_samples: int,
        scale: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.zero_grad = zero_grad
        self.sample_losses = sample_losses
        self.num_samples = checks.positive_int("num_samples", num_samples)
        self.scale = scale
        self.losses: Tensor | None = None

    def __call__(self, subset: Tensor | None = None) -> Tensor:
        """Gradients of the mean loss of the subset, shape (b,), or of the complete batch; returns that loss."""
        self.zero_grad()
        losses = self.sample_losses(torch.arange(self.num_samples) if subset is None else subset)
        if subset is None:
            self.losses = losses.detach()
        loss = losses.mean()
        (loss if self.scale is None else self.scale(loss)).backward()
        return loss

    def per_sample(self) -> Tensor:
        """Losses (B,) at the present weights: a forward, no backward."""
        with torch.no_grad():
            return self.sample_losses(torch.arange(self.num_samples))


class ESAM(RandomizedSAM):
    r"""Efficient SAM: a random part of the weights is perturbed; the second pass is over the samples that suffer.

    Stochastic weight perturbation: every entry of the gradient takes part in the direction with probability ``beta``.
    Sharpness-sensitive data selection: the second pass runs over the share ``gamma`` of the batch whose loss rose most
    from w to w + eps. This needs losses of single samples: give `step` a `SampleClosure`, or any `ChoosesSamples`. With
    an ordinary closure the second pass is over the complete batch, and only the first part of the method is left.

    Two passes a step, the second over ``gamma * B`` samples, and with a `SampleClosure` one forward more.

    Args:
        base: Optimizer instance that makes the update.
        beta: Probability that an entry is perturbed, in [0, 1].
        gamma: Share of the samples in the second pass, in [0, 1]; at least one sample.
        seed: Seed of the mask's draws.
        **options: Options of `SAM`.

    Reference:
        Du et al., "Efficient Sharpness-aware Minimization for Improved Training of Neural Networks", arXiv 2110.03141,
        eqs. 4 to 7; read in secondary sources and the authors' code. Differs: the paper divides the masked perturbation
        by beta, which gives it a norm of about rho/sqrt(beta); here its norm is rho, as everywhere in this package. A
        mask that leaves nothing is not applied. The authors' code freezes whole tensors instead of masking entries.
    """

    fixed_options: ClassVar[Mapping[str, Any]] = {"ascent_share": 1.0}

    def __init__(
        self, base: torch.optim.Optimizer, *, beta: float = 0.6, gamma: float = 0.5, seed: int = 0, **options: Any
    ) -> None:
        super().__init__(base, seed=seed, **checks.without_fixed(type(self), options))
        self.beta = checks.fraction("beta", beta)
        self.gamma = checks.fraction("gamma", gamma)

    def direction(self, weights: list[Tensor], gradient: Vector) -> Vector:
        """Return the gradient with a random part of its entries zeroed."""
        masked = gradient.times(self.draws.masks(weights, self.beta))
        return masked if masked.usable else gradient

    def perturbed_loss(self, closure: Closure) -> Any:
        """Call the closure for the samples whose loss rose most."""
        self._rise: Tensor | None = None
        if not isinstance(closure, ChoosesSamples) or closure.losses is None:
            return closure()
        rise = closure.per_sample() - closure.losses
        self._rise = rise.mean()
        if all(group.get("maximize") for group in self.param_groups):
            rise = -rise
        count = max(1, math.ceil(self.gamma * len(rise)))
        return closure(rise.topk(count).indices.sort().values)

    def gap(self, first: Any, last: Any) -> Any:
        """Return the mean rise over all samples, where only some of them were in the second pass."""
        return super().gap(first, last) if self._rise is None else self._rise
