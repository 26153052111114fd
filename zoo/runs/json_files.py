"""JSON and text files that are there completely or not at all, and never hold NaN."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from zoo.runs.durable import naming


def write_text(path: Path, text: str) -> None:
    """Write a file under a temporary name, then rename it; its folder is made, its line ends are the text's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new-{os.getpid()}")
    try:
        with naming(path):
            new.write_text(text, encoding="utf-8", newline="")  # pandas ends lines as Windows does there
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def write_json(path: Path, values: Any) -> None:
    """Write values as JSON; see `plain`."""
    write_text(path, json.dumps(plain(values), indent=2, allow_nan=False))


def read_json(path: Path) -> Any:
    """Read a JSON file; `None` where it is missing, empty or cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None


def plain(value: Any) -> Any:
    """Return the value as JSON can hold it: NaN and infinity become null, NumPy's numbers Python's.

    Example:
        >>> plain({"test": float("nan"), "rows": (1, np.int64(2))})
        {'test': None, 'rows': [1, 2]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
