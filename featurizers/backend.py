"""DGL where it is installed and needed: the only module that imports it.

`dgl` is the package, or `None` where it cannot be imported; graphs are then `TensorGraph`s. It takes almost a second to
import and is imported when the first of its graphs is made, so `dgl`, `DGLGraph` and `DGLError` are attributes that
are found when something asks for them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dgl import DGLGraph
    from typing_extensions import TypeIs

    dgl: Any

_tensors_chosen: ContextVar[bool] = ContextVar("tensors_chosen", default=False)


@cache
def import_dgl() -> ModuleType | None:
    """Import DGL without the lines that it prints and the settings file that it writes where no backend is chosen."""
    chosen = os.environ.get("DGLBACKEND")
    os.environ["DGLBACKEND"] = chosen or "pytorch"
    try:
        import dgl
    except ImportError:
        return None
    finally:
        if chosen is None:
            del os.environ["DGLBACKEND"]
    return dgl


@contextmanager
def tensor_graphs(chosen: bool = True) -> Iterator[None]:
    """Make `TensorGraph`s in the block, even where DGL is installed, which then need not be imported.

    Args:
        chosen: Whether to do so; `False` leaves it as it is outside.

    Example:
        >>> from featurizers import CanonicalFeaturizer
        >>> with tensor_graphs():
        ...     type(CanonicalFeaturizer()("CCO").graph).__name__
        'TensorGraph'
    """
    token = _tensors_chosen.set(chosen or _tensors_chosen.get())
    try:
        yield
    finally:
        _tensors_chosen.reset(token)


def dgl_for_graphs() -> Any:
    """Return DGL where new graphs are to be its own; `None` where they are `TensorGraph`s."""
    return None if _tensors_chosen.get() else import_dgl()


def is_dgl_graph(graph: object) -> TypeIs[DGLGraph]:
    """Return whether this is a DGLGraph; nothing is one before DGL was imported."""
    loaded = sys.modules.get("dgl")
    return loaded is not None and isinstance(graph, loaded.DGLGraph)


def backend() -> str:
    """Return what graphs are made of here: "dgl" with its version, or "torch" where DGL is not installed.

    Numbers are the same with both.

    Example:
        >>> backend().split()[0] in ("dgl", "torch")
        True
    """
    package = import_dgl()
    return "torch" if package is None else f"dgl {package.__version__}"


def require_dgl() -> ModuleType:
    """Return DGL.

    Raises:
        ImportError: It is not installed.
    """
    package = import_dgl()
    if package is None:
        raise ImportError(
            "DGL is not installed: on Linux or macOS with Python 3.10 or 3.11, pip install 'dgl>=1.1.3,<2'; elsewhere "
            "there are no wheels that work with current torch"
        )
    return package


class _NoDGLError(Exception):
    """Stands for DGL's error; nothing raises it."""


class _NoDGLGraph:
    """Stands for DGL's graph, so that `isinstance` can be asked; nothing is one."""


def __getattr__(name: str) -> Any:
    """Find `dgl`, `DGLGraph` and `DGLError`."""
    if name == "dgl":
        return import_dgl()
    if name in ("DGLGraph", "DGLError"):
        package = import_dgl()
        return getattr(package, name) if package else {"DGLGraph": _NoDGLGraph, "DGLError": _NoDGLError}[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
