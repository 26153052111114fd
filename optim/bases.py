"""Base optimizers: by name, by class, and the checks that a base must pass."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable
from typing import Any

import torch
from torch.optim import Optimizer

BASES: dict[str, type[Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "radam": torch.optim.RAdam,
    "adamax": torch.optim.Adamax,
    "nadam": torch.optim.NAdam,
}

FUSED_ON = ("cpu", "cuda")
"""Devices whose fused kernels torch supports since 2.4."""


def resolve_base(name_or_class: str | type[Optimizer]) -> type[Optimizer]:
    """Return the class of a base optimizer.

    Args:
        name_or_class: A name of `BASES` in any case (``"adamw"``, ``"AdamW"``), or an optimizer class, returned
            as it is.

    Returns:
        A subclass of ``torch.optim.Optimizer`` that takes ``(params, lr=..., ...)``.

    Raises:
        ValueError: The name is unknown; the message has the closest name and all of them.
        TypeError: Neither a name nor an optimizer class.

    Example:
        >>> resolve_base("AdamW").__name__
        'AdamW'
    """
    if isinstance(name_or_class, type) and issubclass(name_or_class, Optimizer):
        return name_or_class
    if not isinstance(name_or_class, str):
        raise TypeError(
            f"base must be a name ({', '.join(BASES)}) or a torch.optim.Optimizer class, got {name_or_class!r}"
        )
    key = name_or_class.casefold()
    if key in BASES:
        return BASES[key]
    close = difflib.get_close_matches(key, BASES, n=1, cutoff=0.5)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(f"unknown base optimizer {name_or_class!r}.{hint} Known: {', '.join(BASES)}")


def fused_option(cls: type[Optimizer], params: Iterable[Any]) -> dict[str, bool]:
    """Return ``{"fused": True}`` if an optimizer has a fused kernel for these parameters, else nothing.

    A fused update is one kernel: for Adam on the 20 tensors of a small graph network it takes a third of the time. It
    rounds differently from torch's default in the last digit.

    Args:
        cls: Class of the optimizer.
        params: Parameters or parameter groups; they are listed, so an iterator is used up.

    Example:
        >>> weight = torch.nn.Parameter(torch.zeros(2))
        >>> torch.optim.Adam([weight], **fused_option(torch.optim.Adam, [weight])).defaults["fused"]
        True
    """
    if "fused" not in inspect.signature(cls).parameters:
        return {}
    given = list(params)
    tensors = [p for item in given for p in (item["params"] if isinstance(item, dict) else [item])]
    tensors = [t[1] if isinstance(t, tuple) else t for t in tensors]
    fits = all(isinstance(t, torch.Tensor) and t.is_floating_point() and t.device.type in FUSED_ON for t in tensors)
    return {"fused": True} if fits and tensors and all(type(t) is torch.nn.Parameter for t in tensors) else {}


def check_base(base: Any, wrapper: str, wrapper_class: type) -> None:
    """Raise unless ``base`` is an optimizer instance that can be wrapped.

    Args:
        base: What the user passed.
        wrapper: Name of the wrapping class, for the message.
        wrapper_class: Class of the wrappers, which do not nest.

    Raises:
        TypeError: A class instead of an instance, a wrapper, LBFGS, or no optimizer at all.
    """
    if isinstance(base, type):
        raise TypeError(
            f"{wrapper} needs an optimizer instance, got the class {base.__name__}. "
            f"Write {wrapper}({base.__name__}(model.parameters(), lr=...)), "
            f"or {wrapper}.from_params(model.parameters(), base={base.__name__}, base_args={{'lr': ...}})"
        )
    if isinstance(base, wrapper_class):
        raise TypeError(
            f"{wrapper} got a {type(base).__name__}, which already is a sharpness-aware optimizer and cannot be "
            f"wrapped again. Write {wrapper}(optimizer.base)"
        )
    if isinstance(base, torch.optim.LBFGS):
        raise TypeError(
            f"{wrapper} cannot wrap LBFGS: it calls the closure itself, as often as its line search likes. "
            f"Use a first-order base: {', '.join(BASES)}"
        )
    if not isinstance(base, Optimizer):
        raise TypeError(
            f"{wrapper} needs a torch.optim.Optimizer instance, got {type(base).__name__}. "
            f"Write {wrapper}(torch.optim.Adam(model.parameters(), lr=1e-3))"
        )
