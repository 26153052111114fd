"""docs/pretraining.md: its table and the numbers of its text are those of the result files."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "pretraining"
PAGE = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("benchmark_of_pretraining", ROOT / "benchmarks" / "pretraining.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def runs():
    return pd.read_csv(RESULTS / "runs.csv")


def mean_gain(script, runs, arm, other, share=1.0):
    """The mean gain of an arm over another one on each set."""
    part = runs[runs["share"] == share]
    return {name: script.gains(part[part["dataset"] == name], arm, other).mean() for name in script.DATASETS}


def test_the_table_is_that_of_the_results(script):
    table = "\n".join(script.draw_table(RESULTS))
    assert f"<!-- table -->\n{table}\n<!-- end -->" in PAGE
    assert (RESULTS / "table.md").read_text(encoding="utf-8") == table + "\n"


def test_every_run_is_there_once(script, runs):
    assert not runs.duplicated(["dataset", "share", "arm", "seed"]).any()
    seeds = runs.groupby(["dataset", "share", "arm"])["seed"].nunique()
    assert (seeds == 5).all()
    assert len(seeds) == len(script.DATASETS) * (2 * len(script.SHARES) + 2)


def test_what_the_text_says_of_speed():
    rows = {row["model"]: row for row in map(json.loads, (RESULTS / "speed.jsonl").read_text().splitlines())}
    small = rows["grover_64_3"]
    assert f"handles {small['molecules_per_second']:.0f} molecules a second" in TEXT
    assert f"{100 * small['share_of_products']:.0f} % of its time" in TEXT
