"""Names of label columns with their kinds of target, such as `logS:regression`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoo.registry import kinds


def split_kinds(
    tasks: Any, task_kinds: Mapping[str, str] | None, task: str | None
) -> tuple[tuple[str, ...] | None, dict[str, str] | None]:
    """Return the names of label columns, and the kinds that were named with them.

    Args:
        tasks: Names, `"name:kind"`, or kinds by name; `None` for none.
        task_kinds: Kinds that were named before; they count for tasks that are still among the names.
        task: Kind of all tasks.

    Raises:
        ValueError: An unknown kind, or kinds of single tasks next to one of all.

    Example:
        >>> split_kinds(["active:binary", "logS"], None, None)
        (('active', 'logS'), {'active': 'binary'})
    """
    if tasks is None:
        return None, dict(task_kinds) if task_kinds else None
    given = [tasks] if isinstance(tasks, str) else tasks
    pairs = (
        [(str(name), kind) for name, kind in given.items()] if isinstance(given, Mapping) else map(split_kind, given)
    )
    pairs = list(pairs)
    names = tuple(name for name, _ in pairs)
    found = {name: kind for name, kind in (task_kinds or {}).items() if name in names}
    found |= {name: kind for name, kind in pairs if kind is not None}
    for kind in found.values():
        kinds.check_task(kind)
    free = task in (None, kinds.MIXED, kinds.UNLABELLED)
    other = [name for name, kind in found.items() if not free and not kinds.same_task(str(task), kind)]
    if other:
        raise ValueError(
            f"task={task!r} is the kind of all tasks, and {other[0]!r} has the kind {found[other[0]]!r}: leave one out"
        )
    return names, found or None


def split_kind(name: str) -> tuple[str, str | None]:
    """Take the kind off `"name:kind"`; colons that no kind follows belong to the name."""
    column, colon, kind = name.rpartition(":")
    return (column, kind) if colon and column and kinds.is_task(kind) else (name, None)


def name_with_kind(column: Any, kind: Any) -> str:
    """Write a kind behind the name of a column.

    Raises:
        ValueError: There is no such kind.
    """
    kinds.check_task(str(kind))
    return f"{column}:{kind}"
