"""Stage E in docs/does_it_pay.md: the numbers of its text are those of the result files."""

from __future__ import annotations

from scipy import stats
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
    stood = "−{graphsam:.2f}, −{graphsam_paper:.2f} and −{sam:.2f} %"
    assert f"stood at {stood.format(**-timed['mean'])} at equal time" in TEXT
    now = Report.read(RESULTS / "pays" / "e").verdict.timed.set_index("optimizer")
    assert f"brought them to {stood.format(**-now['mean'])}" in TEXT
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
    assert f"finds ESOL level with both re-runs by the average of the weights ({averaged:.3f})" in TEXT
    assert averaged < min(report.sweep.published["reruns"]["compt"]["esol"])
    first = Report.read(RESULTS / "graphsam").summary.query("model == 'grover' and dataset == 'bbbp'")
    best = first.set_index("optimizer")["mean"]
    assert f"({best['graphsam']:.3f} with GraphSAM, {best['adam']:.3f} with Adam, three seeds)" in TEXT


def test_what_the_text_says_of_the_size_of_compt():
    runs = Report.read(RESULTS / "pays" / "compt_size").finished
    assert len(runs) == 3 * 3
    scores = runs.pivot(index="seed", columns="model", values="test")
    stage = Report.read(RESULTS / "pays" / "e")
    all_seeds = stage.finished.query("model == 'compt' and optimizer == 'adam'")
    small = all_seeds[all_seeds["seed"] < 3].pivot(index="seed", columns="dataset", values="test")
    gain = small["lipophilicity"] - scores["compt_published_lipophilicity"]
    assert (gain > 0).all()
    mean, low, high = with_interval(gain)
    assert f"by {mean:.3f} on average (95 % interval −{-low:.3f} to {high:.3f}, of three pairs)" in TEXT
    published = scores["compt_published_lipophilicity"].mean()
    assert f"its mean of {published:.3f} is below the nearer re-run" in TEXT
    assert published < max(stage.sweep.published["reruns"]["compt"]["lipophilicity"])
    ten = all_seeds.query("dataset == 'lipophilicity'")["test"].mean()
    assert f"(small CoMPT has {small['lipophilicity'].mean():.3f} here, {ten:.3f} there)" in TEXT
    assert abs(scores["compt_longer"].mean() - small["lipophilicity"].mean()) < 0.005
    mean, low, high = with_interval(scores["compt_published_bbbp"] - small["bbbp"])
    assert f"no gain: −{-mean:.3f} (−{-low:.3f} to {high:.3f}, too wide" in TEXT
    splits, others = scores["compt_published_bbbp"], stage.sweep.published
    known = [others["scores"]["compt"]["bbbp"][0], *others["reruns"]["compt"]["bbbp"]]
    assert f"from {splits.min():.3f} to {splits.max():.3f}, than the published" in TEXT
    assert f"from {min(known):.3f} to {max(known):.3f}" in TEXT


def with_interval(differences) -> tuple[float, float, float]:
    """Mean of paired differences with its 95 % interval by Student's t."""
    mean, half = differences.mean(), differences.sem() * stats.t.ppf(0.975, len(differences) - 1)
    return mean, mean - half, mean + half
