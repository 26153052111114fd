"""Links of a page to files of the repository become links inside the site, and those files come along."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = {
    "README.md": "readme.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "benchmarks/results/README.md": "results.md",
}
LANGUAGES = {".py": "python", ".pyi": "python", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml", "": "text"}
"""Files that become pages; others are copied as they are."""
FENCE = re.compile(r"^(?P<fence>`{3,}).*?^(?P=fence)[ \t]*$", re.S | re.M)
LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s#]+)(?P<after>#[^)\s]*)?(?=\))")
ITEM = re.compile(r"(?:[-*+]|1\.) \S")
HIDDEN = re.compile(r"^<!-- (?:setup|not run):.*?-->\n*", re.S | re.M)


def find_place(path: Path) -> str:
    """Return the place in the site of a file or folder of the repository, for a link."""
    name = path.relative_to(ROOT).as_posix()
    if name in PLACES:
        return PLACES[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/") + ("/README.md" if path.is_dir() else "")
    if path.suffix == ".ipynb":
        return f"notebooks/{path.stem}.md"
    if path.is_dir():
        return f"repository/{name}/index.md"
    return f"repository/{name}.md" if path.suffix in LANGUAGES else f"repository/{name}"


def find_linked(text: str, source: Path) -> Iterator[Path]:
    """Yield the files and folders outside `docs/` to which a page of the repository links."""
    for part, is_code in split_code(text):
        for link in () if is_code else LINK.finditer(part):
            path = resolve(link["target"], source)
            if path is not None and not path.is_relative_to(ROOT / "docs"):
                yield path


def rewrite(text: str, source: Path, place: str) -> str:
    """Return a page with its links leading to places in the site.

    Args:
        text: Markdown.
        source: The file that it comes from.
        place: Where it stands in the site.
    """

    def lead(link: re.Match[str]) -> str:
        path = resolve(link["target"], source)
        if path is None:
            return link[0]
        target = os.path.relpath(find_place(path), Path(place).parent).replace(os.sep, "/")
        return f"{link['before']}{target}{link['after'] or ''}"

    return "".join(part if is_code else LINK.sub(lead, part) for part, is_code in split_code(text))


def resolve(target: str, source: Path) -> Path | None:
    """Return the file of the repository that a relative link means, or None."""
    if ":" in target or target.startswith("/"):
        return None
    path = (source.parent / target).resolve()
    return path if path.exists() and path.is_relative_to(ROOT) else None


def split_code(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the parts of a page, and whether each is a fenced block."""
    end = 0
    for block in FENCE.finditer(text):
        yield text[end : block.start()], False
        yield block[0], True
        end = block.end()
    yield text[end:], False


def tidy(text: str) -> str:
    """Return a page as Python-Markdown needs it: blank lines above lists, and none of what only tests read."""
    parts = []
    for part, is_code in split_code(HIDDEN.sub("", text)):
        parts.append(part if is_code else "\n".join(separate_lists(part.split("\n"))))
    return "".join(parts)


def separate_lists(lines: list[str]) -> Iterator[str]:
    """Yield lines, with a blank one where a list follows a paragraph."""
    before = ""
    for line in lines:
        if ITEM.match(line) and before.strip() and not before.startswith((" ", "#")) and not ITEM.match(before):
            yield ""
        yield line
        before = line
