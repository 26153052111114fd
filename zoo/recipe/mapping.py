"""Mappings to dataclasses."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from zoo.registry.suggest import suggest

S = TypeVar("S")


def from_mapping(cls: type[S], values: Mapping[str, Any]) -> S:
    """Fill a dataclass from a mapping.

    Raises:
        TypeError: A field that the dataclass does not have; the message names the closest and all of them.
    """
    names = [f.name for f in dataclasses.fields(cls)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            guess = suggest(str(key), names)
            raise TypeError(f"{cls.__name__} has no field {key!r}.{guess} Fields: {', '.join(names)}")
    return cls(**values)
