"""SMILES to graphs: pure functions of one molecule, without parameters, labels or randomness."""

import ast
from importlib import import_module
from pathlib import Path
from typing import Any

# The same as `lazy_loader.attach_stub`, without which `molzoo_runner` does where only RDKit and NumPy are installed.
_places: dict[str, str] = {
    alias.asname: str(node.module)
    for node in ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8")).body
    if isinstance(node, ast.ImportFrom)
    for alias in node.names
    if alias.asname
}
__all__ = sorted(_places)


def __getattr__(name: str) -> Any:
    """Import what the stub `__init__.pyi` names, at its first use."""
    if name not in _places:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_places[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
