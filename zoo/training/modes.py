"""Evaluation mode of a model that several threads may predict with at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from weakref import WeakKeyDictionary

from torch import nn

_lock = Lock()
_inside: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
_training: WeakKeyDictionary[nn.Module, list[nn.Module]] = WeakKeyDictionary()


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode; the last thread to leave restores the mode of every submodule.

    A thread that left earlier and restored the mode would switch dropout and the updates of BatchNorm on under the
    others.

    Example:
        >>> model = nn.Dropout()
        >>> with eval_mode(model):
        ...     model.training
        False
        >>> model.training
        True
    """
    with _lock:
        if not _inside.get(model):
            _training[model] = [module for module in model.modules() if module.training]
            for module in _training[model]:
                module.training = False
        _inside[model] = _inside.get(model, 0) + 1
    try:
        yield
    finally:
        with _lock:
            _inside[model] -= 1
            if not _inside[model]:
                del _inside[model]
                for module in _training.pop(model):
                    module.training = True
