"""File names made of names that users gave."""

from __future__ import annotations

import re


def safe_name(text: str) -> str:
    """Return a text as the name of a file: never a path, never hidden.

    Example:
        >>> safe_name("../../x b3db $a"), safe_name("..")
        ('x_b3db_a', 'unnamed')
    """
    return re.sub(r"[^A-Za-z0-9.+=-]+", "_", text)[:80].strip("._-") or "unnamed"
