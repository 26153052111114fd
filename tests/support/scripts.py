"""Scripts of this checkout that are no part of a package, loaded as modules."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from unittest.mock import patch


def load_script(path: Path) -> ModuleType:
    """Run a script's definitions and return them; as at a start by hand, it may import those next to it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    with patch.object(sys, "path", [str(path.parent), *sys.path]):
        spec.loader.exec_module(module)
    return module
