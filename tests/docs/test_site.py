"""The site: navigation, links into the repository, notebooks with their outputs."""

from __future__ import annotations

import re

import pytest
import yaml
from generators import links, notebooks, repository
from generators.placeholders import put_back
from support.places import ROOT

DOCS = ROOT / "docs"
CONFIG = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")


def flatten(entry):
    """Return the places of a navigation."""
    if isinstance(entry, list):
        return [place for item in entry for place in flatten(item)]
    return flatten(list(entry.values())) if isinstance(entry, dict) else [entry]


def test_navigation_has_every_page():
    named = flatten(yaml.safe_load(CONFIG)["nav"])
    assert len(named) == len(set(named))
    for page in DOCS.rglob("*.md"):
        place = page.relative_to(DOCS).as_posix()
        assert place in named or f"{place.partition('/')[0]}/" in named or place.startswith("examples/"), place


def test_warnings_are_errors_and_nothing_is_fetched():
    settings = yaml.safe_load(CONFIG)
    for checks in settings["validation"].values():
        assert set(checks.values()) == {"warn"}
    assert "mkdocs build --strict" in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert settings["theme"]["font"] is False
    assert not re.findall(r"https?://", CONFIG)
    assert all((DOCS / place).exists() for place in [*settings["extra"]["polyfills"], *settings["extra_css"]])


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("[a](targets.md#x)", "[a](targets.md#x)"),
        ("[a](../CONTRIBUTING.md#a-model)", "[a](contributing.md#a-model)"),
        ("[a](../notebooks/01_build_and_train.ipynb)", "[a](notebooks/01_build_and_train.md)"),
        ("[a](../benchmarks/models.py)", "[a](repository/benchmarks/models.py.md)"),
        ("[a](../benchmarks/results/models.jsonl)", "[a](repository/benchmarks/results/models.jsonl)"),
        ("[a](../benchmarks/pays)", "[a](repository/benchmarks/pays/index.md)"),
        ("[a](../docs/examples)", "[a](examples/README.md)"),
        ("[a](https://arxiv.org)", "[a](https://arxiv.org)"),
        ("[a](missing.md)", "[a](missing.md)"),
        ("```sh\n[a](../CONTRIBUTING.md)\n```\n", "```sh\n[a](../CONTRIBUTING.md)\n```\n"),
    ],
)
def test_links_lead_into_the_site(link, expected):
    assert links.rewrite(link, DOCS / "page.md", "page.md") == expected
    nested = links.rewrite("[a](../../CHANGELOG.md)", DOCS / "guides" / "page.md", "guides/page.md")
    assert nested == "[a](../changelog.md)"


def test_linked_files_come_along():
    pages = repository.make_pages()
    assert pages["readme.md"].startswith("# molzoo")
    assert pages["contributing.md"].startswith("# Contributing")
    assert pages["repository/benchmarks/results/graphsam/report.md"].startswith("# graphsam")
    for page in DOCS.glob("*.md"):
        for path in links.find_linked(page.read_text(encoding="utf-8"), page):
            place = links.find_place(path)
            assert place in pages or path.suffix == ".ipynb"


def test_results_name_every_script():
    page = repository.describe_results()
    for script in (*(ROOT / "benchmarks").glob("*.py"), *(ROOT / "benchmarks").glob("*.yaml")):
        assert f"(../{script.name})" in page


def test_lists_have_a_blank_line_above():
    assert links.tidy("text:\n- a\n- b\n  more\n- c\n") == "text:\n\n- a\n- b\n  more\n- c\n"
    assert links.tidy("```sh\ntext\n- a\n```\n") == "```sh\ntext\n- a\n```\n"
    assert links.tidy("<!-- setup:\ncode = 1\n-->\n\ntext\n") == "text\n"


def test_notebooks_are_shown_with_their_outputs():
    pages = notebooks.make_pages()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        page = put_back(pages[f"notebooks/{path.stem}.md"])
        pictures = re.findall(r"!\[[^\]]+\]\(([\w.]+\.png)\)", page)
        assert pictures
        assert all(pages[f"notebooks/{name}"].startswith(b"\x89PNG") for name in pictures)
        assert "<table" in page
        assert "<style scoped>" not in page
        assert f"({path.stem}.md)" in pages["notebooks/index.md"]


def test_formulas_of_docstrings_are_mathml():
    docstrings = pytest.importorskip("generators.docstrings", reason="mkdocstrings is not installed")
    text = "Of :math:`x_1`.\n\n.. math::\n    a +\n    b\n\nEnd."
    shown = put_back(docstrings.show_formulas(text))
    assert shown.count("<math") == 2
    assert ":math:" not in shown
    assert ".. math" not in shown
    assert shown.endswith("</div>\n\nEnd.")
    assert "```pycon\n>>> 1\n1\n```" in docstrings.show_module("A module.\n\nExample:\n    >>> 1\n    1")


def test_output_of_a_terminal_is_plain():
    assert notebooks.clean("\x1b[31mred\x1b[0m\n10 %\r100 %\n") == "red\n100 %"
