"""Errors of a user's data, and text from files that is safe to print."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from difflib import get_close_matches


class DataError(ValueError):
    """Error of the data: one line that names the file, row or column and the remedy."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))


class DataNotFoundError(DataError, FileNotFoundError):
    """Missing data set or file; the message names the closest match or the place that was searched."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown_column(label: str, name: str, columns: Sequence[str]) -> DataError:
    """Return the error for a missing column: closest match and all columns."""
    folded = {column.lower(): column for column in columns}
    close = get_close_matches(name.lower(), list(folded), n=1)
    guess = f" Did you mean {folded[close[0]]!r}?" if close else ""
    return DataError(f"{label}: no column {name!r}.{guess} Columns: {quote(columns, most=30)}")


def quote(names: Sequence[object], most: int = 10) -> str:
    """Quote names for a message, the first ones if there are many.

    Example:
        >>> quote(["a", "b", "c"], most=2)
        "'a', 'b', ... (3)"
    """
    return ", ".join(map(repr, names[:most])) + (f", ... ({len(names)})" if len(names) > most else "")


def printable(text: str) -> str:
    r"""Escape characters of a text that would move a terminal's cursor, colour it or reverse its writing.

    Control and formatting characters other than line ends and tabs become escapes such as `\x1b`.

    Example:
        >>> print(printable("a" + chr(27) + "[31mred"))
        a\x1b[31mred
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(letter) if _is_control(letter) else letter for letter in text)


def _is_control(letter: str) -> bool:
    return letter not in "\n\t\u200c\u200d" and unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _escape(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
