"""docs/does_it_pay.md: its tables and the numbers of its text are those of the result files."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from support.scripts import load_script

from zoo.experiments import Sweep
from zoo.experiments.report import pooling
from zoo.experiments.report.report import Report
from zoo.recipe import presets

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
PAYS = ROOT / "benchmarks" / "pays"
PAGE = (ROOT / "docs" / "does_it_pay.md").read_text(encoding="utf-8")
TEXT = " ".join(PAGE.split())
LARGEST = 1_000_000
CONFIRMING = ("stage_e", "stage_e_grover", "stage_f", "baselines")
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


def test_what_the_text_says_of_stage_e():
    report = Report.read(RESULTS / "pays" / "e")
    verdict, runs = report.verdict, report.finished
    assert f"{len(runs)} of {len(report.plan)} runs, since two of SAM and three of the forest on Tox21 are" in TEXT
    counts = pd.crosstab(runs["optimizer"], runs["dataset"])
    assert len(report.plan) == 6 * 10 * 6
    assert (counts["tox21"]["sam"], counts["tox21"]["none"]) == (8, 7)
    machines = runs.groupby(["dataset", "seed", "model"])["machine"].agg(lambda found: len(set(map(str, found))))
    assert (machines == 1).all()
    intel = runs[runs["machine"].map(str).str.contains("Intel")]
    assert (set(intel["dataset"]), set(intel["seed"])) == ({"tox21"}, {0, 1, 2, 3, 4})
    test, valid, timed = (table.set_index("optimizer") for table in (verdict.test, verdict.valid, verdict.timed))
    rules = ["graphsam", "graphsam_paper", "sam"]
    assert ((test["low"][rules] < 0) & (test["high"][rules] > 0)).all()
    behind = -test["mean"][rules]
    assert f"behind Adam by {behind.min():.1f} to {behind.max():.1f} %" in TEXT
    assert (timed["mean"][rules] < 0).all()
    assert list(timed.index[timed["high"] < 0]) == ["adam_ema", "sam"]
    assert f"the whole interval is below 0 ({timed['mean']['sam']:.2f} %)".replace("(-", "(−") in TEXT
    assert max(table["high"][rules].max() for table in (test, valid, timed)) < 1.5
    assert all((table["mean"]["graphsam"] > table["mean"]["graphsam_paper"]) for table in (test, valid, timed))


def test_what_the_text_says_of_two_thirds_of_stage_e():
    runs = Report.read(RESULTS / "pays" / "e").finished
    early = runs[(runs["seed"] < 7) & ((runs["dataset"] != "tox21") | (runs["seed"] < 5))]
    assert round(len(early) / 360, 2) == 0.65
    timed = pooling.compare_pairs(early, "adam", pooling.at_equal_time)
    assert (timed["high"] < 0).all()


def shown(row) -> str:
    """A pooled difference and its interval as the text has them."""
    return f"{row.mean:.2f} % ({row.low:+.2f} to {row.high:+.2f} %)".replace("(-", "(−")


def test_what_the_text_says_of_the_average():
    report = Report.read(RESULTS / "pays" / "e")
    verdict = report.verdict
    gain, timed = (
        next(row for row in table.itertuples() if row.optimizer == "adam_ema")
        for table in (verdict.test, verdict.timed)
    )
    assert [row.optimizer for row in verdict.test.itertuples() if row.low > 0] == ["adam_ema"]
    assert f"by {shown(gain)} and in {gain.better} of {gain.n} pairs, for 2 % more time" in TEXT
    assert f"p = {gain.wilcoxon_p:.2g}, before" in TEXT
    assert f"{verdict.times['adam_ema']:.2f}" == "1.02"
    assert f"on the validation parts (−{-timed.mean:.2f} %)" in TEXT
    (best,), (last,) = (table.itertuples() for table in (verdict.averages, verdict.last_averages))
    assert best.high < 0
    assert f"the average is ahead on the same validation parts, by {shown(last)}" in TEXT
    early = Report.read(RESULTS / "pays" / "b").verdict
    (best,), (last,) = (table.itertuples() for table in (early.averages, early.last_averages))
    assert f"−{-best.mean:.2f} % at the best epochs and +{last.mean:.2f} % at the last" in TEXT
    assert f"at the last ({last.low:+.2f} to {last.high:+.2f} %)" in TEXT


def test_what_the_text_says_of_luck_and_of_single_sets():
    blocks = {
        dataset: block for (dataset, model), block in
        Report.read(RESULTS / "pays" / "e").finished.groupby(["dataset", "model"]) if model == "compt"
    }  # fmt: skip
    test, valid = (
        {name: pooling.differences_in_percent(block, "adam_ema", "adam", part) for name, block in blocks.items()}
        for part in (pooling.of_test, pooling.of_validation)
    )
    luck = pooling.pool([test[name] - valid[name] for name in test])
    assert f"the trained weights lose {shown(luck)} more than their average does" in TEXT
    means = {name: values.mean() for name, values in test.items()}
    assert means["esol"] / sum(means.values()) > 0.5
    assert sum(mean > 0 for mean in means.values()) == 5
    rest = pooling.pool([values for name, values in test.items() if name != "esol"])
    words = f"(+{means['esol']:.1f} %; without it +{rest.mean:.2f} %, {rest.low:+.2f} to {rest.high:+.2f} %)"
    assert words.replace(", -", ", −") in TEXT


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


def test_what_the_text_says_of_the_forest():
    scores = Report.read(RESULTS / "pays" / "e").finished.groupby(["dataset", "optimizer"])["test"].mean()
    networks = scores.drop("none", level="optimizer").groupby("dataset").max()
    assert round(scores["sider", "none"] - networks["sider"], 2) == 0.03
    assert 0 < scores["bbbp", "none"] - networks["bbbp"] < 0.01


def test_what_the_text_says_of_reruns():
    report = Report.read(RESULTS / "pays" / "e")
    ours = report.summary[report.summary["optimizer"] == "adam"].set_index("dataset")
    behind = {}
    for dataset, scores in report.sweep.published["reruns"]["compt"].items():
        sign = -1 if ours["metric"][dataset] == "rmse" else 1
        behind[dataset] = min(sign * (score - ours["mean"][dataset]) for score in scores) / ours["sd"][dataset]
    assert [name for name, value in behind.items() if value < 0] == ["tox21"]
    assert [name for name, value in behind.items() if value > 1] == ["bbbp", "lipophilicity"]


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
