"""Finds the function that reads a file which is not text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from zoo.data.reading.parquet import PARQUET, is_parquet
from zoo.registry.catalog.formats import FORMATS
from zoo.registry.plugins import load_plugins


def find_reader(path: Path) -> Callable[[Path], pd.DataFrame] | None:
    """Return the function that reads this file as a frame; None for a text file.

    Formats are known by the suffix of the name, Parquet by its first bytes too.
    """
    load_plugins()
    suffix = PARQUET[0] if is_parquet(path) else path.suffix.lower()
    return next((entry.resolve() for entry in FORMATS if suffix in entry.facts["suffixes"]), None)
