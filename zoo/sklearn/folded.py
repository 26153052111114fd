"""Folders as bytes, for pickles."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path


def fold(folder: Path) -> bytes:
    """Return the files of a folder and of its subfolders as bytes; see `unfold`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder).as_posix())
    return buffer.getvalue()


def unfold(content: bytes, folder: Path) -> None:
    """Write what `fold` returned into a new folder; `zipfile` keeps names within it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
