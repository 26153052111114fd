"""The README is true: its Python runs, its commands exist, its links lead somewhere."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from support.scripts import load_script

import zoo
from zoo.commands import main as cli

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMMANDS = [
    line.split("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]


@pytest.mark.parametrize("code", PYTHON, ids=lambda code: code.strip().splitlines()[-1][:40])
def test_python_runs(code, short):
    with zoo.catalog.MODELS.restored():
        exec(compile(code, "README.md", "exec"), {"__name__": "readme"})


def test_commands_run_in_this_order(short, capsys):
    lines = (ROOT / "docs" / "examples" / "logbb.csv").read_text(encoding="utf-8").splitlines()
    Path("logbb.csv").write_text("\n".join([lines[0], *lines[1::9]]) + "\n", encoding="utf-8")
    shutil.copy(ROOT / "docs" / "examples" / "new.csv", "new.csv")
    ran = 0
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        if program == "molzoo":
            cli.main(arguments)
            ran += 1
    assert ran >= 5
    header, *rows = (Path.cwd() / "predicted.csv").read_text().splitlines()
    assert header.startswith("name,smiles,predicted_logBB,sd_logBB,lower_logBB,upper_logBB,in_domain")
    assert [row.endswith("not a SMILES (syntax error)") for row in rows] == [False] * 5 + [True]


def test_tables_are_those_of_the_catalog_and_the_results():
    module = load_script(ROOT / "benchmarks" / "readme_tables.py")
    for page in module.PAGES:
        text = page.read_text(encoding="utf-8")
        assert module.fill_tables(text) == text, "run: python benchmarks/readme_tables.py --write"
        assert "<!-- " in text


def test_every_model_and_optimizer_is_named():
    names = [*zoo.list_models(), *zoo.list_optimizers()]
    assert [name for name in names if f"`{name}`" not in TEXT] == []


def test_it_is_short():
    assert len(TEXT.splitlines()) < 150


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in COMMANDS:
        if command.startswith("make "):
            assert f"\n{command.split()[1]}:" in makefile


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
