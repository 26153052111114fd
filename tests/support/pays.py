"""docs/does_it_pay.md and the files that it is compared with."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAYS = ROOT / "benchmarks" / "pays"
PAGE = (ROOT / "docs" / "does_it_pay.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
