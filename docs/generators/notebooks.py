"""The notebooks as pages, with the outputs that they were saved with."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import nbformat

from generators.links import ROOT, rewrite
from generators.placeholders import hold

FOLDER = ROOT / "notebooks"
STYLE = re.compile(r"<style scoped>.*?</style>", re.S)
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def make_pages() -> dict[str, str | bytes]:
    """Return the pages, pictures and notebooks by their places, the overview first."""
    pages: dict[str, str | bytes] = {"notebooks/index.md": ""}
    rows = ["# Notebooks\n", "Stories over the public API, shown with their outputs. Each runs in under a minute "
            "on two cores; `make notebooks` runs them all.\n"]  # fmt: skip
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        pages.update(make_page(path, notebook))
        title, _, rest = notebook.cells[0].source.removeprefix("# ").partition("\n")
        first = " ".join(rest.strip().partition("\n\n")[0].split())
        rows.append(f"## [{title}]({path.stem}.md)\n\n{rewrite(first, path, 'notebooks/index.md')}\n")
    pages["notebooks/index.md"] = "\n".join(rows)
    return pages


def make_page(path: Path, notebook: Any) -> dict[str, str | bytes]:
    """Return the page of a notebook, its pictures, and the notebook for download."""
    place = f"notebooks/{path.stem}.md"
    files: dict[str, str | bytes] = {place: "", f"notebooks/{path.name}": path.read_bytes()}
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(rewrite(cell.source, path, place))
        elif cell.source.strip():
            parts.append(f"```python\n{cell.source}\n```")
        for position, output in enumerate(cell.get("outputs", ())):
            name = f"{path.stem}_{number}_{position}"
            text, picture = show_output(output, name)
            parts.append(text)
            if picture:
                files[f"notebooks/{name}.png"] = picture
    parts.append(f"[The notebook]({path.name}), to run it")
    files[place] = "\n\n".join(parts) + "\n"
    return files


def show_output(output: Any, name: str) -> tuple[str, bytes]:
    """Return Markdown for an output, and the picture that it shows, if any."""
    if output.output_type == "stream":
        return f"```text {{.output}}\n{clean(output.text)}\n```", b""
    if output.output_type == "error":
        return f"```text\n{clean(output.ename + ': ' + output.evalue)}\n```", b""
    data = output.data
    if "image/png" in data:
        return f"![Figure drawn by the code above]({name}.png)", base64.b64decode(data["image/png"])
    if "text/html" in data:
        return hold(f'<div class="output">{STYLE.sub("", data["text/html"])}</div>'), b""
    if "text/markdown" in data:
        return data["text/markdown"], b""
    return f"```text {{.output}}\n{clean(data['text/plain'])}\n```", b""


def clean(text: str) -> str:
    """Return the text of a terminal without colours and without lines that were overwritten."""
    lines = ESCAPES.sub("", text).rstrip("\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
