"""The lazy doors: every name in a stub resolves, importing is quiet, and the environment stays as it was."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

import zoo

ROOT = Path(zoo.__file__).resolve().parents[1]
STUBS = sorted(path for room in ("zoo", "featurizers") for path in (ROOT / room).rglob("__init__.pyi"))


def names_in(stub: Path) -> list[str]:
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    return [alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names]


@pytest.mark.parametrize("stub", STUBS, ids=lambda path: str(path.parent.relative_to(ROOT)))
def test_every_name_of_a_stub_resolves(stub: Path) -> None:
    package = importlib.import_module(".".join(stub.parent.relative_to(ROOT).parts))
    assert sorted(names_in(stub)) == sorted(package.__all__)
    for name in names_in(stub):
        assert getattr(package, name) is not None


def run(code: str, **environment: str) -> str:
    allowed = {name: value for name, value in os.environ.items() if name not in ("DGLBACKEND", "GOMP_SPINCOUNT")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**allowed, **environment},
    )
    return done.stdout + done.stderr


def test_importing_prints_nothing_and_sets_no_variable() -> None:
    code = "import os; before = dict(os.environ); import zoo; zoo.build; assert dict(os.environ) == before"
    assert run(code) == ""


def test_a_home_that_cannot_be_written_is_no_trouble(tmp_path: Path) -> None:
    code = "import os; before = dict(os.environ); import featurizers.backend; assert dict(os.environ) == before"
    assert run(code, HOME="/dev/null/home") == ""
    assert run(code, HOME=str(tmp_path)) == ""
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert zoo.__version__ == version("molzoo")
