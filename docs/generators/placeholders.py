"""HTML and SVG that Markdown must not touch: a placeholder holds their place until the page is HTML."""

from __future__ import annotations

import re

HELD: list[str] = []
PLACEHOLDER = re.compile(r'<div class="held" data-number="(\d+)"></div>')


def hold(html: str) -> str:
    """Keep a piece of HTML, and return the line of Markdown that stands for it."""
    HELD.append(html)
    return f'<div class="held" data-number="{len(HELD) - 1}"></div>'


def put_back(html: str) -> str:
    """Return a page with the pieces in their places."""
    return PLACEHOLDER.sub(lambda found: HELD[int(found[1])], html)
