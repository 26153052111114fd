"""The numbers in docs/measured.md and in the README are those of the result files in benchmarks/results."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from zoo.experiments.report.report import Report
from zoo.experiments.report.tables import mean_and_sd
from zoo.registry.kinds import higher_is_better

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def read_page(name):
    """The text of a page with single blanks."""
    return " ".join((ROOT / name).read_text(encoding="utf-8").split())


README, TEXT, SPEED = read_page("README.md"), read_page("docs/measured.md"), read_page("docs/guides/speed.md")
LIBRARIES, INSTALL = read_page("docs/guides/large_libraries.md"), read_page("docs/install.md")
TREES = "random_forest"
MANY = 80_000
"""Rows of the larger comparison of predictions."""


@pytest.fixture(scope="module")
def report():
    return Report.read(RESULTS / "graphsam")


@pytest.fixture(scope="module")
def scores(report):
    """Mean test scores by data set, model and optimizer."""
    return report.summary.set_index(["dataset", "model", "optimizer"])["mean"]


@pytest.fixture(scope="module")
def longer():
    """Mean and standard deviation of the longer runs by data set and model."""
    return Report.read(RESULTS / "longer").summary.set_index(["dataset", "model"])[["mean", "sd"]]


@pytest.fixture(scope="module")
def overall(report):
    return report.overall.set_index("optimizer")


@pytest.fixture(scope="module")
def prediction():
    lines = (RESULTS / "prediction.jsonl").read_text(encoding="utf-8").splitlines()
    return {(found["package"], found["model"]): found for found in map(json.loads, lines)}


def signed(value, digits):
    """A number as the page prints it, with the typographic minus."""
    return f"{value:+.{digits}f}".replace("-", "−")


def eigenvalue_ratio(report, optimizer):
    """Geometric mean over the runs of the largest eigenvalue, divided by that of Adam's run of the same seed."""
    keys = ["dataset", "model", "seed"]
    table = report.with_result.pivot_table(index=keys, columns="optimizer", values="hessian_eigenvalue")
    return float(np.exp(np.log(table[optimizer] / table["adam"]).mean()))


def test_cost(overall):
    times = overall["time"]
    assert f"{times['graphsam']:.2f} times its training time, where SAM takes {times['sam']:.2f} times" in TEXT
    assert f"{times['graphsam']:.2f} times Adam's training time, where SAM takes {times['sam']:.2f} times" in README


def test_graphsam_against_adam(report, overall):
    row = overall.loc["graphsam"]
    interval = f"95 % interval {signed(row['low'], 1)} to {signed(row['high'], 1)} %"
    assert f"{signed(row['mean'], 1)} % on average ({interval}, better in {row['better']:.0f} of {row['n']:.0f}" in TEXT
    assert (
        f"hardly flatter (largest Hessian eigenvalue {eigenvalue_ratio(report, 'graphsam'):.2f} times Adam's)" in TEXT
    )


def test_sam_against_adam(report, overall):
    row = overall.loc["sam"]
    assert f"(largest Hessian eigenvalue {eigenvalue_ratio(report, 'sam'):.2f} times Adam's" in TEXT
    assert f"worse ({signed(row['mean'], 0)} %, {signed(row['low'], 0)} to {signed(row['high'], 0)} %)" in TEXT


def test_the_forest_wins_sider(scores):
    sider = scores["sider"].drop("none", level="optimizer")
    forest = scores["sider", TREES, "none"]
    assert f"by {forest - sider.max():.2f} (ROC-AUC {forest:.3f}, the best network {sider.max():.3f})" in TEXT
    behind = [
        scores[data].drop(TREES, level="model").max() - scores[data, TREES, "none"] for data in ("clintox", "tox21")
    ]
    assert {f"{value:.2f}" for value in behind} == {"0.02"}
    assert "On ClinTox and Tox21 it is 0.02 behind the best" in TEXT


def test_reached_on_bbbp_with_grover_only(report, scores):
    reached = set()
    for model, by_data in report.sweep.published["scores"].items():
        for data, value in by_data.items():
            mean, sd = np.nan_to_num(mean_and_sd(value))
            metric = report.summary.set_index("dataset")["metric"][data]
            for optimizer in ("adam", "graphsam"):
                ours = scores[data, model, optimizer]
                if ours >= mean - sd if higher_is_better(metric.iloc[0]) else ours <= mean + sd:
                    reached.add((data, model, optimizer))
    assert reached == {("bbbp", "grover", "adam"), ("bbbp", "grover", "graphsam")}


def test_depths_matter_more(scores):
    for data in ("esol", "lipophilicity"):
        assert scores[data, "grover_dynamic", "adam"] > scores[data, "grover", "adam"]


def test_longer_training(scores, longer):
    before = {key: scores[(*key, "adam")] for key in longer.index if key[1] != "dmpnn"}
    for data, model in (("clintox", "grover"), ("clintox", "compt"), ("esol", "grover")):
        first, last = before[data, model], longer["mean"][data, model]
        assert f"from {first:.3f} to {last:.3f}" in TEXT
    esol, bbbp = ("esol", "compt"), ("bbbp", "compt")
    assert f"CoMPT's ESOL ({before[esol]:.3f}, then {longer['mean'][esol]:.3f})" in TEXT
    assert f"BBBP ({before[bbbp]:.3f}, {longer['mean'][bbbp]:.3f}) stay short" in TEXT
    dmpnn = {data: "{:.3f} ± {:.3f}".format(*longer.loc[data, "dmpnn"]) for data in ("esol", "bbbp", "clintox")}
    assert f"(ESOL {dmpnn['esol']}, BBBP {dmpnn['bbbp']}, ClinTox {dmpnn['clintox']})" in TEXT


@pytest.fixture(scope="module")
def releases():
    lines = (RESULTS / "releases.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return {"predict_many" if row.get("rows") == MANY else row["pair"]: row for row in rows}


def test_releases(releases):
    found = releases
    small, base = found["grover_100_3"], found["grover_800_6"]
    assert f"{small['ratio']} times as many molecules a second and those of 800/6 {base['ratio']} times" in TEXT
    shares = [row["our_mb"] / row["their_mb"] for row in (small, base)]
    assert f"in {shares[0]:.2f} and {shares[1]:.2f} of the memory" in TEXT
    assert f"those of CoMPT {found['compt_bbbp']['ratio']:.0f} times" in TEXT
    assert f"{found['predict_dmpnn']['ratio']} times as many rows" in TEXT
    assert f"(on {MANY:,}, in one turn, {found['predict_many']['ratio']} times)" in TEXT


def test_prediction(prediction):
    small, graph = prediction["molzoo", "dmpnn"], prediction["molzoo", "grover"]
    assert small["rows"] == graph["rows"] == 20_000
    seconds = (
        f"take D-MPNN {small['seconds']:.1f} s and GROVER (hidden 100, depth 3) {graph['seconds']:.1f} s on two cores"
    )
    assert f"20,000 rows of different molecules {seconds}" in TEXT
    memory = [row["all_processes_mb"] / 1000 for row in (small, graph)]
    assert f"in {memory[0]:.2f} and {memory[1]:.2f} GB in all processes" in TEXT


def test_training_next_to_chemprop_and_what_is_left(releases):
    training, base, small = (releases[name] for name in ("train_dmpnn", "grover_800_6", "grover_100_3"))
    ours, theirs = training["our_wall_seconds"], training["their_wall_seconds"]
    assert f"takes {ours:.0f} s for ten epochs where chemprop takes {theirs:.0f}" in TEXT
    shares = [100 * row[name] for name in ("our_products", "their_products") for row in (base, small)]
    ours, theirs = ("{:.0f} % of our step at 800/6 and {:.0f} % at 100/3", "({:.0f} and {:.0f} % of the released one)")
    assert f"{ours.format(*shares[:2])} {theirs.format(*shares[2:])}" in TEXT
    halves = [releases[f"{name}_bfloat16"]["ratio"] for name in ("grover_100_3", "grover_800_6")]
    faster = releases["grover_800_6_bfloat16"]["ours"] / base["ours"]
    assert f"with AMX, {faster:.1f} times with AVX512_BF16" in SPEED
    assert f"in bfloat16 {halves[0]} and {halves[1]} times as many as the released code in float32" in TEXT


def test_what_atoms_that_look_alike_bring():
    lines = (RESULTS / "alike.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    training, prediction = (
        {row[kind]: row["ratio"] for row in rows if kind in row} for kind in ("training", "prediction")
    )
    small, base, bonds = "grover_100_3", "grover_800_6", "dmpnn_300_3"
    assert f"training steps {training[small]:.2f} (GROVER 100/3, 32 molecules), {training[base]:.2f} (800/6" in TEXT
    assert f"and {training[bonds]:.2f} times as fast (D-MPNN, 64 molecules)" in TEXT
    assert f"predictions {prediction[small]:.2f}, {prediction[base]:.2f} and {prediction[bonds]:.2f} times" in TEXT
    few, many = (row["bonds"] for row in rows if row.get("batch_size") in (32, 512) and "bonds" in row)
    one, two, five = (100 * few[reach] for reach in (1, 2, 5))
    assert f"{one:.0f} % differ as far as one step reaches, {two:.0f} % as far as two and {five:.0f} % as far" in TEXT
    assert "of 512 molecules {:.0f}, {:.0f} and {:.0f} %".format(*(100 * many[reach] for reach in (1, 2, 5))) in TEXT
    assert 45 < two < 55
    assert "half of the directed bonds look like another one as far as two steps reach" in SPEED


def test_stages_of_a_prediction():
    lines = (RESULTS / "stages.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    before, now = (
        {row["model"]: row["seconds"] for row in rows if row["checkout"] == name} for name in ("before", "now")
    )
    stages = ("start", "reading molecules", "labels of centres", "other features", "network", "files and the rest")
    for stage in stages:
        cells = [f"{found[model][stage]:.1f}" for model in ("dmpnn", "grover") for found in (before, now)]
        assert f"| {stage} | {' | '.join(cells)} |" in TEXT
    for model in before:
        assert set(before[model]) == set(now[model]) == set(stages)


def test_two_threads():
    lines = (RESULTS / "threads.jsonl").read_text(encoding="utf-8").splitlines()
    ratio = {row["size"]: row["ratio"]["2"] for row in map(json.loads, lines)}
    text = f"GROVER's steps {ratio['grover_100_3']:.2f} times (100/3) and {ratio['grover_800_6']:.2f} times (800/6) as"
    assert text in TEXT
    assert text in SPEED


def test_models_that_are_short_of_products():
    lines = (RESULTS / "models.jsonl").read_text(encoding="utf-8").splitlines()
    shares = {row["model"]: row["adam_over_floor"] for row in map(json.loads, lines)}
    below = {name for name, share in shares.items() if share < 0.585}
    assert below == {"gcn", "gat", "gps", "graphormer", "mat", "egt", "grit"}
    near = {name for name, share in shares.items() if 0.585 <= share < 0.595}
    assert near == {"gt", "mpnn"}
    found = re.search(r"Nine are below 60 %: (.*?) are near the mark", TEXT)[1]
    assert below | near == set(re.findall(r"`(\w+)`", found)) - {"bernoulli_"}


def test_loading():
    rows = [json.loads(line) for line in (RESULTS / "loading.jsonl").read_text(encoding="utf-8").splitlines()]
    ratios = {row["batch_size"]: row["ratio"] for row in rows if "ratio" in row}
    (share,) = (row["share"] for row in rows if "share" in row)
    size = max(row["bytes_a_molecule"] for row in rows if "bytes_a_molecule" in row)
    page = read_page("docs/measured.md")
    assert f"256 molecules {ratios[256]:.1f} times as fast as `dgl.batch`" in page
    assert f"32 molecules {ratios[32]:.1f} times; cutting takes {100 * share:.1f} % of a step" in page
    assert f"A molecule takes {size} bytes" in page


def test_cost_of_rules():
    page = read_page("docs/sharpness_aware.md")
    lines = (RESULTS / "optimizers.jsonl").read_text(encoding="utf-8").splitlines()
    found = {(row["model"], row["rule"], row["steps"]): row for row in map(json.loads, lines)}
    times = {(model, rule): row["time"] for (model, rule, steps), row in found.items() if steps == 40}
    long = {model: row["time"] for (model, rule, steps), row in found.items() if (rule, steps) == ("graphsam", 195)}
    for model, label in (
        ("gcn", "`gcn`"),
        ("gps", "`gps`"),
        ("compt", "CoMPT"),
        ("grover", "GROVER, hidden 100, 3 layers"),
    ):
        cells = " | ".join(f"{times[model, rule]:.2f}" for rule in ("sam", "esam", "graphsam", "msam"))
        cells += f" | {long[model]:.3f}"
        assert re.search(rf"\| {label} \([^)]*\) \| {re.escape(cells)} \|", page)
    ratios = [times[model, "graphsam"] for model in ("grover", "compt", "gps", "gcn")]
    low, high = (f"{100 * (ratio - 1):.0f}" for ratio in (min(long.values()), max(long.values())))
    assert f"GraphSAM, the default, {low} to {high} % more than Adam" in SPEED
    assert f"GraphSAM {1 / max(ratios):.2f} to {1 / min(ratios):.2f}, see [cost]" in page
    without_anchor = [100 * (long[model] - 1 - 1 / 195) for model in ("compt", "grover")]
    assert "that is {:.1f} to {:.1f} % of a step".format(*without_anchor) in page
    assert f"work takes {found['gcn', 'graphsam', 40]['rule_milliseconds']:.2f} ms over 20 tensors" in page
    pays = read_page("docs/does_it_pay.md")
    assert f"in turns it is {times['grover', 'graphsam']:.2f} on GROVER" in pays


def test_speeds(prediction):
    lines = (RESULTS / "models.jsonl").read_text(encoding="utf-8").splitlines()
    rates = {row["model"]: row["adam"] for row in map(json.loads, lines) if "failed" not in row}
    small = "{gcn:,.0f} molecules a second with `gcn`, {dmpnn:,.0f} with `dmpnn`"
    assert (small + ", {grover:.0f} with `grover` and {grover_base:.0f}").format(**rates) in SPEED
    lines = (RESULTS / "gpu.jsonl").read_text(encoding="utf-8").splitlines()
    found = {row["name"]: row for row in map(json.loads, lines) if row["kind"] == "train"}
    fast = {name: found[name]["molecules_per_second"]["adam"] for name in ("grover_base", "grover")}
    text = f"`grover_base` trains {fast['grover_base']:,.0f} molecules a second and `grover` {fast['grover']:,.0f}"
    assert text in SPEED
    over_core = "{grover:.0f} times one core for `grover` and {grover_base:.0f} times for `grover_base`"
    assert over_core.format(**{name: fast[name] / rates[name] for name in fast}) in SPEED
    assert f"waits for its batches for {100 * found['grover']['waiting']:.0f} % of that time" in SPEED
    small, graph = prediction["molzoo", "dmpnn"], prediction["molzoo", "grover"]
    assert f"D-MPNN predicts {small['rows_per_second']:,.0f} rows a second, GROVER" in LIBRARIES
    assert f"{graph['rows_per_second']:,.0f}, start included" in LIBRARIES
    assert f"would take the first {1e8 / small['rows_per_second'] / 3600:.0f} hours on two cores" in LIBRARIES


def test_pythons_without_dgl():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    marker = Requirement(re.search(r'"(dgl>=[^"]+)"', text)[1]).marker
    linux = {"sys_platform": "linux"}
    assert marker.evaluate({**linux, "python_version": "3.11"})
    assert not marker.evaluate({**linux, "python_version": "3.12"})
    assert not marker.evaluate({"sys_platform": "win32", "python_version": "3.11"})
    assert "| Python 3.10 and 3.11 on Linux and macOS | `dgl.DGLGraph`" in INSTALL
    assert "| Python 3.12 and later; Windows | `TensorGraph`" in INSTALL


def test_a_million_rows_in_shards():
    text = " ".join((ROOT / "docs" / "clusters.md").read_text(encoding="utf-8").split())
    found, alone = (record := json.loads((RESULTS / "shards.jsonl").read_text(encoding="utf-8"))), record["alone"]
    assert found["every_row_once_in_order"]
    assert found["largest_difference"] == 0
    assert f"--rows {found['rows']} --alone {alone['rows']} --shards {found['shards']} --kill" in text
    assert f"after {found['killed_after_s']:.0f} s one is killed" in text
    assert f"{found['without_prediction']:,} rows have a reason" in text
    assert f"{found['seconds']:.0f} s, {found['rows_per_second']:,.0f} rows a second" in text
    assert f"predicted {alone['rows']:,} rows at {alone['rows_per_second']:,.0f} a second" in text
    assert f"{found['cpu_ms_per_row']:.2f} ms of processor time" in text
    assert f"to {max(found['peak_mb'])} MiB at most" in text
