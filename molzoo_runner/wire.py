"""Just enough of Protocol Buffers to look into an ONNX file before anything runs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from molzoo_runner.errors import ModelFileError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED = {FIXED64: 8, FIXED32: 4}


def fields(content: memoryview) -> Iterator[tuple[int, int, Any, int]]:
    """Iterate over the fields of a message.

    Args:
        content: The message.

    Yields:
        Number and type of the field; its value, a number for `VARINT` and else the bytes; where it begins.

    Raises:
        ModelFileError: The message is damaged.
    """
    at, end = 0, len(content)
    while at < end:
        start = at
        key, at = _varint(content, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(content, at)
            yield number, kind, value, start
            continue
        if kind == BYTES:
            size, at = _varint(content, at)
        elif kind in FIXED:
            size = FIXED[kind]
        else:
            raise ModelFileError(f"the ONNX graph is damaged: a field of type {kind}")
        if size > end - at:
            raise ModelFileError("the ONNX graph is damaged: it ends in the middle of a field")
        yield number, kind, content[at : at + size], start
        at += size


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    """Read a number of variable length; return it and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(content):
            break
        byte = content[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
    raise ModelFileError("the ONNX graph is damaged: a number without an end")


def messages(content: memoryview, wanted: int) -> Iterator[memoryview]:
    """Iterate over the messages that a field holds."""
    return (value for number, kind, value, _ in fields(content) if number == wanted and kind == BYTES)


def text(content: memoryview, wanted: int) -> str:
    """Return the last text of a field; empty where there is none."""
    found = ""
    for value in messages(content, wanted):
        found = bytes(value).decode("utf-8", errors="replace")
    return found


def write_entry(number: int, content: bytes) -> bytes:
    """Return a field that holds bytes, as it is written."""
    return _as_varint(number << 3 | BYTES) + _as_varint(len(content)) + content


def _as_varint(value: int) -> bytes:
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
