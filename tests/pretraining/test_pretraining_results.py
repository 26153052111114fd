"""docs/pretraining.md: its table and the numbers of its text are those of the result files."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from support.scripts import load_script

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "pretraining"
PAGE = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())


@pytest.fixture(scope="module")
def script():
    return load_script(ROOT / "benchmarks" / "pretraining.py")


@pytest.fixture(scope="module")
def runs():
    return pd.read_csv(RESULTS / "runs.csv")


def pairs_better(script, runs, arm, other, share=1.0):
    """In how many of how many pairs an arm is better than another one, over all sets; and its mean gain on each."""
    part = runs[runs["share"] == share]
    found = {name: script.gains(part[part["dataset"] == name], arm, other) for name in script.DATASETS}
    better = sum(int((gain > 0).sum()) for gain in found.values())
    return f"{better} of {sum(map(len, found.values()))}", {name: gain.mean() for name, gain in found.items()}


def test_the_table_is_that_of_the_results(script):
    table = "\n".join(script.draw_table(RESULTS))
    assert f"<!-- table -->\n{table}\n<!-- end -->" in PAGE
    assert (RESULTS / "table.md").read_text(encoding="utf-8") == table + "\n"


def test_every_run_is_there_once(script, runs):
    assert not runs.duplicated(["dataset", "share", "arm", "seed"]).any()
    seeds = runs.groupby(["dataset", "share", "arm"])["seed"].nunique()
    assert (seeds == 5).all()
    assert len(seeds) == len(script.DATASETS) * (2 * len(script.SHARES) + 2)


def test_what_the_text_says_of_the_arms(script, runs):
    better, gains = pairs_better(script, runs, "pre-trained", "scratch")
    assert f"the pre-trained encoder is better in {better} pairs" in TEXT
    by = "by {bbbp:.3f} of ROC-AUC on BBBP, by {esol:.3f} log units of RMSE on ESOL, by {bace:.3f} on BACE"
    assert by.format(**gains) in TEXT
    for share, words in ((0.3, "it is better in {}"), (0.1, "on 10 % in {}")):
        assert words.format(pairs_better(script, runs, "pre-trained", "scratch", share)[0]) in TEXT
    for arm, words in (("graphsam", "better than with Adam in {} pairs"), ("sam", "with SAM in {}")):
        assert words.format(pairs_better(script, runs, f"pre-trained, {arm}", "pre-trained")[0]) in TEXT


def test_what_the_text_says_of_speed():
    rows = {row["model"]: row for row in map(json.loads, (RESULTS / "speed.jsonl").read_text().splitlines())}
    small = rows["grover_64_3"]
    assert f"handles {small['molecules_per_second']:.0f} molecules a second" in TEXT
    assert f"{100 * small['share_of_products']:.0f} % of its time" in TEXT
