"""The floors of the house: imports only go downward."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

FLOORS = {
    "featurizers": 0,
    "optim": 0,
    "zoo.registry": 0,
    "zoo.process": 0,
    "zoo.layers": 1,
    "zoo.data": 1,
    "zoo.models": 2,
    "zoo.catalog": 3,
    "zoo.recipe": 3,
    "zoo.options": 3,
    "zoo.losses": 4,
    "zoo.metrics": 4,
    "zoo.checkpoint": 4,
    "zoo.plugins": 4,
    "zoo.recipes": 4,
    "zoo.distributed": 4,
    "zoo.history": 5,
    "zoo.closures": 5,
    "zoo.evaluation": 5,
    "zoo.callbacks": 5,
    "zoo.plots": 5,
    "zoo.training": 6,
    "zoo.sharpness": 6,
    "zoo.drawings": 6,
    "zoo.predictor": 6,
    "zoo.parts": 5,
    "zoo.learner": 7,
    "zoo.baseline": 7,
    "zoo.boards": 7,
    "zoo.factory": 8,
    "zoo.browse": 9,
    "zoo.experiment": 9,
    "zoo.inference": 9,
    "zoo.experiments": 10,
    "zoo.commands": 11,
    "zoo.cli": 12,
    "zoo.__main__": 13,
}
FILES = sorted(p for package in ("featurizers", "optim", "zoo") for p in (ROOT / package).rglob("*.py"))


def room_of(module: str) -> str | None:
    """The room a module lives in, or None for a module that is not ours."""
    parts = module.split(".")
    return next((r for r in (".".join(parts[:n]) for n in (2, 1)) if r in FLOORS), None)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports, those for the type checker apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    found = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_go_downward(path: Path) -> None:
    here = module_name(path)
    if here == "zoo":
        return
    room = room_of(here)
    assert room is not None, f"{here} is on no floor: add it to FLOORS and to CONTRIBUTING.md"
    for imported in imports_of(path):
        other = room_of(imported)
        if other is not None and other != room:
            assert FLOORS[other] < FLOORS[room], f"{here} imports {imported}, which is not below it"


def test_contributing_lists_the_floors() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    missing = [room for room in FLOORS if f"`{room}`" not in text]
    assert not missing


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import optim", ("dgl", "rdkit", "zoo", "featurizers", "numpy.testing")),
        ("import zoo", ("dgl", "torch", "rdkit", "sklearn")),
        ("import zoo.cli", ("dgl", "torch", "rdkit", "jsonargparse")),
    ],
)
def test_imports_stay_light(statement: str, absent: tuple[str, ...]) -> None:
    code = f"import sys; {statement}; print(','.join(m for m in {absent!r} if m in sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert printed.stdout.strip() == ""
