"""Pre-trained encoders that the package ships, and the folder that a name stands for."""

from __future__ import annotations

import os
from pathlib import Path

from zoo.registry.catalog import WEIGHTS

GROVER_CHEMBL_30K = Path(__file__).parent / "shipped" / "grover_chembl_30k"


def locate_checkpoint(name: str | os.PathLike[str]) -> Path:
    """Return the folder of a pre-trained encoder for its name, for everything else the absolute path.

    A folder of that name in the working directory goes before the catalog.
    """
    path = Path(name).absolute()  # "." has no name, and a checkpoint that is being replaced waits under a name
    if os.fspath(name) in WEIGHTS and not path.exists():
        return Path(WEIGHTS[os.fspath(name)].resolve())
    return path
