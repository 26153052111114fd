"""The notebooks run from top to bottom, and show what they say."""

import base64
import re
from pathlib import Path

import pytest
from support.scripts import load_script

nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

execute_notebooks = load_script(FOLDER / "execute.py")

NUMBER = re.compile(r"(?<![\w.-])\d+\.\d+(?![\w.]*\d)")


def read(path: Path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook) -> list:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def pictures(notebook) -> list[str]:
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    return [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def text_of_outputs(notebook) -> str:
    found = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            found += [output.get("text", ""), *map(str, output.get("data", {}).values())]
    return "\n".join(found)


def prose(cell) -> str:
    """Words of a cell without code, links and the names of papers."""
    text = re.sub(r"```.*?```|`[^`]*`", " ", cell.source, flags=re.DOTALL)
    return re.sub(r"\(https?:[^)]*\)|arXiv \S+", " ", text)


@each_notebook
def test_notebook_runs(path, monkeypatch):
    monkeypatch.setenv("MOLZOO_QUICK", "1")
    executed = execute_notebooks.execute(read(path), timeout=300)
    assert pictures(executed), "a notebook shows something"


@each_notebook
def test_outputs_are_those_of_the_code(path):
    notebook = read(path)
    advice = f"run `python notebooks/execute.py {path.name}` and commit the outputs"
    assert notebook.metadata.get("code_sha256") == execute_notebooks.checksum(notebook), advice
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == [number + 1 for number in range(len(cells))]
    assert not [output for cell in cells for output in cell.outputs if output.output_type == "error"]


@each_notebook
def test_outputs_are_small_and_complete(path):
    assert path.stat().st_size < execute_notebooks.MOST_BYTES
    found = pictures(read(path))
    assert found
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in found)
    assert "/home/" not in text_of_outputs(read(path))


@each_notebook
def test_numbers_in_the_text_are_in_code_or_outputs(path):
    notebook = read(path)
    known = "\n".join(cell.source for cell in code_cells(notebook)) + text_of_outputs(notebook)
    words = [prose(cell) for cell in notebook.cells if cell.cell_type == "markdown"]
    missing = [number for text in words for number in NUMBER.findall(text) if number not in known]
    assert not missing


@pytest.mark.parametrize("name", ["02_sharpness_aware_family", "04_does_graphsam_pay"])
def test_every_reading_is_checked_by_the_next_code_cell_with_assertions(name):
    """A text with a number is followed by a code cell that asserts, before the next text with a number."""
    cells = read(FOLDER / f"{name}.ipynb").cells
    waiting = ""
    for cell in cells:
        if cell.cell_type == "code":
            waiting = "" if "assert " in cell.source else waiting
        elif "**Reading.**" in cell.source or NUMBER.search(prose(cell)):
            assert not waiting, f"unchecked: {waiting[:80]}"
            waiting = cell.source if "**Reading.**" in cell.source or name.startswith("04") else ""
    assert not waiting, f"unchecked: {waiting[:80]}"


def test_reached_means_the_same_as_in_the_report():
    """The notebook shows the report's own table of published scores, and explains it with the report's words."""
    notebook = read(FOLDER / "04_does_graphsam_pay.ipynb")
    report = (FOLDER.parent / "benchmarks/results/graphsam/report.md").read_text(encoding="utf-8")
    table = report.split("## Published scores\n\n")[1].split("\n\n")[0]
    shown = [
        output.get("data", {}).get("text/markdown", "") for cell in code_cells(notebook) for output in cell.outputs
    ]
    assert table in shown
    sentence = "mean is at most one published standard deviation worse than the published mean"
    text = " ".join(" ".join(cell.source for cell in notebook.cells).replace("*", "").split())
    assert sentence in report
    assert sentence in text


def test_numbers_of_papers_code_and_versions_are_not_results():
    cell = nbformat.v4.new_markdown_cell("It is 0.93 ([arXiv 2406.13137](https://x.y/2406.1)), not `0.5`, −0.6 % less.")
    assert NUMBER.findall(prose(cell)) == ["0.93", "0.6"]
    assert not NUMBER.findall("version 2.13.0")


def test_files_are_as_the_executor_writes_them():
    for path in NOTEBOOKS:
        assert path.read_text(encoding="utf-8") == nbformat.writes(read(path)) + "\n"


def test_the_picture_of_the_readme_is_the_notebooks():
    shown = map(base64.b64decode, pictures(read(FOLDER / "02_sharpness_aware_family.ipynb")))
    assert (FOLDER.parent / "docs" / "landscape.png").read_bytes() in list(shown)
