"""Closest matches of unknown names, for messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggest(name: str, known: Iterable[str], cutoff: float = 0.5, form: str = "{!r}") -> str:
    """Return `" Did you mean 'closest'?"`, or nothing where no name is close.

    Args:
        name: What was asked for.
        known: The names that exist.
        cutoff: Least similarity, in [0, 1].
        form: How the closest name is written.

    Example:
        >>> suggest("grphsam", ["sam", "graphsam"])
        " Did you mean 'graphsam'?"
    """
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return f" Did you mean {form.format(close[0])}?" if close else ""
