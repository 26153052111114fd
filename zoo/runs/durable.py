"""Folders that survive a crash: on the disk before they get their name, and no leftovers of dead processes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let an error of the system in the block, such as a full disk, name what was being written."""
    try:
        yield
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error


def sync_folder(folder: Path, files: bool = True) -> None:
    """Wait until a folder, and the files in it, are on the disk; the files get the mode that the umask allows.

    Args:
        folder: Its subfolders are left out.
        files: Also its files, not only their names.
    """
    for file in folder.iterdir() if files else ():
        os.chmod(file, 0o666 & ~umask())  # safetensors makes its file readable for the owner alone
        sync(file)
    sync(folder)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; Windows cannot open folders."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def umask() -> int:
    """Return the file-mode mask of this process."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return int(re.findall(r"^Umask:\s*([0-7]+)", status, re.MULTILINE)[0], 8)
    except (OSError, IndexError):
        mask = os.umask(0o077)
        os.umask(mask)
        return mask


def find_link(folder: Path) -> Path | None:
    """Return the first link in a folder or its subfolders, through which writing would leave the folder."""
    for place, folders, files in os.walk(folder):
        for name in sorted([*folders, *files]):
            if (Path(place) / name).is_symlink():
                return Path(place) / name
    return None


def remove_orphans(path: Path) -> None:
    """Remove what processes that are gone have left when they were writing `path`: its `.new-PID` neighbours."""
    for folder in path.parent.glob(f"{path.name}.new-*"):
        number = folder.name.rpartition("-")[2]
        if number.isdigit() and not is_alive(int(number)):
            shutil.rmtree(folder, ignore_errors=True)


def is_alive(process: int) -> bool:
    """Return whether a process of this machine runs; Windows has no harmless way to ask."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
