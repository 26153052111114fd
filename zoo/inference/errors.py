"""What goes wrong when files are predicted."""

from __future__ import annotations


class InferenceError(ValueError):
    """A file cannot be predicted; the message says what to do, and what is done is kept."""
