"""What MkDocs calls: pages made by `generators` join those of `docs/`, and links to the repository stay in the site."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from generators import api, commands, models, notebooks, parts, repository
from generators.links import rewrite, tidy
from generators.placeholders import put_back
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

DOCS = Path(__file__).parent
MAKERS = [module.make_pages for module in (notebooks, models, parts, commands, api, repository)]
MADE: dict[str, str | bytes] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and write them into the navigation."""
    for make in MAKERS:
        MADE.update(make())
    config.nav = expand(config.nav)
    return config


def expand(entry: Any) -> Any:
    """Return an entry of the navigation with "folder/" replaced by the pages of that folder."""
    if isinstance(entry, list):
        found = [expand(item) for item in entry if is_there(item)]
        return [item for part in found for item in (part if isinstance(part, list) else [part])]
    if isinstance(entry, dict):
        return {title: expand(item) for title, item in entry.items()}
    return list_pages(entry) if entry.endswith("/") else entry


def is_there(entry: Any) -> bool:
    """Return whether an entry has pages."""
    if isinstance(entry, dict):
        return all(bool(expand(item)) if isinstance(item, list) else is_there(item) for item in entry.values())
    return bool(list_pages(entry)) if entry.endswith("/") else entry in MADE or (DOCS / entry).exists()


def list_pages(folder: str) -> list[str]:
    """Return the pages of a folder: those that are made, then those that were written."""
    written = sorted(path.relative_to(DOCS).as_posix() for path in (DOCS / folder).glob("*.md"))
    return [place for place in MADE if place.startswith(folder) and place.endswith(".md")] + written


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for place, content in MADE.items():
        files.append(File.generated(config, place, content=content))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Lead the links of a written page into the site."""
    place = page.file.src_uri
    return tidy(markdown if place in MADE else rewrite(markdown, DOCS / place, place))


def on_page_content(html: str, **_: Any) -> str:
    """Put the pieces of HTML that were held into their places."""
    return put_back(html)
