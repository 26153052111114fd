"""`CodeTable`: features of integer codes, copied from a table of the few distinct ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import numpy as np

CAPACITY = 1024
"""Distinct codes that a table holds at most: several times those of a data set, in about 3 MB for GROVER's atoms."""

Expand = Callable[[np.ndarray], np.ndarray]


class CodeTable:
    """Expands codes row by row as a given function does, but each distinct code only once.

    Atoms and bonds are of few kinds: the 210,000 atoms of B3DB have 352 distinct codes in GROVER's features. Looking up
    where a kind stands and copying its features costs a fraction of computing them. Every row that was looked up is
    compared with the code it was looked up for, so the result is the function's, bit for bit. A table with `CAPACITY`
    codes learns no more; others are then expanded each time.

    Threads may share a table: what it knows is one immutable object that is replaced as a whole, so the worst that
    two threads can do is to learn a code twice. Copies and pickles start empty.

    Args:
        expand: Codes (n, C) to features (n, F); each row of features depends on the same row of codes alone.

    Example:
        >>> table = CodeTable(lambda codes: codes * 0.5)
        >>> table(np.array([[1, 2], [3, 4], [1, 2]])).tolist(), len(table)
        ([[0.5, 1.0], [1.5, 2.0], [0.5, 1.0]], 2)
    """

    def __init__(self, expand: Expand) -> None:
        self.expand = expand
        self._known: _KnownCodes | None = None

    def __len__(self) -> int:
        return 0 if self._known is None else len(self._known.codes)

    def __reduce__(self) -> tuple[type[CodeTable], tuple[Expand]]:
        return CodeTable, (self.expand,)

    def __call__(self, codes: np.ndarray) -> np.ndarray:
        """Features (n, F) of codes (n, C), a new array."""
        if not codes.size:
            return self.expand(codes)
        codes = np.ascontiguousarray(codes)
        known = self._known
        if known is None or known.codes.dtype != codes.dtype or known.codes.shape[1] != codes.shape[1]:
            known = _KnownCodes.index(codes[:1].copy(), self.expand(codes[:1]))
        rows = known.find(codes)
        feats = known.feats.take(rows, axis=0)
        if not known.match(rows, codes):
            # As bytes, so that even codes of floats are distinguished exactly.
            new = (known.codes.take(rows, axis=0).view(np.uint8) != codes.view(np.uint8)).any(axis=1)
            feats[new] = self.expand(codes[new])
            self._learn(known, codes[new])
        return feats

    def _learn(self, known: _KnownCodes, codes: np.ndarray) -> None:
        """Add codes (n, C) that are not known yet, as many as there is room for."""
        if len(known.codes) < CAPACITY:
            distinct = np.unique(codes.view(np.uint8), axis=0).view(codes.dtype)
            added = distinct[: CAPACITY - len(known.codes)]
            self._known = _KnownCodes.index(
                np.concatenate([known.codes, added]), np.concatenate([known.feats, self.expand(added)])
            )


@dataclass(frozen=True)
class _KnownCodes:
    """Distinct codes, their features, and a hash that gives each of them a slot of its own.

    The hash reads a code as unsigned integers as wide as fits, at most 4 bytes, of which the last overlaps the one
    before (of 11 bytes: 0-3, 4-7 and 7-10), and takes the highest bits of the sum of integer times multiplier, modulo
    2^64. Two codes share one of 2^k slots in at most two of 2^k random draws, up to k = 33; wider integers would lose
    this, as those that differ in their highest bits alone have few different products.

    Args:
        codes: n distinct codes (n, C), C-contiguous.
        feats: Their features (n, F).
        slots: Row of the code with this hash (a power of two,); 0 for hashes that no code has.
        word: Type of the integers.
        factors: First byte and multiplier of each integer.
    """

    codes: np.ndarray
    feats: np.ndarray
    slots: np.ndarray
    word: np.dtype
    factors: tuple[tuple[int, np.uint64], ...]

    @classmethod
    def index(cls, codes: np.ndarray, feats: np.ndarray) -> _KnownCodes:
        """Draw multipliers until no two codes share a slot; with n^2 / 4 slots about every seventh draw is good."""
        width = codes.shape[1] * codes.itemsize
        size = min(4, 1 << width.bit_length() - 1)
        first_bytes = [*range(0, width - size, size), width - size]
        bits, random = max(4, 2 * (len(codes) - 1).bit_length() - 2), np.random.default_rng(0)
        for draw in count():
            factors = zip(first_bytes, random.integers(1 << 64, size=len(first_bytes), dtype=np.uint64), strict=True)
            slots = np.zeros(1 << bits + draw // 16, dtype=np.intp)
            known = cls(codes, feats, slots, np.dtype(f"u{size}"), tuple(factors))
            places = known.hash(codes)
            if len(np.unique(places)) == len(codes):
                slots[places] = np.arange(len(codes))
                break
        return known

    def hash(self, codes: np.ndarray) -> np.ndarray:
        """Slots (n,) of codes (n, C)."""
        width = codes.shape[1] * codes.itemsize
        (first, factor), *others = self.factors
        total = np.ndarray(len(codes), self.word, codes, first, width) * factor
        for first, factor in others:
            total += np.ndarray(len(codes), self.word, codes, first, width) * factor
        total >>= np.uint64(65 - len(self.slots).bit_length())
        return total.view(np.int64)

    def find(self, codes: np.ndarray) -> np.ndarray:
        """Rows (n,) where these codes stand if they are known."""
        return self.slots.take(self.hash(codes))

    def match(self, rows: np.ndarray, codes: np.ndarray) -> bool:
        """Return whether all of these codes stand in these rows."""
        return self.codes.take(rows, axis=0).tobytes() == codes.tobytes()
