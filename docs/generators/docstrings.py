"""Docstrings as pages show them: formulas as MathML, and an "Example:" as a session of Python."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import griffe
from latex2mathml.converter import convert

from generators.placeholders import hold

EXAMPLE = re.compile(r"^Example:$", re.M)
INLINE = re.compile(r":math:`([^`]+)`")
BLOCK = re.compile(r"^(?P<indent> *)\.\. math::\n(?P<formula>(?:(?P=indent) +\S.*\n?|\n)+)", re.M)


class Docstrings(griffe.Extension):
    """Changes of a docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Change the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub("Examples:", show_formulas(obj.docstring.value))


def show_formulas(text: str) -> str:
    """Return a docstring with its formulas as MathML."""
    text = BLOCK.sub(lambda found: f"{found['indent']}{hold(convert_block(found['formula']))}\n\n", text)
    return INLINE.sub(lambda found: hold(convert(found[1]), "span"), text)


def convert_block(formula: str) -> str:
    """Return a formula that stands by itself."""
    return f'<div class="formula">{convert(formula.strip(), display="block")}</div>'


def show_module(text: str) -> str:
    """Return the docstring of a module, its example as code."""
    before, _, example = text.partition("\nExample:\n")
    return f"{before}\n\n```pycon\n{textwrap.dedent(example).strip()}\n```\n" if example else before
