"""HTML and SVG that Markdown must not touch: a placeholder holds their place until the page is HTML."""

from __future__ import annotations

import re

HELD: list[str] = []
PLACEHOLDER = re.compile(r'<(div|span) class="held" data-number="(\d+)"></\1>')


def hold(html: str, element: str = "div") -> str:
    """Keep a piece of HTML, and return the Markdown that stands for it: a line, or with "span" a word."""
    HELD.append(html)
    return f'<{element} class="held" data-number="{len(HELD) - 1}"></{element}>'


def put_back(html: str) -> str:
    """Return a page with the pieces in their places."""
    return PLACEHOLDER.sub(lambda found: HELD[int(found[2])], html)
