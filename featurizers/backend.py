"""DGL where it is installed: the only module that imports it.

`dgl` is the package, or `None` where it cannot be imported; graphs are then `TensorGraph`s.
"""

from __future__ import annotations

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any


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


dgl: Any = import_dgl()


def backend() -> str:
    """Return what graphs are made of here: "dgl" with its version, or "torch" where DGL is not installed.

    Numbers are the same with both.

    Example:
        >>> backend().split()[0] in ("dgl", "torch")
        True
    """
    return "torch" if dgl is None else f"dgl {dgl.__version__}"


def require_dgl() -> ModuleType:
    """Return DGL.

    Raises:
        ImportError: It is not installed.
    """
    if dgl is None:
        raise ImportError(
            "DGL is not installed: on Linux or macOS with Python 3.10 or 3.11, pip install 'dgl>=1.1.3,<2'; elsewhere "
            "there are no wheels that work with current torch"
        )
    return dgl


if TYPE_CHECKING or dgl is not None:
    from dgl import DGLError, DGLGraph
else:

    class DGLGraph:
        """Stands for DGL's graph, so that `isinstance` can be asked; nothing is one."""

    class DGLError(Exception):
        """Stands for DGL's error; nothing raises it."""
