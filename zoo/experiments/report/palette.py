"""Colours and markers by the name of an optimizer, so that they are the same in every report."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

COLORS = (
    "#7f8c9d", "#d98324", "#2a9d8f", "#8f6bd1", "#e5485d", "#3b8fdb", "#8a9a1f", "#cf6fb0", "#5aa469", "#b5651d",
    "#5c6bc0", "#00a3b4",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "h", "p", "*")
# Optimizers that are often compared have a colour each; others get one by a checksum of their name.
KNOWN = (
    "adam", "sam", "graphsam", "looksam", "esam", "adamw", "asam", "gsam", "ae_sam", "rst", "sgd", "vasso",
)  # fmt: skip


class Palette:
    """A colour and a marker for each optimizer.

    Args:
        names: Optimizers in their order.

    Example:
        >>> Palette(["sam", "mine"]).colors["sam"] == Palette(["adam", "sam"]).colors["sam"]
        True
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = list(names)
        numbers = assign_numbers(self.names)
        self.colors = {name: COLORS[number] for name, number in numbers.items()}
        self.markers = {name: MARKERS[number] for name, number in numbers.items()}


def assign_numbers(names: Iterable[str]) -> dict[str, int]:
    """Give each name its number, and the next free one to a name whose own is taken in this report."""
    found: dict[str, int] = {}
    for name in sorted(names, key=lambda name: (name not in KNOWN, name)):
        number = KNOWN.index(name) if name in KNOWN else zlib.crc32(name.encode()) % len(COLORS)
        while number in found.values() and len(found) < len(COLORS):
            number = (number + 1) % len(COLORS)
        found[name] = number
    return found
