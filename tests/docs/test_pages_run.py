"""The code blocks of the pages run, and no page is left out of the site's navigation."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from support.pages import find_blocks, find_commands, run_page
from support.places import ROOT

from zoo.registry import catalog

DOCS = ROOT / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md"))
ELSEWHERE = {
    "clusters.md": "tests/inference/test_schedulers.py",
    "sharpness_aware.md": "tests/optim/test_optim_docs.py",
    "targets.md": "tests/learners/test_mixed.py",
}
"""Pages whose code another test runs."""


@pytest.fixture
def restored():
    """Registries that forget what a page adds."""
    with ExitStack() as stack:
        for registry in catalog.REGISTRIES.values():
            stack.enter_context(registry.restored())
        yield


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(DOCS)))
def test_blocks_run(page, short, restored):
    if page.name in ELSEWHERE:
        assert page.name in (ROOT / ELSEWHERE[page.name]).read_text(encoding="utf-8")
        return
    run_page(page, short)


def test_a_page_runs_in_order(short, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- setup: start = 2 -->\n"
        '```csv title="folder/made.csv"\nsmiles,y\nCCO,1\n```\n'
        "```python\nread = open('folder/made.csv').read()\n```\n"
        "<!-- not run: it takes a day -->\n```python\nstart = 1 / 0\n```\n"
        "```console\n$ molzoo data list\nb3db\n```\n```sh\npip install nothing\nmolzoo list models  # all\n```\n",
        encoding="utf-8",
    )
    module = run_page(page, short)
    assert (module.start, module.read) == (2, "smiles,y\nCCO,1\n")
    blocks = list(find_blocks(page.read_text(encoding="utf-8")))
    assert [block.line for block in blocks] == [1, 2, 6, 10, 13, 17]
    assert [find_commands(block.code) for block in blocks[-2:]] == [[["data", "list"]], [["list", "models"]]]


def test_faults_of_a_page_are_found(short, tmp_path):
    page = tmp_path / "page.md"
    page.write_text("\n```python\nassert 1 + 1 == 3\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError):
        run_page(page, short)
    for comment in ("", "<!-- not run: it takes a day -->\n"):
        page.write_text(f"{comment}```sh\nmolzoo train --epoch 3\n```\n", encoding="utf-8")
        with pytest.raises((SystemExit, pytest.fail.Exception)):
            run_page(page, short)
    assert not Path("runs").exists()
