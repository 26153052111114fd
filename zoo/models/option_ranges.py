"""Checks of the options of models; every message names the value and the remedy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def require_positive(config: Any, *names: str) -> None:
    """Raise a `ValueError` unless these options are at least 1."""
    for name in names:
        if getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)!r}: give a whole number of at least 1")


def require_whole(config: Any, *names: str) -> None:
    """Raise a `ValueError` unless these options are at least 0."""
    for name in names:
        if getattr(config, name) < 0:
            raise ValueError(f"{name}={getattr(config, name)!r}: give a whole number of at least 0")


def require_probability(config: Any, *names: str) -> None:
    """Raise a `ValueError` unless these options are in [0, 1)."""
    for name in names:
        if not 0 <= getattr(config, name) < 1:
            raise ValueError(f"{name}={getattr(config, name)!r}: give a probability in [0, 1)")


def require_choice(config: Any, name: str, choices: Iterable[Any]) -> None:
    """Raise a `ValueError` unless this option is one of the choices."""
    if getattr(config, name) not in choices:
        raise ValueError(f"{name}={getattr(config, name)!r}: choose one of {', '.join(map(repr, choices))}")


def require_multiple(config: Any, name: str, of: str) -> None:
    """Raise a `ValueError` unless one option is a multiple of another."""
    if getattr(config, name) % getattr(config, of):
        raise ValueError(
            f"{name}={getattr(config, name)!r} is not a multiple of {of}={getattr(config, of)!r}: change one of them"
        )
