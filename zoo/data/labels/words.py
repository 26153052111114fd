"""Words that stand for a missing label or for one of two classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


MISSING = _words("na n/a #n/a <na> n.a. nan #nan null none nil nat nd n.d. missing unknown ? . * - -- --- – —") | {
    "",
    "not determined",
    "not tested",
    "not available",
}
POSITIVE = _words(
    "1 + active yes y true t positive pos p hit high toxic mutagenic carcinogenic permeable soluble stable approved "
    "pass good inhibitor agonist binder binding blocker substrate bbb+ +ve present ca ja oui wahr vrai"
)
NEGATIVE = _words(
    "0 inactive no n false f negative neg low safe nontoxic impermeable insoluble unstable fail failed bad decoy "
    "control bbb- -ve absent ci i nein non falsch faux"
)
NEGATING = ("non", "not", "no", "in", "im", "un")


def is_missing(cell: Any) -> bool:
    """Return whether a cell says that there is no label: empty, NaN, None, or a word such as `NA`, `n/a`, `-`."""
    if isinstance(cell, str):
        return cell.strip().lower() in MISSING
    return bool(pd.isna(cell)) if pd.api.types.is_scalar(cell) else False


def is_plus_minus(cells: Iterable[Any]) -> bool:
    """Return whether cells are `+` and `-` as two classes, so that `-` is not a missing label."""
    marks = {str(cell).strip() for cell in cells}
    return "-" in marks and {mark for mark in marks if not is_missing(mark)} == {"+"}


def order_classes(words: Iterable[str]) -> tuple[str, str]:
    """Negative and positive of two words.

    Known words and negating prefixes decide; else the first in the alphabet is class 0.

    Example:
        >>> order_classes(["Inhibitor", "non-inhibitor"])
        ('non-inhibitor', 'Inhibitor')
    """
    first, second = sorted(words, key=str.lower)
    return (second, first) if _opposes(second, first) and not _opposes(first, second) else (first, second)


def known_pair(words: Iterable[str]) -> bool:
    """Return whether two words are known to be the two classes of something."""
    pair = list(words)
    return len(pair) == 2 and (_opposes(*pair) or _opposes(pair[1], pair[0]))


def _opposes(negative: str, positive: str) -> bool:
    no, yes = negative.strip().lower(), positive.strip().lower()
    bare = no.replace("-", "").replace("_", "").replace(" ", "")
    if any(bare == prefix + yes.replace("-", "").replace("_", "").replace(" ", "") for prefix in NEGATING):
        return True
    if no[:-1] == yes[:-1] and no.endswith("-") and yes.endswith("+"):
        return True
    return (no in NEGATIVE and yes not in NEGATIVE) or (yes in POSITIVE and no not in POSITIVE)
