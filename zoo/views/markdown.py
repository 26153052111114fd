"""Escaping words from data in Markdown."""

from __future__ import annotations

import re

MARKS = re.compile(r"([\\`*\[\]<>|#~$&]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def escape(text: object) -> str:
    r"""Return a text in one line with Markdown's and HTML's marks escaped.

    Example:
        >>> escape("a|b <i> roc_auc\n*x*")
        'a\\|b \\<i\\> roc_auc \\*x\\*'
    """
    return MARKS.sub(r"\\\1", " ".join(str(text).split()))


def fence(*texts: str) -> str:
    """Return a code fence that none of the texts can close."""
    longest = max((len(run) for text in texts for run in re.findall("`+", text)), default=0)
    return "`" * max(3, longest + 1)
