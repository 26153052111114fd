"""Reading the cells of a task column: numbers, words for classes, missing values; all else is refused by row."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from zoo.data.errors import DataError, quote
from zoo.data.labels.bounds import SIGNS, split_bound
from zoo.data.labels.words import is_missing, is_plus_minus, known_pair, order_classes
from zoo.data.reading.table import Table
from zoo.data.row_arrays import EXACT

COMPARED = re.compile(rf"^\s*[{''.join(SIGNS)}]")
APPROXIMATE = re.compile(r"^\s*[~≈±]")
FORMULA = re.compile(r"^\s*=")
COMMA_NUMBER = re.compile(r"^\s*[-+]?\d*,\d+(e[-+]?\d+)?\s*$", re.IGNORECASE)
MAYBE_THOUSANDS = re.compile(r"^\s*[-+]?[1-9]\d{0,2},\d{3}\s*$")
DIGIT_FIRST = re.compile(r"^\s*[-+.'$€£¥(]*\d")
POINT_NUMBER = re.compile(r"^\s*[-+]?\d*\.\d")
LARGEST = float(np.finfo(np.float32).max)
MOST_CLASSES, FEWEST_OF_CLASS = 100, 3
NOT_A_NUMBER = "is not a number: correct it, or leave the cell blank"


@dataclass
class Column:
    """One task's labels.

    Args:
        name: The task.
        values: (n,), float64, NaN where missing; numbers of the classes where the cells were words.
        words: The words of the classes, or `None`.
        note: How the cells were read, or `""`.
        bounds: -1 (upper bound), 0 (exact) or 1 (lower bound) for each label (n,); `None` where all are exact.
    """

    name: str
    values: np.ndarray
    words: tuple[str, ...] | None = None
    note: str = ""
    bounds: np.ndarray | None = None


def to_number(cell: Any, decimal: str = ".") -> float | None:
    """The number in a cell, or `None`; infinite where it is, or is too large for float32."""
    if isinstance(cell, str):
        text = cell.strip().replace("\N{MINUS SIGN}", "-")
        if "_" in text or not text.isascii():
            return None
        cell = text.replace(",", ".") if decimal == "," else text
    try:
        number = float(cell)
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= LARGEST else float("inf")


def complaint(cell: Any) -> str:
    """Explain why a cell that is not a number cannot be used, and give the remedy."""
    text = str(cell)
    if COMPARED.match(text):
        return "is not a number: a bound is written as >4.5 or <0.1 and is for labels of regression; correct the cell"
    if APPROXIMATE.match(text):
        return "is an approximate value, not a number: give the number itself, or leave the cell blank"
    if FORMULA.match(text):
        return "is a formula or has an equals sign, not a number: give the number itself, or leave the cell blank"
    if COMMA_NUMBER.match(text):
        return "has a decimal comma: write a point, or give decimal=','"
    return NOT_A_NUMBER


def hashable(column: pd.Series) -> pd.Series:
    """Turn lists and the like into text: they are not labels, but must not stop the search for some."""
    if not pd.api.types.infer_dtype(column).startswith("mixed"):
        return column
    return column.map(lambda cell: cell if cell.__hash__ else str(cell))


def looks_like_labels(column: pd.Series) -> bool:
    """Return whether most cells are numbers (even badly written ones), or they are two known words for classes."""
    counts = hashable(column).value_counts()
    known = {cell: count for cell, count in counts.items() if not is_missing(cell)}
    if not known or is_plus_minus(counts.index):
        return bool(known)
    numbers = sum(
        count for cell, count in known.items() if to_number(cell) is not None or complaint(cell) != NOT_A_NUMBER
    )
    return 2 * numbers > sum(known.values()) or known_pair({str(cell).strip().lower() for cell in known})


def read_column(
    table: Table,
    name: str,
    *,
    decimal: str | None = None,
    words: Sequence[str | float] | None = None,
    many: bool | None = None,
) -> Column:
    """Read a task column.

    Args:
        table: The source.
        name: Of the column.
        decimal: `"."` or `","`; `None` finds it out and never reads a comma in a comma-separated file.
        words: The words of the classes, if the user says so; else two words are ordered by what they mean, more by the
            alphabet.
        many: Whether three or more words may be classes; `None` lets them where none of them is rare.

    Raises:
        DataError: A cell is neither number nor missing; names the first rows.
    """
    cells = table.column(name)
    if words is None and pd.api.types.is_numeric_dtype(cells.dtype):
        values = cells.to_numpy(dtype=np.float64, na_value=np.nan)
        _refuse(table, name, np.abs(values) > LARGEST, "is infinite or too large: correct it, or leave the cell blank")
        return Column(name, values)
    codes, uniques = pd.factorize(hashable(cells.astype(object)))
    distinct = np.array(uniques, dtype=object)
    if words is not None:
        if len(words) < 2 or isinstance(words, str):
            raise DataError(f"{table.label}: label_names of {name!r} are {words!r}: give those of class 0, 1, ...")
        return _read_words(table, name, codes, distinct, tuple(map(str, words)))
    missing = np.array([is_missing(cell) for cell in distinct], dtype=bool)
    plus_minus = is_plus_minus(distinct)
    mark, note = (decimal, "") if decimal else decimal_mark(table, name, distinct)
    apart = [split_bound(cell) for cell in distinct]
    numbers = [np.nan if gone else to_number(cell.number, mark) for gone, cell in zip(missing, apart, strict=True)]
    if plus_minus or _are_all_words(distinct[~missing], mark):
        known = [str(cell).strip() for cell in distinct[~missing]]
        return _read_words(
            table, name, codes, distinct, ("-", "+") if plus_minus else _class_words(table, name, known, many)
        )
    for cell, number in zip(distinct, numbers, strict=True):
        if number is None:
            reason = complaint(cell)
            bad = [n is None and complaint(c) == reason for c, n in zip(distinct, numbers, strict=True)]
            _refuse(table, name, _by_row(codes, bad, False).astype(bool), reason)
    values = _by_row(codes, numbers, np.nan)
    _refuse(table, name, np.isinf(values), "is infinite or too large: correct it, or leave the cell blank")
    sides = _by_row(codes, [cell.side for cell in apart], EXACT)
    return Column(name, values, note=note, bounds=sides.astype(np.int8) if sides.any() else None)


def _by_row(codes: np.ndarray, of_distinct: Sequence[Any], absent: Any) -> np.ndarray:
    """Values of distinct cells spread over the rows; code -1 is an absent cell."""
    return np.array([*of_distinct, absent], dtype=np.float64)[codes]


def _refuse(table: Table, name: str, bad: np.ndarray, why: str) -> None:
    """Raise if any row is bad."""
    rows = np.flatnonzero(bad)
    if not len(rows):
        return
    cell = table.column(name).iloc[rows[0]]
    more = f" ({len(rows)} such cells: {', '.join(table.where(row) for row in rows[:5])}"
    more = f"{more}{', ...' if len(rows) > 5 else ''})" if len(rows) > 1 else ""
    raise DataError(f"{table.label}: column {name!r}, {table.where(rows[0])}: {str(cell).strip()!r} {why}{more}")


def decimal_mark(table: Table, name: str, distinct: np.ndarray) -> tuple[str, str]:
    """The decimal mark of a column, and a note where it is the comma."""
    texts = [cell for cell in (split_bound(cell).number for cell in distinct) if isinstance(cell, str)]
    commas = [text for text in texts if COMMA_NUMBER.match(text)]
    points = any(POINT_NUMBER.match(text) for text in texts)
    if not commas or points or table.separator not in (";", "\t"):
        return ".", ""
    # Semicolons come from places that write decimal commas; after a tab "1,234" may as well mean a thousand.
    if table.separator == "\t" and all(MAYBE_THOUSANDS.match(cell) for cell in commas):
        return ".", ""
    return ",", f"column {name!r}: commas are read as decimal points"


def _are_all_words(known: np.ndarray, mark: str) -> bool:
    """Return whether no cell is a number, not even a badly written one such as "5 nM" or "10%"."""
    return len(known) > 0 and all(
        isinstance(cell, bool)
        or (to_number(cell, mark) is None and complaint(cell) == NOT_A_NUMBER and not DIGIT_FIRST.match(str(cell)))
        for cell in known
    )


def _class_words(table: Table, name: str, known: list[str], many: bool | None) -> tuple[str, ...]:
    """Classes of the words in a column, in order; spelling in capitals does not matter.

    Raises:
        DataError: More words than can be classes, or a single one that says nothing about the other.
    """
    by_folded = {word.lower(): word for word in reversed(known)}
    words = list(by_folded.values())
    if len(words) == 2:
        return order_classes(words)
    if len(words) == 1 and known_pair([words[0], "?"]):
        return order_classes([words[0], f"not {words[0]}"])
    if len(words) == 1:
        raise DataError(
            f"{table.label}: column {name!r} holds the single word {words[0]!r}: two classes are needed, or say "
            f"which class it is with label_names={{{name!r}: (negative, positive)}}"
        )
    counts = table.column(name).astype(str).str.strip().str.lower().value_counts()
    rare = min(by_folded, key=lambda word: counts[word])
    if len(words) <= MOST_CLASSES and (many or (many is None and counts[rare] >= FEWEST_OF_CLASS)):
        return tuple(sorted(words, key=str.lower))
    row = int(np.flatnonzero(table.column(name).astype(str).str.strip().str.lower() == rare)[0])
    raise DataError(
        f"{table.label}: column {name!r} has {len(words)} different words ({quote(words, 5)}; {by_folded[rare]!r} on "
        f"{table.where(row)}): labels are numbers or classes, recode it, say task='multiclass' if all of them are "
        "classes, or choose other tasks="
    )


def _read_words(table: Table, name: str, codes: np.ndarray, distinct: np.ndarray, words: tuple[str, ...]) -> Column:
    lookup = {_fold(word): float(number) for number, word in enumerate(words)}
    values = [lookup.get(_fold(cell), np.nan if is_missing(cell) else np.inf) for cell in distinct]
    by_row = _by_row(codes, values, np.nan)
    if len(words) == 2:
        _refuse(table, name, np.isinf(by_row), f"is neither {words[0]!r} (class 0) nor {words[1]!r} (class 1)")
    _refuse(table, name, np.isinf(by_row), f"is none of the classes {quote(words, 5)}")
    shown = [f"{word!r} is class {number}" for number, word in enumerate(words[:5])]
    more = f", ... ({len(words)} classes)" if len(words) > 5 else ""
    return Column(name, by_row, words, f"column {name!r}: {', '.join(shown)}{more}")


def _fold(cell: Any) -> str:
    """Fold the capitals of a word and the notation of a number: classes may be called 1 and 2."""
    number = None if isinstance(cell, (bool, np.bool_)) else to_number(cell)
    return str(cell).strip().lower() if number is None else f"{number:g}"
