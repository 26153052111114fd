"""Descriptions of arguments, read from Google-style docstrings."""

from __future__ import annotations

import inspect
import re

SECTION = re.compile(r"^(Args|Arguments|Parameters|Attributes):\s*$")
ANY_SECTION = re.compile(r"^[A-Z][A-Za-z ]+:\s*$")
ARGUMENT = re.compile(r"^ {4}\*{0,2}([\w, *]+?)(?: \([^)]*\))?: ?(.*)$")


def arguments_of(docstring: str | None) -> dict[str, str]:
    r"""Return the text of each argument in the section "Args", in one line each.

    Example:
        >>> arguments_of("Rate.\n\nArgs:\n    first: Of epoch\n        1.\n    last: Of the end.")
        {'first': 'Of epoch 1.', 'last': 'Of the end.'}
    """
    texts: dict[str, list[str]] = {}
    inside, names = False, list[str]()
    for line in inspect.cleandoc(docstring or "").splitlines():
        if ANY_SECTION.match(line):
            inside, names = bool(SECTION.match(line)), []
        elif inside and line and not line.startswith(" "):
            inside = False
        elif inside and (found := ARGUMENT.match(line)):
            names = re.split(r"[ ,*]+", found[1])
            texts |= {name: [found[2]] for name in names}
        elif inside:
            for name in names:
                texts[name].append(line.strip())
    return {name: " ".join(filter(None, lines)) for name, lines in texts.items()}


def first_line(docstring: str | None) -> str:
    """Return the first line of a docstring."""
    return inspect.cleandoc(docstring or "").partition("\n")[0]


def arguments_of_class(cls: type) -> dict[str, str]:
    """Return the text of each argument of a class; what a class does not explain, its base classes do."""
    return {name: text for base in reversed(cls.__mro__) for name, text in arguments_of(base.__doc__).items()}
