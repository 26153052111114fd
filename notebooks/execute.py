"""Execute notebooks and keep what they show: `python notebooks/execute.py [PATH ...]`, all of them without a path.

Outputs are committed, so that a notebook can be read without being run. A checksum of the code cells is stored with
them; `tests/test_notebooks.py` compares it, so that no output outlives the code that made it.
"""

from __future__ import annotations

import base64
import hashlib
import io
import sys
import tempfile
from pathlib import Path

import nbclient
import nbformat
from PIL import Image

FOLDER = Path(__file__).resolve().parent
MOST_BYTES = 300_000
COLORS = 64


def checksum(notebook: nbformat.NotebookNode) -> str:
    """Return the SHA-256 of the code cells."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()


def lighten(picture: str) -> str:
    """Return a PNG in base64 with few colours, a third of its size: enough for figures and drawings."""
    buffer = io.BytesIO()
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.quantize(COLORS, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode()


def execute(notebook: nbformat.NotebookNode, timeout: int = 600) -> nbformat.NotebookNode:
    """Run a notebook in an empty folder and return it with its outputs, without what differs from run to run."""
    with tempfile.TemporaryDirectory() as folder:
        nbclient.NotebookClient(notebook, timeout=timeout, resources={"metadata": {"path": folder}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = lighten(data["image/png"])
    notebook.metadata.language_info = {"name": "python"}
    notebook.metadata["code_sha256"] = checksum(notebook)
    return notebook


def main(paths: list[Path]) -> None:
    """Execute notebooks and write them back.

    Raises:
        ValueError: A notebook is too large to be committed.
    """
    for path in paths:
        text = nbformat.writes(execute(nbformat.read(path, as_version=4)))
        if len(text.encode()) > MOST_BYTES:
            raise ValueError(f"{path}: {len(text.encode()):,} bytes with outputs, at most {MOST_BYTES:,}: draw less")
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]] or sorted(FOLDER.glob("*.ipynb")))
