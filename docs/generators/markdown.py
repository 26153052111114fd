"""Small pieces of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from zoo.learners.descriptions import format_default

ARXIV = re.compile(r"\barXiv:? ?(\d{4}\.\d{4,5})")


def make_table(header: Iterable[str], rows: Iterable[Iterable[str]], aligned: str = "") -> str:
    """Return a table.

    Args:
        header: Titles of the columns.
        rows: Cells.
        aligned: A letter for each column, "r" where it holds numbers; empty for text everywhere.
    """
    titles = list(header)
    sides = ["---:" if side == "r" else "---" for side in aligned.ljust(len(titles))]
    lines = [titles, sides, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def make_cell(text: str) -> str:
    """Return text for a cell of a table or a list."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def link_papers(text: str) -> str:
    """Return a reference with links to arXiv."""
    return ARXIV.sub(lambda found: f"[{found[0]}](https://arxiv.org/abs/{found[1]})", text)


def list_options(options: Mapping[str, Any], texts: Mapping[str, str]) -> str:
    """Return a list of options with their defaults and what they do."""
    lines = [
        f"`{name}` = `{format_default(value)}`\n:   {make_cell(texts.get(name, '')) or 'Undocumented.'}\n"
        for name, value in options.items()
    ]
    return "\n".join(lines) if lines else "None.\n"


def make_fence(language: str, text: str) -> str:
    """Return a block of code."""
    return f"```{language}\n{text}\n```\n"
