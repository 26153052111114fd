"""Errors of one line for options that a class cannot be built with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

LONGEST = 200


@contextmanager
def building(what: str, given: Mapping[str, Any]) -> Iterator[None]:
    """Name the part and its options where the block fails because of them, as for `hidden_size="8"`.

    Args:
        what: Part that is built, such as "Grover".
        given: Its options that were asked for; without any, errors stay as they are.

    Raises:
        TypeError: The block raised one.
        ValueError: The block raised another error that values of a wrong kind or size cause.

    Example:
        >>> with building("Example", {"size": "8"}):
        ...     "8" * 2.0
        Traceback (most recent call last):
        ...
        TypeError: Example cannot be built with size='8': can't multiply sequence by non-int of type 'float'
    """
    try:
        yield
    except (TypeError, RuntimeError, ArithmeticError, LookupError, AssertionError, AttributeError) as error:
        if not given or "out of memory" in str(error).lower():
            raise
        shown = ", ".join(f"{name}={value!r}" for name, value in given.items())
        shown = shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what} cannot be built with {shown}: {error or type(error).__name__}") from error
