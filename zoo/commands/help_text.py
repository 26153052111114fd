"""The help text of a command: grouped, in a hundred columns, in the words of the command line."""

from __future__ import annotations

import re
import textwrap
from argparse import SUPPRESS
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from zoo.commands.spelling import Spelling, is_mapping

WIDTH, COLUMN, LARGEST_FLAG = 100, 27, 25
NONE = re.compile(r"\b(?P<first>[Nn])one(?= [a-z])")
QUOTED = re.compile(r"`([a-z_]+)`")
WORDS = {int: "N", float: "X", str: "TEXT"}


@dataclass(frozen=True)
class Place:
    """Place of an option in the help text.

    Args:
        group: Title above it; options without one stand under "other options".
        advanced: Whether `--help-all` alone shows it.
        names: Names that it accepts.
    """

    group: str = ""
    advanced: bool = False
    names: tuple[str, ...] = ()


def format_command_help(
    description: str, actions: Sequence[Any], places: Mapping[str, Place], spelling: Spelling, everything: bool
) -> str:
    """Return the help text of a command.

    Args:
        description: What it does, with examples.
        actions: Its options and arguments.
        places: Where they stand, by their names.
        spelling: How they are written.
        everything: Whether advanced options are shown too.
    """
    groups: dict[str, list[str]] = {}
    hidden = 0
    sections = {name.partition(".")[0] for name in spelling.names if "." in name}
    operands = [action for action in actions if not action.option_strings]
    for action in actions:
        if action.help in (None, SUPPRESS) or action.dest in sections:
            continue
        place = places.get(action.dest, Place())
        if place.advanced and not everything:
            hidden += 1
            continue
        title = place.group or ("arguments" if action in operands else "other options")
        name = operand(action) if action in operands else f"{spelling.flag(action.dest)}{placeholder(action)}"
        groups.setdefault(title, []).extend(entry(name, explain(action, place, spelling, everything)))
    usage = " ".join([f"usage: {spelling.prog}", *map(operand, operands), "[options]"])
    lines = [usage, "", *wrap_prose(description)]
    groups.setdefault("other options", []).extend(closing(hidden))
    for title in sorted(groups, key=lambda title: title == "other options"):
        lines += ["", f"{title}:", *groups[title]]
    return "\n".join(lines)


def wrap_prose(text: str) -> list[str]:
    """Return the lines of a text, its paragraphs filled up; paragraphs with indented lines stay as they are."""
    paragraphs = [paragraph.splitlines() for paragraph in text.split("\n\n")]
    filled = [
        lines if any(line.startswith(" ") for line in lines) else textwrap.wrap(" ".join(lines), WIDTH)
        for lines in paragraphs
    ]
    return "\n\n".join("\n".join(lines) for lines in filled).splitlines()


def closing(hidden: int) -> list[str]:
    """Return the last entries."""
    more = entry("--help-all", f"show {hidden} more options too") if hidden else []
    return [*entry("--help", "show this text"), *more]


def operand(action: Any) -> str:
    """Return the name of an argument without a flag."""
    optional = action.nargs in ("?", "*")
    name = str(action.metavar or action.dest).upper() + (" ..." if action.nargs in ("+", "*") else "")
    return f"[{name}]" if optional else name


def placeholder(action: Any) -> str:
    """Return the placeholder behind a flag: N for whole numbers, X for numbers, ..."""
    if action.nargs == 0:
        return ""
    if is_mapping(action):
        return ".NAME VALUE"
    if action.metavar:
        return f" {action.metavar}"
    hint = getattr(action, "_typehint", None) or action.type
    kinds = [kind for kind in (hint, *get_args(hint)) if kind in (*WORDS, bool)]
    word = "true|false" if bool in kinds else WORDS.get(kinds[0], "TEXT") if kinds else "TEXT"
    return f" {word} ..." if action.nargs == "+" else f" {word}"


def explain(action: Any, place: Place, spelling: Spelling, everything: bool) -> str:
    """Return the meaning of an option, the names that it accepts, and its default."""
    text = without_none(action.help or "").strip()
    text = text if text.endswith("...") else text.rstrip(".")
    text = QUOTED.sub(lambda found: spelling.flag(found[1]) if found[1] in spelling.short else found[0], text)
    text = text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text
    if not everything and len(text) > 150 and ". " in text:
        text = text.partition(". ")[0]
    choices = place.names or action.choices or ()
    if choices:
        text += f"; one of {', '.join(map(str, choices))}"
    default = action.default
    shown = default not in (None, False, "", [], ()) and not isinstance(default, Mapping) and action.option_strings
    if shown and action.dest and default != SUPPRESS:
        value = " ".join(map(str, default)) if isinstance(default, (list, tuple)) else default
        text += f" (default: {value})"
    return text


def without_none(text: str) -> str:
    """Return the text of a field in the words of the command line.

    Example:
        >>> without_none("Column of the SMILES; None finds it.")
        'Column of the SMILES; leaving it out finds it.'
    """
    return NONE.sub(lambda found: "Leaving it out" if found["first"] == "N" and at_start(text, found.start())
                    else "leaving it out", text)  # fmt: skip


def at_start(text: str, position: int) -> bool:
    """Return whether a sentence begins at a position."""
    return not position or text[:position].rstrip().endswith(".")


def entry(name: str, text: str) -> list[str]:
    """Return the lines of one option."""
    lines = textwrap.wrap(text, WIDTH - COLUMN, break_on_hyphens=False, break_long_words=False) or [""]
    first = f"  {name:<{COLUMN - 2}}"
    if len(name) > LARGEST_FLAG - 1:
        return [f"  {name}", *(" " * COLUMN + line for line in lines)]
    return [first + lines[0], *(" " * COLUMN + line for line in lines[1:])]
