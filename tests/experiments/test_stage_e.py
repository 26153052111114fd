"""Stage E in docs/does_it_pay.md: the numbers of its text are those of the result files."""

from __future__ import annotations

from support.pays import RESULTS, TEXT

from zoo.experiments.report import pooling
from zoo.experiments.report.report import Report


def test_what_the_text_says_of_stage_e():
    report = Report.read(RESULTS / "pays" / "e")
    verdict, runs = report.verdict, report.finished
    assert f"{len(runs)} runs; Tox21's seeds 0 to 2 on an Intel Xeon" in TEXT
    assert len(runs) == len(report.plan) == 6 * 10 * 6
    machines = runs.groupby(["dataset", "seed", "model"])["machine"].agg(lambda found: len(set(map(str, found))))
    assert (machines == 1).all()
    intel = runs[runs["machine"].map(str).str.contains("Intel")]
    assert (set(intel["dataset"]), set(intel["seed"])) == ({"tox21"}, {0, 1, 2})
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
    assert round(len(early) / 360, 2) == 0.67
    timed = pooling.compare_pairs(early, "adam", pooling.at_equal_time).set_index("optimizer")
    stood = "−{graphsam:.2f}, −{graphsam_paper:.2f} and −{sam:.2f} % at equal time".format(**-timed["mean"])
    assert stood in TEXT
    assert list(timed.index[timed["high"] < 0]) == ["adam_ema", "graphsam_paper", "sam"]


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
    averaged = report.summary.query("optimizer == 'adam_ema' and dataset == 'esol'")["mean"].item()
    assert f"average of the weights ESOL ({averaged:.3f}) reaches both re-runs" in TEXT
    assert averaged < min(report.sweep.published["reruns"]["compt"]["esol"])
    first = Report.read(RESULTS / "graphsam").summary.query("model == 'grover' and dataset == 'bbbp'")
    best = first.set_index("optimizer")["mean"]
    assert f"with GraphSAM ({best['graphsam']:.3f}, three seeds), and nearly with Adam ({best['adam']:.3f})" in TEXT
    assert best["graphsam"] > min(report.sweep.published["reruns"]["compt"]["bbbp"])


def test_what_the_text_says_of_the_size_of_compt():
    runs = Report.read(RESULTS / "pays" / "compt_size").finished
    assert len(runs) == 3 * 3
    scores = runs.groupby("model")["test"]
    stage = Report.read(RESULTS / "pays" / "e")
    small = stage.finished.query("model == 'compt' and optimizer == 'adam' and seed < 3").groupby("dataset")["test"]
    again, means = stage.sweep.published["reruns"]["compt"], scores.mean()
    assert means["compt_published_lipophilicity"] < max(again["lipophilicity"])
    assert abs(means["compt_longer"] - small.mean()["lipophilicity"]) < 0.005
    assert means["compt_published_bbbp"] < small.mean()["bbbp"] < min(again["bbbp"])
    splits = scores.get_group("compt_published_bbbp")
    assert f"differ by more ({splits.min():.3f} to {splits.max():.3f})" in TEXT
    published = [stage.sweep.published["scores"]["compt"]["bbbp"][0], *again["bbbp"]]
    assert splits.max() - splits.min() > max(published) - min(published)
