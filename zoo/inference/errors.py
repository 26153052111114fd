"""Errors of predicting files."""

from __future__ import annotations


class InferenceError(ValueError):
    """Failure to predict a file; the message gives the remedy, and finished rows are kept."""
