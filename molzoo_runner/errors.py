"""The error of files that cannot be used."""

from __future__ import annotations


class ModelFileError(ValueError):
    """A file that is no exported model, is damaged, or asks for what is not done here; one line says why."""


LONGEST = 300


def one_line(error: object) -> str:
    """Return the message of an error in one short line; of a file that cannot be opened, its name and why."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        error = f"{error.filename}: {error.strerror}"
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
