"""Limits of text files, so that a damaged or hostile one ends with a message and does not exhaust the memory."""

from __future__ import annotations

from pathlib import Path

from zoo.data.errors import DataError

LONGEST_LINE = 5_000_000
LONGEST_BLANK = 1_000_000
LARGEST_RATIO = 300
FREE_OF_RATIO = 100_000_000
BLANK = b" \t\r\n\f\v\x00"  # with the zeros between blanks in UTF-16 and UTF-32


class Limits:
    """Guard that counts the bytes of a text file as they are read.

    Lines have at most 5 million bytes, at most a million blank bytes stand in a row, and a compressed file with more
    than 100 MB of text grows at most 300 times (tables of molecules grow about 5 times).

    Args:
        file: For messages, and for its size on the disk.
    """

    def __init__(self, file: Path) -> None:
        self.file, self.size = file, max(file.stat().st_size, 1)
        self.total = self.line = self.blank = 0

    def see(self, block: bytes) -> None:
        """Count the next bytes.

        Raises:
            DataError: A limit is exceeded.
        """
        self.total += len(block)
        if self.total > max(FREE_OF_RATIO, LARGEST_RATIO * self.size):
            self._refuse(
                f"grows to more than {LARGEST_RATIO} times its size", "decompress it and look at what it holds"
            )
        self.line = self._longest_run(block)
        if self.line > LONGEST_LINE:
            self._refuse(f"has a line of more than {LONGEST_LINE:,} bytes", "write one molecule on each line")
        text = block.strip(BLANK)
        leading = len(block) - len(block.lstrip(BLANK)) if text else len(block)
        if self.blank + leading > LONGEST_BLANK:
            self._refuse(f"has more than {LONGEST_BLANK:,} blank bytes in a row", "remove the empty lines")
        self.blank = len(block) - len(block.rstrip(BLANK)) if text else self.blank + leading

    def _longest_run(self, block: bytes) -> int:
        """Bytes since the last line end; more than the limit if a line inside the block is too long."""
        first = _line_end(block)
        if first < 0:
            return self.line + len(block)
        if self.line + first > LONGEST_LINE:
            return self.line + first
        return len(block) - 1 - max(block.rfind(b"\n"), block.rfind(b"\r"))

    def _refuse(self, what: str, remedy: str) -> None:
        raise DataError(f"{self.file} {what}, which no table of molecules does: {remedy}")


def _line_end(block: bytes) -> int:
    """Position of the first line end, or -1."""
    ends = [place for place in (block.find(b"\n"), block.find(b"\r")) if place >= 0]
    return min(ends, default=-1)
