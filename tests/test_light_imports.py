"""`import zoo` and the command line stay light: heavy packages wait for their first use."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import optim", ("dgl", "rdkit", "zoo", "featurizers", "numpy.testing")),
        ("import zoo", ("dgl", "torch", "rdkit", "sklearn")),
        ("import zoo.commands.main", ("dgl", "torch", "rdkit", "jsonargparse")),
    ],
)
def test_imports_stay_light(statement: str, absent: tuple[str, ...]) -> None:
    code = f"import sys; {statement}; print(','.join(m for m in {absent!r} if m in sys.modules))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert printed.stdout.strip() == ""
