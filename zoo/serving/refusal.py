"""`Refusal`: the error that a client gets in the place of an answer, without anything about the host."""

from __future__ import annotations

import re

from starlette.exceptions import HTTPException

PATH = re.compile(r"(?<![\w:/<])(?:~|\.{1,2}|[A-Za-z]:)?(?:[/\\][\w.+@%~-]+){2,}")
LONGEST = 500


class Refusal(HTTPException):
    """Request that is not answered.

    Args:
        status: HTTP status, 400 or more.
        message: What is wrong, and what to do; paths are left out.
        retry_after: Seconds after which the same request may be answered.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        text = without_paths(message)
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        headers |= {"WWW-Authenticate": "Bearer"} if status == 401 else {}
        super().__init__(status, text if len(text) <= LONGEST else f"{text[:LONGEST]}...", headers)


def without_paths(text: str) -> str:
    """Return a text with the last part alone of each path of several folders.

    Example:
        >>> without_paths("/home/ann/runs/first has no weights; 3 mol/L, F/C=C/F")
        'first has no weights; 3 mol/L, F/C=C/F'
    """
    return PATH.sub(lambda found: re.split(r"[/\\]", found[0])[-1], text)
