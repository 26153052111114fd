"""The zoo where DGL is not installed: the same numbers on `TensorGraph`s."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import zoo
from featurizers.backend import dgl
from zoo.registry.catalog import MODELS

ROOT = Path(zoo.__file__).resolve().parents[1]
SMILES = ["CCO", "C", "c1ccccc1C(=O)N", "CC(C)[C@H](N)C(=O)O.Cl"]
LARGE = ("grover_base", "grover_large", "graphormer_base")
NAMES = [entry.name for entry in MODELS if entry.facts["featurizer"] != "fingerprint" and entry.name not in LARGE]
BLOCKED = f"""
import json, sys
sys.modules["dgl"] = sys.modules["dgllife"] = None
import zoo
learners = {{name: zoo.build(name) for name in {NAMES}}}
assert zoo.backend() == "torch"
try:
    zoo.build("gcn").featurizer("C").to_dgl()
except ImportError as error:
    assert "pip install 'dgl>=1.1.3,<2'" in str(error), error
print(json.dumps({{name: learner.predict({SMILES}).tolist() for name, learner in learners.items()}}))
"""


@pytest.fixture(scope="module")
def without_dgl() -> dict[str, list[list[float]]]:
    done = subprocess.run([sys.executable, "-c", BLOCKED], capture_output=True, text=True, check=True, cwd=ROOT)
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", NAMES)
def test_predictions_equal_those_with_dgl(name: str, without_dgl: dict[str, list[list[float]]]) -> None:
    np.testing.assert_allclose(without_dgl[name], zoo.build(name).predict(SMILES), rtol=1e-5, atol=1e-6)


def test_the_backend_is_named() -> None:
    assert zoo.backend() == ("torch" if dgl is None else f"dgl {dgl.__version__}")
