"""File names made of names that users gave."""

from __future__ import annotations

import re
from pathlib import Path


def safe_name(text: str) -> str:
    """Return a text as the name of a file: never a path, never hidden.

    Example:
        >>> safe_name("../../x b3db $a"), safe_name("..")
        ('x_b3db_a', 'unnamed')
    """
    return re.sub(r"[^A-Za-z0-9.+=-]+", "_", text)[:80].strip("._-") or "unnamed"


def next_folder(text: str) -> Path:
    """Return the next free folder below `runs` that is named so."""
    stem = Path("runs") / safe_name(text)
    folder, number = stem, 2
    while folder.exists():
        folder, number = stem.with_name(f"{stem.name}-{number}"), number + 1
    return folder
