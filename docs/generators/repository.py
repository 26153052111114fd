"""Pages of the repository outside `docs/`: changelog, contributing, results, and every file that a page links to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from generators.links import LANGUAGES, PLACES, ROOT, find_linked, find_place, rewrite

BENCHMARKS = ROOT / "benchmarks"
RESULTS = BENCHMARKS / "results" / "README.md"


def make_pages() -> dict[str, str | bytes]:
    """Return the pages, and the files that they show, by their places."""
    written = [path for path in sorted((ROOT / "docs").rglob("*.md")) if path.stat().st_size]
    queue = [ROOT / name for name in PLACES]
    queue += RESULTS.parent.rglob("report.md")
    for page in written:
        queue += find_linked(page.read_text(encoding="utf-8"), page)
    pages: dict[str, str | bytes] = {}
    while queue:
        path = queue.pop()
        place = find_place(path)
        if place in pages or path.suffix == ".ipynb":
            continue
        if path.is_dir():
            queue += list_files(path)
        page = make_page(path)
        if isinstance(page, str) and path.suffix in (".md", ""):
            source = path / "index" if path.is_dir() else path
            queue += find_linked(page, source)
            page = rewrite(page, source, place)
        pages[place] = page
    return pages


def make_page(path: Path) -> str | bytes:
    """Return the page of a file or folder, or the bytes of a file that is copied."""
    name = path.relative_to(ROOT).as_posix()
    if path.is_dir():
        names = [file.relative_to(path).as_posix() for file in list_files(path)]
        files = [f"- [{file}]({file})" for file in names]
        return "\n".join([f"# {name}\n", *files, ""])
    if path == RESULTS:
        return describe_results()
    if path.suffix == ".md":
        return path.read_text(encoding="utf-8")
    if path.suffix in LANGUAGES:
        fence = f"````{LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8')}````\n"
        return f"# {name}\n\n{fence}"
    return path.read_bytes()


def list_files(folder: Path) -> list[Path]:
    """Return the files of a folder and of those in it."""
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts]


def describe_results() -> str:
    """Return the page about results: what the folder holds, and the commands that wrote it."""
    text = RESULTS.read_text(encoding="utf-8").replace("# Results", "# How results were obtained", 1)
    text = text.replace("`NAME/` holds", "Every number on this site comes from a command and a file in the repository. "
                        "In `benchmarks/results`, `NAME/` holds", 1)  # fmt: skip
    return "\n".join([text, "## Scripts and specifications\n", *describe_scripts()])


def describe_scripts() -> Iterator[str]:
    """Yield a section for each script of `benchmarks/`, from its docstring, then the specifications of sweeps."""
    for script in sorted(BENCHMARKS.glob("*.py")):
        summary, _, rest = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n\n")
        yield f"### [{script.stem}](../{script.name})\n\n{' '.join(summary.split())}\n"
        if rest:
            yield f"```text\n{rest}\n```\n"
    for file in sorted(BENCHMARKS.glob("*.yaml")):
        lines = file.read_text(encoding="utf-8").splitlines()
        head = [
            line.removeprefix("#").strip() for line in lines[: next(i for i, x in enumerate(lines) if x[:1] != "#")]
        ]
        yield f"### [{file.name}](../{file.name})\n\n{' '.join(head)}\n"
        yield f"```sh\nmolzoo benchmark benchmarks/{file.name}\n```\n"
