"""Options of fine-tuning: the weights to start from, and how fast each part of the model may leave them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class StartOptions:
    """Options of the weights that a model starts from, and of training its parts at different rates.

    Args:
        init: Checkpoint or run whose encoder the model starts with; model and featurizer are those of that checkpoint.
            None starts with new weights.
        keep_head: Take the head too: same targets, trained on.
        reset_layers: Last layers of the encoder that start with new weights all the same.
        freeze: Parts of the model that do not change, such as "encoder"; with a new head that is linear probing.
        unfreeze_after: Epochs after which frozen parts are trained too; None keeps them frozen.
        lr_encoder: Learning rate of the encoder as a multiple of the head's, 0.1 or "0.1x".
        layer_decay: Factor, above 0 and at most 1, of the learning rate from each layer of the encoder to the one
            before it.

    Raises:
        ValueError: An option out of its range.

    Example:
        >>> StartOptions(freeze="encoder", lr_encoder="0.1x").lr_encoder
        0.1
    """

    init: str | None = None
    keep_head: bool = False
    reset_layers: int = 0
    freeze: tuple[str, ...] = ()
    unfreeze_after: int | None = None
    lr_encoder: float | str = 1.0
    layer_decay: float = 1.0

    def __post_init__(self) -> None:
        if self.init is not None:
            object.__setattr__(self, "init", os.fspath(self.init))
        freeze = (self.freeze,) if isinstance(self.freeze, str) else tuple(self.freeze)
        object.__setattr__(self, "freeze", freeze)
        object.__setattr__(self, "lr_encoder", multiple(self.lr_encoder))
        if self.reset_layers < 0:
            raise ValueError(f"reset_layers={self.reset_layers}: give a number of layers, at least 0")
        if not 0 < self.layer_decay <= 1:
            raise ValueError(f"layer_decay={self.layer_decay}: give a factor above 0 and at most 1")
        if self.unfreeze_after is not None and (self.unfreeze_after < 1 or not freeze):
            what = "give a number of epochs, at least 1" if freeze else "nothing is frozen: name a part with freeze="
            raise ValueError(f"unfreeze_after={self.unfreeze_after}: {what}")
        if self.init is None and (self.keep_head or self.reset_layers):
            raise ValueError("keep_head and reset_layers are for a start from a checkpoint: name it with init=")

    @property
    def rates_differ(self) -> bool:
        """Whether parts have learning rates of their own."""
        return self.lr_encoder != 1.0 or self.layer_decay != 1.0

    def frozen_in(self, epoch: int) -> tuple[str, ...]:
        """Return the parts that do not change in an epoch, counted from 0.

        Example:
            >>> start = StartOptions(freeze=("encoder",), unfreeze_after=2)
            >>> [start.frozen_in(epoch) for epoch in range(3)]
            [('encoder',), ('encoder',), ()]
        """
        return self.freeze if self.unfreeze_after is None or epoch < self.unfreeze_after else ()


def multiple(value: Any) -> float:
    """Read a factor such as 0.1 or "0.1x".

    Raises:
        ValueError: It is not a number above 0.
    """
    try:
        number = float(str(value).rstrip("x"))
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ValueError(f"lr_encoder={value!r}: give a multiple of the head's learning rate, such as 0.1 or 0.1x")
    return number
