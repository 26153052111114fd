"""What many tests share: a small data set, a small model, and where the big fixtures are.

With `MOLZOO_BLOCK_DGL=1` the tests run as where DGL is not installed; those that compare with it are skipped.
"""

import functools
import os
import runpy
from pathlib import Path

if os.environ.get("MOLZOO_BLOCK_DGL"):  # before anything imports it; processes that tests start do it by themselves
    blocked = Path(__file__).parent / "support" / "without_dgl"
    runpy.run_path(str(blocked / "sitecustomize.py"))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(blocked), *filter(None, [os.environ.get("PYTHONPATH")])])

import pytest
from support.places import MOLECULENET
from support.short_data import write_short_sets

import zoo
from zoo.data.reading import sources
from zoo.recipe.options import TrainingOptions

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


@pytest.fixture(scope="session")
def short_sets(tmp_path_factory) -> Path:
    """Folder of short files under the names of the known data sets."""
    folder = tmp_path_factory.mktemp("short")
    write_short_sets(folder)
    return folder


@pytest.fixture
def short(monkeypatch, tmp_path, short_sets):
    """Runs in a folder of its own, on short data, for one epoch."""
    initialize = TrainingOptions.__init__

    @functools.wraps(initialize)
    def shortened(self, *arguments, **options):
        initialize(self, *arguments, **{**options, "epochs": 1})

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "EMBEDDED", short_sets)
    monkeypatch.setenv("MOLZOO_DATA", str(short_sets))
    monkeypatch.setattr(TrainingOptions, "__init__", shortened)
    return monkeypatch
