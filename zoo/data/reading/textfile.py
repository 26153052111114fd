"""Finding the compression and the encoding of a text file, and opening it."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from zoo.data.errors import DataError, DataNotFoundError
from zoo.data.reading.limits import Limits

OPENERS: tuple[tuple[bytes, Callable[..., object]], ...] = (
    (b"\x1f\x8b", gzip.open),
    (b"BZh", bz2.open),
    (b"\xfd7zXZ\x00", lzma.open),
)
# UTF-32 first: its little-endian mark begins with that of UTF-16.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
FOREIGN_FORMATS = (
    (b"PK\x03\x04", "an Excel workbook or ZIP archive: save it as CSV, or pass the DataFrame of pandas.read_excel"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook: save it as CSV, or pass the DataFrame of pandas.read_excel"),
    (b"version https://git-lfs", "a Git LFS pointer, not the data: run 'git lfs pull'"),
    (b"<", "an HTML or XML page, not a table: download the file itself"),
    (b"{", "JSON, not a table: pass a DataFrame"),
    (b"[{", "JSON, not a table: pass a DataFrame"),
)
STRUCTURE_FILES = (".mol2", ".pdb", ".xyz", ".cif")
# Page breaks and the end mark of old DOS files are in text too.
CONTROL = bytes({*range(32), 127} - set(b"\t\n\r\f\v\x1a"))
DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True)
class TextFile:
    """A readable text file.

    Args:
        path: Where it is.
        encoding: How to decode it.
        note: What was out of the ordinary, or `""`.
    """

    path: Path
    encoding: str
    note: str = ""

    def open(self) -> TextIO:
        """Open the text decoded and decompressed, line ends untouched as `csv` wants them."""
        return io.TextIOWrapper(open_binary(self.path), encoding=self.encoding, newline="")


def require_file(path: str | os.PathLike[str]) -> Path:
    """The path of a file that is there and not empty.

    Raises:
        DataNotFoundError: It is not there.
        DataError: It is a folder, is empty, or may not be read.
    """
    file = Path(path).expanduser()
    if file.is_dir():
        raise DataError(f"{file} is a folder: name a file in it")
    if not file.exists():
        raise DataNotFoundError(f"no such file: {file}")
    if not file.is_file():
        raise DataError(f"{file} is a pipe or device: save its content to a file first")
    if not os.access(file, os.R_OK):
        raise DataError(f"{file}: no permission to read it")
    if file.stat().st_size == 0:
        raise DataError(f"{file} is empty")
    return file


def open_binary(path: Path) -> BinaryIO:
    """The bytes of a file, decompressed if it is gzip, bzip2 or xz whatever its name."""
    with path.open("rb") as file:
        start = file.read(8)
    for magic, opener in OPENERS:
        if start.startswith(magic):
            return cast(BinaryIO, opener(path, "rb"))
    return path.open("rb")


def inspect_text(path: str | os.PathLike[str], encoding: str | None = None) -> TextFile:
    """Find the encoding: byte order mark, else UTF-8, else Latin-1 (which is reported).

    Args:
        path: CSV or another text file, plain or gzip, bzip2, xz.
        encoding: Skip the search and use this one.

    Raises:
        DataError: Empty, damaged, not text, or not in the given encoding.
    """
    file = require_file(path)
    if file.suffix.lower() in STRUCTURE_FILES:
        raise DataError(
            f"{file} holds structures of a kind that is not read: convert it to an SD file or to SMILES, for example "
            "with RDKit"
        )
    try:
        with open_binary(file) as stream:
            start = stream.read(4096)
    except DAMAGE as error:
        raise DataError(f"{file}: damaged or incomplete compressed file ({error}): get it again") from error
    if not start.strip():
        raise DataError(f"{file} is empty")
    if encoding is not None:
        return _decodable(file, encoding) or _refuse(file, f"is not written in encoding {encoding!r}: leave it out")
    for mark, name in BYTE_ORDER_MARKS:
        if start.startswith(mark):
            return _decodable(file, name) or _refuse(file, f"begins as {name} but is not: save it as UTF-8")
    for magic, what in FOREIGN_FORMATS:
        if start.lstrip().startswith(magic):
            raise DataError(f"{file} is {what}")
    if b"\x00" in start:
        return _utf16_without_mark(file, start)
    if unicode := _decodable(file, "utf-8"):
        return unicode
    if len(start.translate(None, CONTROL)) < len(start):
        _refuse(file, "is a binary file (it has control characters): give CSV, TSV, SMI or Parquet")
    latin1 = f"{file.name} is not UTF-8 and was read as Latin-1: check names with accents, or give encoding="
    return TextFile(file, "latin-1", latin1)


def _utf16_without_mark(file: Path, start: bytes) -> TextFile:
    """Recognise UTF-16 without a mark by the zero in every other byte of plain text."""
    even, odd = start[::2].count(0), start[1::2].count(0)
    name = "utf-16-le" if odd > even else "utf-16-be"
    found = None
    if max(even, odd) > 0.4 * len(start) > 4 * min(even, odd):
        found = _decodable(file, name, f"{file.name} is read as {name.upper()}")
    return found or _refuse(file, "is a binary file (it has zero bytes): give CSV, TSV, SMI or Parquet")


def _refuse(file: Path, why: str) -> TextFile:
    raise DataError(f"{file} {why}")


def _decodable(file: Path, encoding: str, note: str = "") -> TextFile | None:
    """The file in this encoding, or `None`; everything is decoded once so that no error can come later."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        raise DataError(f"encoding={encoding!r} is unknown: try 'utf-8', 'latin-1', 'utf-16'") from error
    try:
        limits = Limits(file)
        with open_binary(file) as stream:
            while block := stream.read(1 << 20):
                limits.see(block)
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return None
    except DAMAGE as error:
        raise DataError(f"{file}: damaged or incomplete compressed file ({error}): get it again") from error
    return TextFile(file, encoding, note)
