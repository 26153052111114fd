"""Averages of the weights along a training run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from optim import checks

KINDS = ("ema", "swa")
STARTS = {"ema": 0.0, "swa": 0.75}
"""Share of a run after which an average begins, unless it is given."""


class WeightAverage:
    r"""Average of the weights of a model over the steps of a run, in a copy of the model.

    ``"ema"`` is an exponential moving average that remembers more the longer the run has been:

    .. math::
        \bar w \leftarrow d_n \bar w + (1 - d_n)\, w, \qquad d_n = \min(decay, (1 + n) / (10 + n))

    after n steps, so that short runs need no value of their own. ``"swa"`` is the plain mean of the weights since
    ``start`` (stochastic weight averaging). Buffers of floating point, such as BatchNorm's statistics, are averaged
    too, all others copied. It works with any optimizer: call `update` after every step.

    Args:
        model: The model that is trained.
        kind: ``"ema"`` or ``"swa"``.
        decay: Largest d_n of an EMA, in [0, 1].
        start: Share of the run, in [0, 1], that is over when the average begins; None: 0 for ``"ema"``, 0.75 for
            ``"swa"``.

    Attributes:
        model: Copy of the model with the averaged weights; they are those of the trained model until `ready`.

    Example:
        >>> net = nn.Linear(1, 1, bias=False)
        >>> average = WeightAverage(net, "swa", start=0.0)
        >>> for step, value in enumerate([1.0, 2.0, 6.0], start=1):
        ...     _ = net.weight.data.fill_(value)
        ...     average.update(net, step, total_steps=3)
        >>> round(average.model.weight.item(), 4)
        3.0

    Reference:
        Izmailov et al., "Averaging Weights Leads to Wider Optima and Better Generalization", arXiv 1803.05407; torch's
        ``AveragedModel`` does the work.
    """

    def __init__(
        self, model: nn.Module, kind: str = "ema", *, decay: float = 0.999, start: float | None = None
    ) -> None:
        self.kind = checks.one_of("kind", kind, KINDS)
        self.decay = checks.fraction("decay", decay)
        self.start = checks.fraction("start", STARTS[kind] if start is None else start)
        average = self._move if kind == "ema" else self._mean
        self._averaged = AveragedModel(model, multi_avg_fn=average, use_buffers=True)
        self._averaged.module.requires_grad_(False)

    @property
    def model(self) -> nn.Module:
        """Copy of the model with the averaged weights."""
        return self._averaged.module

    @property
    def ready(self) -> bool:
        """Whether any weights have been averaged."""
        return bool(self._averaged.n_averaged > 0)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int, total_steps: int) -> None:
        """Take the weights after a step into the average, if it has begun.

        Args:
            model: The model that is trained.
            step: Number of the step, from 1.
            total_steps: Steps of the run, >= 1.
        """
        if step > self.start * total_steps:
            self._averaged.update_parameters(model)

    @contextmanager
    def in_place_of(self, model: nn.Module) -> Iterator[None]:
        """Put the averaged weights into the trained model for a block, then its own back, bit for bit and in place."""
        own, averaged = tensors_of(model), tensors_of(self.model)
        kept = [tensor.detach().clone() for tensor in own]
        copy(own, averaged)
        try:
            yield
        finally:
            copy(own, kept)

    def state_dict(self) -> dict[str, Any]:
        """Return averaged weights and the number of steps in them; it loads with ``weights_only=True``."""
        return self._averaged.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what `state_dict` returned."""
        self._averaged.load_state_dict(state)

    def _move(self, averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        decay = min(self.decay, (1 + float(count)) / (10 + float(count)))
        blend(averaged, current, 1 - decay)

    def _mean(self, averaged: Sequence[Tensor], current: Sequence[Tensor], count: Tensor | int) -> None:
        blend(averaged, current, 1 / (float(count) + 1))


def blend(averaged: Sequence[Tensor], current: Sequence[Tensor], share: float) -> None:
    """Move tensors of one dtype by a share of the way to others, in place; integers are copied."""
    if averaged[0].is_floating_point() or averaged[0].is_complex():
        torch._foreach_lerp_(list(averaged), list(current), share)
    else:
        copy(averaged, current)


def tensors_of(model: nn.Module) -> list[Tensor]:
    """Return the parameters and buffers of a model."""
    return [*model.parameters(), *model.buffers()]


@torch.no_grad()
def copy(targets: Sequence[Tensor], sources: Sequence[Tensor]) -> None:
    """Copy tensors in place."""
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
