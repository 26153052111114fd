"""The table of docs/export.md is that of the results, and the results keep what the page promises."""

import json
import runpy

import pytest
from support.places import ROOT

from zoo.registry.catalog.models import MODELS

RESULTS = ROOT / "benchmarks" / "results" / "exporting.jsonl"


@pytest.fixture(scope="module")
def lines():
    return [json.loads(line) for line in RESULTS.read_text(encoding="utf-8").splitlines()]


def test_the_table_is_that_of_the_results(lines):
    table = runpy.run_path(str(ROOT / "benchmarks" / "exporting.py"))["format_table"](lines)
    assert table in (ROOT / "docs" / "export.md").read_text(encoding="utf-8")


def test_results_keep_what_the_page_promises(lines):
    measured = [line for line in lines if "why_not" not in line]
    assert {line["model"] for line in lines} <= set(MODELS.names())
    assert {"gcn", "dmpnn", "gin", "gt", "gps", "grover"} <= {line["model"] for line in measured}
    for line in measured:
        assert line["molecules"] >= 2000
        assert line["same_gaps"]
        assert line["largest_difference"] < 1e-5
        assert line["start_processor_s"] < 2
        assert line["resident_mb"] < 400
        assert line["imported"] == []
