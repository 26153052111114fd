"""Recording of options: those that a constructor accepts, those that it was given, and a key of both."""

from __future__ import annotations

import hashlib
import inspect
import json
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np


def constructor_parameters(cls: Any) -> dict[str, Any]:
    """Return the named parameters of a class (or function) with their defaults, `inspect.Parameter.empty` for none.

    Where a constructor passes `**options` on, those of its base classes count too.
    """
    found: dict[str, Any] = {}
    for owner in cls.__mro__ if inspect.isclass(cls) else (cls,):
        constructor = owner.__dict__.get("__init__") if inspect.isclass(owner) else owner
        if constructor is None or owner is object:
            continue
        parameters = inspect.signature(constructor).parameters.values()
        for parameter in parameters:
            if parameter.name != "self" and parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                found.setdefault(parameter.name, parameter.default)
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            break
    return found


def recorded_options(cls: type, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value of every option of a constructor that is called with these arguments.

    Example:
        >>> class Base:
        ...     def __init__(self, *, depth=2): ...
        >>> class Derived(Base):
        ...     def __init__(self, width, **options): ...
        >>> recorded_options(Derived, (8,), {"depth": 3})
        {'width': 8, 'depth': 3}
    """
    names = constructor_parameters(cls)
    given = {**dict(zip(names, args, strict=False)), **kwargs}
    return {name: given.get(name, default) for name, default in names.items()}


def fingerprint(*parts: Any) -> str:
    """Return a key of values (64 hex digits): equal for equal values, in other processes too.

    Numbers of NumPy count as Python's; what JSON cannot hold counts by its pickled form.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=_as_plain).encode()).hexdigest()


def _as_plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)
    if isinstance(value, Mapping):
        return dict(value)
    if value is inspect.Parameter.empty:
        return "no value"
    return [type(value).__qualname__, hashlib.sha256(pickle.dumps(value, protocol=4)).hexdigest()]
