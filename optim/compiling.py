"""Functions that run as they are written, also in code under ``torch.compile``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import torch

Function = TypeVar("Function", bound=Callable[..., Any])


def never_compiled(function: Function) -> Function:
    """Decorate a function that ``torch.compile`` must leave alone.

    ``torch.compiler.disable`` itself imports the compiler, a second at the import of this package; here the first call
    does, which comes after torch's optimizers have imported it anyway.
    """

    @functools.wraps(function)
    def eager(*args: Any, **kwargs: Any) -> Any:
        disabled = getattr(function, "_disabled", None)
        if disabled is None:
            disabled = function._disabled = torch.compiler.disable(function)  # type: ignore[attr-defined]
        return disabled(*args, **kwargs)

    return eager  # type: ignore[return-value]
