"""docs/does_it_pay.md: its tables and the numbers of its text are those of the result files."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from support.pays import PAGE, PAYS, RESULTS, ROOT, TEXT
from support.scripts import load_script

from zoo.experiments import Sweep
from zoo.experiments.report.report import Report
from zoo.recipe import presets

LARGEST = 1_000_000
CONFIRMING = ("stage_e", "stage_e_grover", "stage_f", "baselines", "compt_size")
"""Specifications that may have the seeds with which nothing is chosen."""


@pytest.fixture(scope="module")
def page():
    return load_script(PAYS / "page.py")


def test_the_tables_are_those_of_the_results(page):
    assert page.filled(PAGE) == PAGE, "run `python benchmarks/pays/page.py --write`"


def test_every_table_with_results_is_on_the_page(page):
    assert set(page.tables()) == set(re.findall(r"<!-- (?!end)([\w ]+) -->", PAGE))


def test_the_first_experiment():
    verdict = Report.read(RESULTS / "graphsam").verdict
    row = next(verdict.test.itertuples())
    assert f"over {row.n} pairs of runs within {row.sets} data sets and models" in TEXT


def test_what_the_text_says_of_the_directions():
    cosines = pd.read_csv(RESULTS / "pays" / "a" / "cosines.csv").pivot(index="dataset", columns="rule")
    carried, last = (cosines["cosine"][f"graphsam, beta {beta}"] for beta in ("0.99", "0"))
    downhill = ["esol", "lipophilicity", "bbbp"]
    assert (carried[downhill] < -0.2).all()
    assert (cosines["rise"]["graphsam, beta 0.99"][downhill] < 0).all()
    assert (carried.drop(downhill).abs() < 0.1).all()
    assert (last > 0.1).all()
    assert len(last) == 5
    assert (cosines["rise"]["graphsam, beta 0"] > 0).all()
    assert (carried - cosines["cosine"]["graphsam_paper, beta 0.99"]).abs().max() < 0.02


def test_the_factor_between_the_radii(page):
    rises = pd.read_csv(RESULTS / "pays" / "a" / "rises.csv")
    radii = [page.radius_of(block.set_index("rho")["rise"], page.TARGET) for _, block in rises.groupby("dataset")]
    assert f"differs by a factor of {max(radii) / min(radii):.0f} between" in TEXT


def test_what_the_text_says_of_stage_b():
    report = Report.read(RESULTS / "pays" / "b")
    valid = report.summary.pivot(index="dataset", columns="model", values="valid")
    assert list(valid.index) == ["bbbp", "sider"]
    assert (valid.idxmax(axis=1) == "compt").all()
    (average,) = report.verdict.averages.itertuples()
    assert -1 < average.low < average.mean < average.high < 0
    assert average.n == 18


def test_what_the_text_says_of_stage_c():
    report = Report.read(RESULTS / "pays" / "c")
    verdict = report.verdict
    assert len(report.finished) == len(report.plan)
    test, valid, timed = (table.set_index("optimizer") for table in (verdict.test, verdict.valid, verdict.timed))
    assert verdict.answer == "open"
    assert verdict.rule == "sam_1"
    assert (valid["mean"] < 0).all()
    assert valid["high"]["sam_1"] < 1.5
    assert valid["mean"]["sam_1"] > valid["mean"]["sam_3"] > valid["mean"]["sam_10"]
    assert (timed["high"] < 0).all()
    assert all(1.9 < ratio < 2.1 for name, ratio in verdict.times.items() if name != "adam")
    assert test["high"]["sam_10"] < 0


def test_what_the_text_says_of_the_sets_of_stage_c():
    runs = Report.read(RESULTS / "pays" / "c").finished
    runs["loss"] = [history[-1]["loss"] for history in runs["history"]]
    losses = runs[runs["optimizer"] == "adam"].groupby("dataset")["loss"].mean()
    assert "training loss {bbbp:.3f} at the end, {sider:.3f} on SIDER and {tox21:.3f} on Tox21".format(**losses) in TEXT
    scores = runs.pivot(index=["dataset", "seed"], columns="optimizer", values="valid")
    gains = 100 * (scores.drop(columns="adam").div(scores["adam"], axis=0) - 1)
    means = gains.groupby("dataset").mean()
    assert ((means.loc["bbbp"] > 0) & (means.loc["bbbp"] < 1)).all()
    assert (means.drop("bbbp").min(axis=1) < 0).all()
    assert (gains.loc["tox21"] < 0).all(axis=None)
    assert means["sam_10"][["sider", "tox21"]].between(-13, -9).all()


def test_what_the_text_says_of_stage_d():
    report = Report.read(RESULTS / "pays" / "d")
    verdict, runs = report.verdict, report.finished
    assert len(runs) == len(report.plan)
    assert verdict.answer == "open"
    for table in (verdict.test, verdict.valid):
        assert ((table["low"] < 0) & (table["high"] > 0)).all()
    valid = verdict.valid.set_index("optimizer")["mean"]
    assert f"ahead by {valid['graphsam_paper']:.2f} % and β = 0 at 3 % by {valid['graphsam_3']:.2f} %" in TEXT
    assert (valid.idxmax(), valid.idxmin()) == ("graphsam_paper", "graphsam_1")
    test = verdict.test.set_index("optimizer")["mean"]
    assert test.idxmax() == "graphsam_1"
    assert f"test parts, +{test['graphsam_1']:.2f} % of β = 0 at 1 %" in TEXT
    assert all(0.97 <= ratio <= 1.03 for name, ratio in verdict.times.items() if name.startswith("graphsam"))
    for quantity in ("cosine", "rise"):
        records = [[epoch.get(f"ascent_{quantity}") for epoch in history] for history in runs["history"]]
        runs[quantity] = [pd.Series(record, dtype=float).mean() for record in records]
    means = runs.groupby("optimizer")[["cosine", "rise"]].mean()
    assert "cosine of {graphsam_1:.2f} at a rise of 1 % and {graphsam_3:.2f} at 3 %".format(**means["cosine"]) in TEXT
    assert f"published rule does not ({means['cosine']['graphsam_paper']:.2f})" in TEXT
    assert 0.15 < means["rise"]["graphsam_1"] / 0.01 < 0.25
    assert 0.15 < means["rise"]["graphsam_3"] / 0.03 < 0.25


def test_what_the_text_says_of_learning_by_heart():
    learned = pd.read_csv(RESULTS / "pays" / "a" / "by_heart.csv").pivot(
        index="model", columns="setting", values="learned"
    )
    never = (learned == 0).sum()
    unbounded, bounded = (never[name] for name in ("beta 0, rise 3 %", "max_rho 0.1"))
    words = (
        f"of the {len(learned)} small models of the catalog, {unbounded} then never learn sixteen molecules by heart"
    )
    assert f"{words}, and {bounded} with a bound of 0.1" in TEXT
    assert never["as published"] == 0


def test_every_rule_of_the_stages_has_words_in_the_figure(page):
    for stage in page.STAGES:
        assert set(Report.read(RESULTS / "pays" / stage).verdict.test["optimizer"]) <= set(page.LABELS)
    assert (RESULTS / "pays" / "rules.png").stat().st_size > 10_000


def test_what_the_text_says_of_stage_f():
    report = Report.read(RESULTS / "pays" / "f")
    verdict, runs = report.verdict, report.finished
    assert len(runs) == len(report.plan) == 3 * 5 * 6
    assert runs["machine"].map(str).nunique() == 1
    test = verdict.test.set_index("optimizer")
    assert (test["high"][["graphsam_paper", "graphsam_released", "graphsam", "adam_constant"]] < 1.5).all()
    published = test.loc["graphsam_paper"]
    for words in (
        f"differs from Adam by {published['mean']:+.2f} % on the test parts",
        f"the interval ({published['low']:+.2f} to {published['high']:+.2f} %)",
        f"a constant learning rate moves the test score by {test['mean']['adam_constant']:+.2f} %",
        f"the squared loss lowers it by {-test['mean']['adam_squared']:.2f} %",
    ):
        assert words.replace("(-", "(−") in TEXT


def test_what_the_text_says_of_trees_and_descriptors(page):
    table = page.baselines_table()
    found = {row[0].text: dict(zip(table.header, (cell.text for cell in row), strict=True)) for row in table.rows}
    assert set(found) == {"esol", "bbbp", "clintox"}
    esol, bbbp = found["esol"], found["bbbp"]
    means = {name: value.split()[0] for name, value in esol.items()}
    assert f"ESOL ({means['boosting_descriptors']} against {means['compt']})" in TEXT
    means = {name: value.split()[0] for name, value in bbbp.items()}
    assert f"BBBP ({means['forest_descriptors']} against {means['compt']})" in TEXT
    for dataset, scores in found.items():
        with_descriptors, without = (float(scores[name].split()[0]) for name in ("compt_descriptors", "compt"))
        assert (with_descriptors > without) == (dataset == "esol")  # an error there


def test_what_the_text_says_of_the_recipe_of_dmpnn(page):
    runs = Report.read(RESULTS / "pays" / "recipes_dmpnn").finished
    assert len(runs) == 3 * 3 * 5
    found = page.recipe_differences("dmpnn").set_index("optimizer")
    assert list(found.index[(found["low"] > 0) | (found["high"] < 0)]) == ["adam, descriptors"]
    best = found.loc["adam, descriptors"]
    assert f"by {best['mean']:+.2f} % ({best['low']:+.2f} to {best['high']:+.2f} %), most on ESOL" in TEXT
    valid = runs[runs["optimizer"] == "adam"].groupby(["dataset", "model"])["valid"].mean().unstack()
    gains = valid["dmpnn_descriptors"] / valid["dmpnn"] - 1
    gains["esol"] *= -1
    assert (gains > 0).all()
    assert gains.idxmax() == "esol"
    chosen, tried = presets.find("dmpnn-descriptors"), Sweep.read(PAYS / "recipes_dmpnn.yaml")
    assert chosen.featurizer_args == tried.models["dmpnn_descriptors"].featurizer_args
    assert not presets.find("dmpnn-adam").featurizer_args


def test_what_the_text_says_of_the_recipes_of_grover(page):
    assert len(Report.read(RESULTS / "pays" / "recipes_grover").finished) == 3 * 3 * 4
    found = page.recipe_differences("grover").set_index("optimizer")
    assert list(found.index[(found["low"] > 0) | (found["high"] < 0)]) == ["graphsam"]
    worse = found.loc["graphsam"]
    words = f"With β = 0 it is worse in {worse['n'] - worse['better']:.0f} of {worse['n']:.0f} pairs"
    words += f", by {-worse['mean']:.2f} %"
    assert f"{words} ({-worse['high']:.2f} to {-worse['low']:.2f} %)" in TEXT
    assert found["better"]["adam, dropout"] == 0
    published = presets.find("grover-graphsam").optimizer_args
    assert published == {"lr": 0.001, **Sweep.read(PAYS / "recipes_grover.yaml").optimizers["graphsam_paper"].args}
    assert not presets.find("grover-adam").training.average


def test_the_recipe_of_compt_has_the_setting_that_the_stages_prefer():
    chosen = Sweep.read(PAYS / "stage_e.yaml").optimizers["graphsam"].args
    assert presets.find("compt-graphsam").optimizer_args == {"lr": 0.001, **chosen, "max_rho": 0.2}


def test_radii_are_interpolated_between_logarithms(page):
    rise = pd.Series({0.001: 0.01, 0.1: 0.1})
    assert page.radius_of(rise, 0.1**1.5) == pytest.approx(0.01)
    assert page.radius_of(rise, 5.0) == pytest.approx(0.1)


@pytest.mark.parametrize("path", sorted(PAYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_specifications_are_complete(path):
    sweep = Sweep.read(path)
    assert sweep.runs()
    assert "Stop rule" in sweep.text or "stop rule" in sweep.text
    seeds = set(sweep.seeds)
    fresh = set(range(10))
    assert seeds <= fresh if path.stem in CONFIRMING else not seeds & fresh


@pytest.mark.parametrize("name", re.findall(r"`(tests/[\w/.:]+)`", PAGE))
def test_named_tests_exist(name):
    path, _, test = name.partition("::")
    assert f"def {test}" in (ROOT / path).read_text(encoding="utf-8")


def test_result_files_are_small():
    assert all(path.stat().st_size < LARGEST for path in (RESULTS / "pays").rglob("*") if path.is_file())
