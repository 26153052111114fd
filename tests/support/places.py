"""Where things are: this checkout, and the folder of large inputs that may lie beside it."""

import os
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent
SHARED = ROOT.parent / "shared"
FIXTURES = Path(os.environ.get("MOLZOO_FIXTURES", SHARED / "fixtures"))
"""What published implementations compute, in full; extracts are in `tests/`."""
CASES = Path(os.environ.get("MOLZOO_CASES", SHARED / "cases"))
"""Inputs of public bug reports."""
MOLECULENET = Path(os.environ.get("MOLZOO_DATA", SHARED / "data" / "moleculenet"))
