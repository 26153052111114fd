"""File names made of names that users gave."""

from __future__ import annotations

import re
from pathlib import Path

RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(?=\.|$)", re.IGNORECASE)
"""Names of devices, which no file has on Windows, with whatever suffix."""


def safe_name(text: str) -> str:
    """Return a text as the name of a file on any system: never a path, never hidden, never a device.

    Example:
        >>> safe_name("../../x b3db $a"), safe_name(".."), safe_name("aux.csv")
        ('x_b3db_a', 'unnamed', 'aux_.csv')
    """
    name = re.sub(r"[^A-Za-z0-9.+=-]+", "_", text)[:80].strip("._-")
    return RESERVED.sub(r"\1_", name, count=1) if RESERVED.match(name) else name or "unnamed"


def next_folder(text: str) -> Path:
    """Return the next free folder below `runs` that is named so."""
    stem = Path("runs") / safe_name(text)
    folder, number = stem, 2
    while folder.exists():
        folder, number = stem.with_name(f"{stem.name}-{number}"), number + 1
    return folder
