"""Finds the function that reads a file which is not a text table."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from zoo.data.reading.parquet import PARQUET, is_parquet
from zoo.data.reading.textfile import DAMAGE, open_binary
from zoo.recipe.options import ReadOptions
from zoo.registry.catalog.formats import FORMATS
from zoo.registry.plugins import load_plugins
from zoo.registry.registry import Entry

PACKED = (".gz", ".bz2", ".xz")
COUNTS_LINE = re.compile(rb"(?:[^\n]*\n){3}[ \d]{6}[^\n]*V[23]000")


def find_reader(path: Path, options: ReadOptions | None = None) -> Callable[[Path], Any] | None:
    """Return the function that reads this file as a frame, a `Table` or a `RowFile`; None for a text table.

    Formats are known by the suffix of the name; Parquet, structures and workbooks by their first bytes too.

    Args:
        path: The file.
        options: Those that the format knows are passed on.
    """
    load_plugins()
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] in PACKED
    suffix = (suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1]) if suffixes else ""
    suffix = PARQUET[0] if is_parquet(path) else suffix
    for entry in FORMATS:
        if suffix in entry.facts["suffixes"] and (not packed or entry.facts.get("packed")):
            return _with_options(entry, options)
    found = _by_content(path)
    return _with_options(FORMATS[found], options) if found else None


def known_suffixes() -> tuple[str, ...]:
    """Return the ends of the names of files in formats of their own."""
    load_plugins()
    return tuple(suffix for entry in FORMATS for suffix in entry.facts["suffixes"])


def _with_options(entry: Entry[Any], options: ReadOptions | None) -> Callable[[Path], Any]:
    given = {name: getattr(options, name) for name in entry.facts.get("options", ()) if options is not None}
    return partial(entry.resolve(), **given)


def _by_content(path: Path) -> str | None:
    """Return the name of the format of a file that its name does not tell."""
    try:
        with open_binary(path) as file:
            start = file.read(4096)
        if start.startswith(b"PK"):
            with zipfile.ZipFile(path) as archive:
                return "excel" if "xl/workbook.xml" in archive.namelist() else None
    except (*DAMAGE, zipfile.BadZipFile, ValueError):
        return None  # the reader of texts says what is wrong
    return "structures" if COUNTS_LINE.match(start.replace(b"\r\n", b"\n")) else None
