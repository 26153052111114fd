"""`import zoo` and the command line stay light: heavy packages wait for their first use."""

import subprocess
import sys
from pathlib import Path

import pytest

import zoo

ROOT = Path(__file__).resolve().parents[1]
FEATURIZERS = ("CanonicalFeaturizer", "ComptFeaturizer", "GroverFeaturizer", "MATFeaturizer", "StructuralFeaturizer")
UNUSED_BY_PREDICTION = ("dgl", "sklearn", "scipy", "matplotlib", "tensorboard", "rdkit.Chem.AllChem", "torch._dynamo")


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import optim", ("dgl", "rdkit", "zoo", "featurizers", "numpy.testing")),
        ("import zoo", ("dgl", "torch", "rdkit", "sklearn")),
        ("import zoo.commands.main", ("dgl", "torch", "rdkit", "jsonargparse")),
        ("import featurizers; [getattr(featurizers, name) for name in FEATURIZERS]", ("dgl", "torch", "pandas", "zoo")),
        ("import zoo.data.packing.encoding", ("dgl", "torch", "pandas", "sklearn")),
        ("import zoo.learners.loading", ("dgl", "sklearn", "scipy", "matplotlib", "tensorboard")),
    ],
)
def test_imports_stay_light(statement: str, absent: tuple[str, ...]) -> None:
    loaded = f"','.join(m for m in {absent!r} if m in sys.modules)"
    code = f"import sys; FEATURIZERS = {FEATURIZERS}; {statement}; print({loaded})"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert printed.stdout.strip() == ""


def test_prediction_of_a_file_stays_light(tmp_path: Path) -> None:
    zoo.build("dmpnn", model_args={"hidden_size": 8}).save(tmp_path / "run")
    (tmp_path / "one.csv").write_text("smiles\nCCO\n", encoding="utf-8")
    arguments = ["predict", str(tmp_path / "run"), str(tmp_path / "one.csv"), "--output", str(tmp_path / "found.csv")]
    code = f"""
import sys
from zoo.commands.main import main
main({arguments})
print("found", *(name for name in {UNUSED_BY_PREDICTION} if name in sys.modules), file=sys.stderr)
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert printed.stderr.split("\n")[-2].strip() == "found"
