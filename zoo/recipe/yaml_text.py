"""YAML files of users: mappings of plain data, with errors of one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

MOST_VALUES = 100_000
FLOAT = re.compile(r"^[-+]?(\d[\d_]*\.?\d*|\.\d+)[eE][-+]?\d+$")


class PlainLoader(yaml.SafeLoader):
    """`yaml.SafeLoader` that reads 1e-3 as a number, as JSON does; YAML 1.1 wants 1.0e-3."""


PlainLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(f"^(?:{FLOAT.pattern})$"), list("-+.0123456789")
)


def parse_mapping(text: str, place: str, kind: str) -> dict[str, Any]:
    """Read a mapping from YAML (or JSON) text.

    Args:
        text: What the file holds.
        place: Name of the file, for messages.
        kind: What it is meant to be with its article, such as "a recipe", for messages.

    Raises:
        ValueError: The text is not YAML, holds something other than a mapping with names as keys, or unfolds to more
            than `MOST_VALUES` values.

    Example:
        >>> parse_mapping("lr: 1e-3", "mine.yaml", "a recipe")
        {'lr': 0.001}
    """
    try:
        values = yaml.load(text, PlainLoader)  # derives from SafeLoader
        if isinstance(values, Mapping):
            require_plain(values, place)
    except yaml.YAMLError as error:
        raise ValueError(f"{place} is not YAML: {describe(error)}: {kind} is a YAML or JSON file") from error
    except RecursionError:
        raise ValueError(f"{place} is nested too deeply for {kind}") from None
    except ValueError as error:  # such as the date 2001-99-99
        raise ValueError(f"{place} cannot be read as {kind}: {error}") from error
    if not isinstance(values, Mapping):
        raise ValueError(f"{place}: {kind} is a mapping of fields to values, this is {type(values).__name__}")
    return dict(values)


def describe(error: yaml.YAMLError) -> str:
    """Describe the error and its place in a few words."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    what = str(problem or getattr(error, "reason", None) or error).strip().partition("\n")[0][:200]
    return what if mark is None else f"{what} (line {mark.line + 1})"


def require_plain(values: Any, place: str) -> None:
    """Raise a `ValueError` where a key is not a name, or where anchors unfold to more values than any recipe has."""
    waiting, seen = [values], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise ValueError(f"it unfolds to more than {MOST_VALUES:,} values")
        if isinstance(value, Mapping):
            for key in value:
                if not isinstance(key, str):
                    raise ValueError(f"the key {str(key)[:40]!r} is not a name: put it in quotes")
            waiting.extend(value.values())
        elif isinstance(value, (list, tuple, set)):
            waiting.extend(value)
