"""Standard input as a file: `-` in the place of a name."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from zoo.data.errors import DataError
from zoo.data.reading.limits import Limits

DASH = "-"
BLOCK = 1 << 20
BINARY = {
    b"PAR1": ".parquet",
    b"PK\x03\x04": ".xlsx",
    b"\x1f\x8b": ".txt.gz",
    b"BZh": ".txt.bz2",
    b"\xfd7zXZ": ".txt.xz",
}


def from_standard_input(source: Any) -> Any:
    """Return the file that holds what came on standard input where a source is `-`; every other source as it is.

    The content is read once and kept until the process ends; its first bytes tell what kind of file it is.

    Raises:
        DataError: Nothing came, or a line without an end.
    """
    return _keep(sys.stdin) if isinstance(source, str) and source == DASH else source


@cache
def _keep(stream: Any) -> Path:
    if stream is not None and stream.isatty():
        raise DataError("standard input is a terminal: pipe a table or SMILES into the command, or name a file")
    raw: BinaryIO | None = getattr(stream, "buffer", None)
    start = raw.read(BLOCK) if raw is not None else b""
    if raw is None or not start:
        raise DataError("standard input is empty: pipe a table or SMILES into the command, or name a file")
    folder = Path(tempfile.mkdtemp(prefix="molzoo-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    suffix = next((ending for magic, ending in BINARY.items() if start.startswith(magic)), "")
    place = folder / f"stdin{suffix or '.txt'}"
    with place.open("wb") as file:
        limits = Limits(place)
        limits.size = sys.maxsize  # a pipe has no size of its own that it could grow from
        while start:
            if not suffix:
                limits.see(start)
            file.write(start)
            start = raw.read(BLOCK)
    return place
