"""The README is true: its Python runs, its commands exist, its links lead somewhere."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

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
    (Path.cwd() / "molecules.csv").write_text("name,smiles\na,CCO\nb,c1ccccc1\n")
    ran = 0
    for command in COMMANDS:
        program, *arguments = shlex.split(command)
        if program == "molzoo":
            cli.main(arguments)
            ran += 1
    assert ran >= 6
    assert (Path.cwd() / "predicted.csv").read_text().startswith("name,smiles,predicted_bbb,class_bbb,reason")


def test_tables_are_those_of_the_catalog_and_the_results():
    spec = importlib.util.spec_from_file_location("readme_tables", ROOT / "benchmarks" / "readme_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.fill_tables(TEXT) == TEXT, "run: python benchmarks/readme_tables.py --write"


def test_make_targets_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in COMMANDS:
        if command.startswith("make "):
            assert f"\n{command.split()[1]}:" in makefile


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)#]+)\)", TEXT):
        if not target.startswith("http"):
            assert (ROOT / target).exists(), target
