"""What many tests share: a small data set, a small model, and where the big fixtures are.

With `MOLZOO_BLOCK_DGL=1` the tests run as where DGL is not installed; those that compare with it are skipped.
"""

import os
import runpy
from pathlib import Path

if os.environ.get("MOLZOO_BLOCK_DGL"):  # before anything imports it; processes that tests start do it by themselves
    blocked = Path(__file__).parent / "support" / "without_dgl"
    runpy.run_path(str(blocked / "sitecustomize.py"))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(blocked), *filter(None, [os.environ.get("PYTHONPATH")])])

import pytest
from support.places import MOLECULENET

import zoo

SMALL_GROVER = {"hidden_size": 16, "num_layers": 2, "num_heads": 2}


@pytest.fixture(scope="session")
def b3db():
    return zoo.data.load("b3db")


@pytest.fixture(scope="session")
def small(b3db):
    """156 molecules of B3DB."""
    return b3db.subset(range(0, len(b3db), 50))


@pytest.fixture
def grover():
    """Builds a small GROVER; arguments as for `zoo.build`."""

    def build(**options):
        options.setdefault("model_args", SMALL_GROVER)
        return zoo.build("grover", **options)

    return build


@pytest.fixture(scope="session")
def moleculenet() -> Path:
    """Folder with MoleculeNet's files; `MOLZOO_DATA` names another."""
    if not (MOLECULENET / "delaney-processed.csv").exists():
        pytest.skip(f"MoleculeNet's files are not in {MOLECULENET.name}: set MOLZOO_DATA to their folder")
    return MOLECULENET
