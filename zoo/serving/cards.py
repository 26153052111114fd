"""Cards of runs for readers elsewhere: the page without paths of this machine."""

from __future__ import annotations

from html.parser import HTMLParser

from zoo.serving.refusal import without_paths

CARD_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
"""A card may come from anybody: nothing in it runs or is loaded."""
RAW = ("style", "svg", "script")


class _Cleaner(HTMLParser):
    """Copies a page, texts outside pictures and styles without paths."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.parts: list[str] = []
        self.raw = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.raw += tag in RAW
        self.parts.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.parts.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self.raw -= tag in RAW and self.raw > 0
        self.parts.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.parts.append(data if self.raw else without_paths(data))

    def handle_entityref(self, name: str) -> None:
        self.parts.append(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.parts.append(f"&#{name};")

    def handle_decl(self, decl: str) -> None:
        self.parts.append(f"<!{decl}>")


def clean_card(page: str) -> str:
    """Return a card without paths.

    Example:
        >>> clean_card("<p>--recipe /home/ann/runs/gcn/recipe.json</p>")
        '<p>--recipe recipe.json</p>'
    """
    cleaner = _Cleaner()
    cleaner.feed(page)
    cleaner.close()
    return "".join(cleaner.parts)
