"""Errors of checkpoints, and of the files in them."""

from __future__ import annotations

from pathlib import Path

MOST_CHARACTERS = 300


class CheckpointError(ValueError):
    """Folder that is not a checkpoint, or does not fit the model."""


def damage_error(file: Path, error: Exception) -> CheckpointError:
    """Return the error for a file that cannot be read."""
    reason = " ".join(str(error).split())[:MOST_CHARACTERS]
    return CheckpointError(f"{file} is damaged or cut off ({reason}): take another checkpoint, or train again")


def unwritten(path: str | Path, error: Exception) -> OSError:
    """Return the error for a checkpoint that could not be written."""
    reason = " ".join(str(error).split())[:MOST_CHARACTERS]
    return OSError(
        f"{path} cannot be written ({reason}): see that the disk has room and may be written to, or write elsewhere; a "
        "run goes on from its last checkpoint when it is resumed"
    )


def require_own_files(folder: Path) -> None:
    """Raise a `CheckpointError` for a link, a pipe or a device in a checkpoint: somebody else's file, or no end."""
    for entry in folder.iterdir():
        if entry.is_symlink() or not (entry.is_file() or entry.is_dir()):
            kind = "a link" if entry.is_symlink() else "not a file"
            raise CheckpointError(f"{entry} is {kind}: a checkpoint holds its files itself; copy it with its content")
