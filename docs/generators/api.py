"""The Python reference: a page for each package whose `__init__` names what is public."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from collections.abc import Iterator
from typing import Any

from generators.docstrings import show_module
from generators.links import ROOT

DOORS = {
    "zoo": "The zoo",
    "zoo.learners": "Learners",
    "zoo.data": "Data",
    "zoo.recipe": "Recipes",
    "zoo.tasks": "Kinds of target",
    "zoo.training": "Training",
    "zoo.training.callbacks": "Callbacks",
    "zoo.runs": "Runs",
    "zoo.experiments": "Experiments",
    "zoo.trust": "Trust",
    "zoo.inference": "Prediction of files",
    "zoo.pretraining": "Pre-training",
    "zoo.importing": "Weights of other projects",
    "zoo.sharpness": "Sharpness",
    "zoo.sklearn": "scikit-learn",
    "zoo.exporting": "Export",
    "molzoo_runner": "Exported models (molzoo_runner)",
    "zoo.serving": "Serving",
    "zoo.views": "Pictures",
    "zoo.registry": "Registries",
    "optim": "Optimizers (optim)",
    "featurizers": "Featurizers (featurizers)",
}


def make_pages() -> dict[str, str]:
    """Return the pages by their places, the overview first."""
    shown: dict[str, str] = {}
    pages = {f"api/{door}.md": make_page(door, title, shown) for door, title in {**DOORS, **find_others()}.items()}
    lines = ["# Python reference\n", "Everything that is public, package by package. `zoo` is what most programs need; "
             "`optim` needs torch alone, `featurizers` RDKit and NumPy.\n"]  # fmt: skip
    for place in pages:
        door = place.removeprefix("api/").removesuffix(".md")
        lines.append(f"- [`{door}`]({door}.md): {first_line(importlib.import_module(door))}")
    return {"api/index.md": "\n".join([*lines, ""]), **pages}


def find_others() -> dict[str, str]:
    """Return rooms of the zoo that have a door and no title above."""
    rooms = sorted(path.parent.name for path in (ROOT / "zoo").glob("*/__init__.pyi"))
    return {f"zoo.{room}": room.capitalize() for room in rooms if f"zoo.{room}" not in DOORS}


def first_line(found: Any) -> str:
    """Return the first line of a docstring."""
    return (inspect.getdoc(found) or "").partition("\n")[0]


def list_names(door: str) -> list[str]:
    """Return the public names of a package in the order in which it names them."""
    folder = ROOT / door.replace(".", "/")
    stub = folder / "__init__.pyi"
    if not stub.exists():
        return list(importlib.import_module(door).__all__)
    tree = ast.parse(stub.read_text(encoding="utf-8"))
    return [
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    ]


def make_page(door: str, title: str, shown: dict[str, str]) -> str:
    """Return the page of a package.

    Args:
        door: Its name.
        title: Title of the page.
        shown: Where what came before is documented; filled up.
    """
    module = importlib.import_module(door)
    lines = [f"# {title}\n", f"```python\nimport {door}\n```\n", f"{show_module(inspect.getdoc(module) or '')}\n"]
    found = {name: getattr(module, name) for name in list_names(door)}
    elsewhere = [line for name, part in found.items() for line in refer(name, part, shown)]
    lines += ["On other pages: " + ", ".join(elsewhere) + ".\n"] if elsewhere else []
    for name, part in found.items():
        lines += show(door, name, part, shown)
    return "\n".join(lines)


def refer(name: str, found: Any, shown: dict[str, str]) -> Iterator[str]:
    """Yield a link for a public name that another page documents."""
    path = find_path(found)
    if path in shown:
        yield f"[`{shown[path]}.{name}`]({shown[path]}.md#{path})"
    elif isinstance(found, types.ModuleType) and found.__name__ in {**DOORS, **find_others()}:
        yield f"[`{found.__name__}`]({found.__name__}.md)"


def show(door: str, name: str, found: Any, shown: dict[str, str]) -> Iterator[str]:
    """Yield the documentation of a public name, unless another page has it."""
    path = find_path(found)
    if isinstance(found, types.ModuleType):
        if found.__name__ not in {**DOORS, **find_others()}:
            yield f"## {name}\n\nModule `{found.__name__}`: {first_line(found)}\n"
    elif path is None:
        yield f"## {name}\n\nOf type `{type(found).__name__}`.\n"
    elif path not in shown:
        shown[path] = door
        yield f"::: {path}\n    options:\n      heading: {door}.{name}\n      toc_label: {name}\n"
    elif shown[path] == door:
        yield f"## {name}\n\nAnother name of [`{path.rpartition('.')[2]}`](#{path}).\n"


def find_path(found: Any) -> str | None:
    """Return where a class or function is defined, or None."""
    if not (inspect.isclass(found) or inspect.isfunction(found)):
        return None
    return f"{found.__module__}.{found.__qualname__}"
