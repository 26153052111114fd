"""Standard output and error that may go away: work goes on without them, and text from files is made harmless."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from zoo.data.errors import printable


class Stream:
    """A text stream that stays silent after the first write that fails, and remembers why.

    Characters that its encoding lacks are written as escapes: on Windows a pipe or a file has that of the system, which
    knows few letters.

    Args:
        stream: Where the text goes.
        clean: Whether control characters, which move a terminal's cursor, are written as escapes.
    """

    def __init__(self, stream: TextIO, clean: bool) -> None:
        self.stream, self.clean = stream, clean
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write a text, or do nothing where the reader has gone."""
        if self.failure is None:
            shown = printable(text) if self.clean else text
            with self.noticing():
                try:
                    self.stream.write(shown)
                except UnicodeEncodeError as error:
                    self.stream.write(shown.encode(error.encoding, "backslashreplace").decode(error.encoding))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several lines."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Write the buffered text."""
        if self.failure is None:
            with self.noticing():
                self.stream.flush()

    @contextlib.contextmanager
    def noticing(self) -> Iterator[None]:
        """Keep the error of a reader that has gone, or of a full disk, and send what follows nowhere."""
        try:
            yield
        except OSError as error:
            self.failure = error
            with contextlib.suppress(OSError, ValueError, AttributeError):  # what waits must not fail again at the end
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, self.stream.fileno())
                os.close(null)


@contextlib.contextmanager
def lasting_streams() -> Iterator[Stream]:
    """Replace standard output and error by `Stream`s within the block; gives that of the output."""
    before = sys.stdout, sys.stderr
    output, errors = Stream(sys.stdout or nowhere(), clean=True), Stream(sys.stderr or nowhere(), clean=False)
    sys.stdout, sys.stderr = output, errors  # type: ignore[assignment]
    try:
        yield output
    finally:
        output.flush()
        errors.flush()
        sys.stdout, sys.stderr = before


def nowhere() -> TextIO:
    """Return a stream whose text is thrown away: Python has none for a descriptor that was closed (`>&-`)."""
    return open(os.devnull, "w", encoding="utf-8")
