"""Mappings to dataclasses, each value checked against the type of its field."""

from __future__ import annotations

import dataclasses
import os
import types
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from zoo.registry.suggest import suggest

S = TypeVar("S")
NUMBERS = {int: Integral, float: Real}
WORDS = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


def from_mapping(cls: type[S], values: Mapping[str, Any]) -> S:
    """Fill a dataclass from a mapping.

    Raises:
        TypeError: A field that the dataclass does not have (the message names the closest and all of them), or a value
            of another type than the field's.

    Example:
        >>> from zoo.recipe.options import TrainingOptions
        >>> from_mapping(TrainingOptions, {"batch_size": "many"})
        Traceback (most recent call last):
        ...
        TypeError: batch_size='many': give a whole number
    """
    normalize = getattr(cls, "normalize", None)  # of short forms, by the class
    values = normalize(values) if normalize else values
    names = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            guess = suggest(str(key), names)
            raise TypeError(f"{cls.__name__} has no field {str(key)[:80]!r}.{guess} Fields: {', '.join(names)}")
    hints, defaults = get_type_hints(cls), {f.name: f.default for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for name, value in values.items():
        if value is not defaults[name] and not fits(value, hints[name]):
            shown = repr(value) if len(repr(value)) < 80 else f"{repr(value)[:76]}..."
            raise TypeError(f"{name}={shown}: give {describe_type(hints[name])}")
    return cls(**values)


def fits(value: Any, hint: Any) -> bool:
    """Check whether a value fits a field; sequences stand for tuples, mappings for dataclasses.

    Example:
        >>> fits([1, 2], tuple[int, ...]), fits(3, float), fits(True, int), fits(None, int | None)
        (True, True, False, True)
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return any(fits(value, each) for each in inner)
    if origin in (tuple, list):
        if isinstance(value, str):  # one name stands for a list of one
            return fits(value, inner[0])
        return isinstance(value, (tuple, list)) and all(fits(each, inner[0]) for each in value)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        if isinstance(inner[1], type) and inner[1] not in (*WORDS, Any):  # the class reads its own short forms
            return True
        return isinstance(value, Mapping) and all(fits(each, inner[1]) for each in value.values())
    if dataclasses.is_dataclass(hint):
        return isinstance(value, (Mapping, hint))  # type: ignore[arg-type]
    if hint in NUMBERS:
        return isinstance(value, NUMBERS[hint]) and not isinstance(value, bool)
    if hint is str:
        return isinstance(value, (str, os.PathLike))
    return hint is Any or not isinstance(hint, type) or isinstance(value, hint)


def describe_type(hint: Any) -> str:
    """Return the words for a type.

    Example:
        >>> describe_type(int | None)
        'a whole number or null'
    """
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys("null" if each is type(None) else describe_type(each) for each in inner))
    if origin in (tuple, list):
        return f"a list, each item {describe_type(inner[0])}"
    if dataclasses.is_dataclass(hint) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return "a mapping of names to values"
    return WORDS.get(hint, getattr(hint, "__name__", str(hint)))
