from __future__ import annotations

import base64
import dataclasses
import html
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
from matplotlib.markers import CARETLEFT, CARETRIGHT
from support.invented_rows import EFFECT, PASSES, invented

from zoo.experiments import Sweep, experiment
from zoo.experiments.report.collecting import Collected
from zoo.experiments.report.differences import paired_differences, shown_range
from zoo.experiments.report.palette import COLORS, KNOWN, Palette
from zoo.experiments.report.report import Report, write_report
from zoo.experiments.report.tables import published_table
from zoo.experiments.sweep.choices import DatasetChoice, ModelChoice, OptimizerChoice
from zoo.experiments.sweep.rows import read_table, to_frame, write_table
from zoo.recipe.options import DataOptions
from zoo.recipe.recipe import Recipe
from zoo.runs.folder import RunFolder

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


@pytest.fixture
def pages(filled, tmp_path):
    page, markdown = write_report(filled.path, tmp_path / "report")
    return page, markdown


def test_the_page_needs_nothing_else(pages):
    text = pages[0].read_text()
    assert "<script" not in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text)
    assert not re.findall(r"url\(|@import", text)


def test_numbers_are_those_of_the_rows(pages, filled):
    frame = filled.to_frame()
    chosen = frame[(frame["dataset"] == "esol") & (frame["optimizer"] == "sam")]["test"]
    expected = f"{chosen.mean():.3f} ± {chosen.std(ddof=1):.3f}"
    for page in pages:
        text = page.read_text()
        assert expected in text
        assert "rmse" in text
        assert "2.00" in text  # passes a step of sam


def test_it_says_how_to_repeat_it(pages):
    for page in pages:
        text = page.read_text()
        for fact in ("molzoo benchmark two.yaml --workers 1", "hidden_size: 8", "torch 2", "A. Paper", "few labels"):
            assert fact in text, fact


def test_figures_are_whole_and_follow_the_colour_scheme(pages):
    sources = re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', pages[0].read_text())
    assert len(sources) == 3
    for source in sources:
        svg = base64.b64decode(source).decode()
        ElementTree.fromstring(svg)
        assert "currentColor" in svg
        assert "prefers-color-scheme: dark" in svg
    assert {path.stem for path in (pages[1].parent / "figures").iterdir()} == {"differences", "time", "curves"}


EVIL = "<b>bad</b> | worse\n# `code` ``` [a](b) $x$ _it_ *bold* <script>"


def test_words_from_data_are_escaped(filled, sweep, tmp_path):
    rows = read_table(filled.table)
    rows[0] = dataclasses.replace(rows[0], state="failed", reason=EVIL)
    report = {**rows[1].split_report, "warnings": [EVIL]}
    rows[1:] = [
        dataclasses.replace(row, split_report=report, machine={**row.machine, "processor": EVIL}) for row in rows[1:]
    ]
    write_table(filled.table, rows)
    page, markdown = (path.read_text() for path in write_report(filled.path, tmp_path / "report"))
    assert "&lt;b&gt;bad&lt;/b&gt; | worse" in page
    assert "<b>bad" not in page
    assert r"\<b\>bad\</b\> \| worse \# \`code\`" in markdown
    assert not re.search(r"(?<!\\)<(b|script)>|(?<!\\)\[a\]", markdown)


def test_a_specification_cannot_leave_its_block(results, tmp_path):
    text = "name: '$a$ `x` |'\n# ```\n# <script>\nmodels: [random_forest]\ndatasets: [b3db]"
    sweep = Sweep.parse(text)
    results.note_sweep(sweep, sweep.runs(), "molzoo benchmark one.yaml")
    write_table(results.table, [invented(sweep.runs()[0])])
    _, markdown = write_report(results.path, tmp_path / "report")
    lines = markdown.read_text().splitlines()
    assert lines[0] == r"# \$a\$ \`x\` \|"
    assert lines[lines.index("````yaml") :].count("````") == 1


@pytest.mark.parametrize("name", ["$a_b$", "cost ($)", "$x^{$", "a$"])
def test_dollars_in_names_do_not_break_pictures(name, monkeypatch):
    sweep = Sweep(
        models={name: ModelChoice("grover")},
        optimizers={"adam": OptimizerChoice(), name: OptimizerChoice("sam")},
        datasets={name: DatasetChoice("b3db")},
        seeds=(0, 1),
    )
    monkeypatch.setitem(EFFECT, name, 0.1)
    monkeypatch.setitem(PASSES, name, 40)
    rows = [invented(run) for run in sweep.runs()]
    drawn = Report(Collected(sweep, pd.DataFrame([r.to_plan() for r in sweep.runs()]), to_frame(rows), "", "", ("x",)))
    for narrow in (False, True):
        assert all(name in html.unescape(svg) for svg in drawn.figures(narrow).values())


def test_one_optimizer_and_one_seed_make_a_report_too(results, tmp_path):
    sweep = Sweep.parse("models: [random_forest]\ndatasets: [b3db]")
    results.note_sweep(sweep, sweep.runs(), "molzoo benchmark one.yaml")
    with pytest.raises(ValueError, match=r"no run has finished yet: start `molzoo benchmark one\.yaml`"):
        write_report(results.path, tmp_path / "report")
    write_table(results.table, [invented(sweep.runs()[0])])
    page, _ = write_report(results.path, tmp_path / "report")
    assert "<img" not in page.read_text()


def test_places_that_hold_no_run_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_report(tmp_path / "none", tmp_path)
    with pytest.raises(ValueError, match="no run has finished there"):
        write_report(tmp_path, tmp_path)


def test_runs_of_train_of_a_sweep_and_tables_are_reported_together(filled, b3db, tmp_path):
    few = b3db.subset(range(0, len(b3db), 130))
    for seed, trees in ((0, 2), (1, 2), (0, 3)):
        recipe = Recipe("random_forest", featurizer="fingerprint", seed=seed, data=DataOptions(split="random"),
                        model_args={"num_trees": trees, "num_jobs": 1})  # fmt: skip
        experiment.run(recipe, dataset=few, folder=tmp_path / "runs" / f"{seed}-{trees}", progress=False)
    report = Report.read(tmp_path / "runs", filled.path)
    names = set(zip(report.summary["model"], report.summary["optimizer"], report.summary["n"], strict=True))
    assert ("random_forest num_trees=2", "none", 2) in names
    assert ("random_forest num_trees=3", "none", 1) in names
    assert ("grover", "graphsam", 3) in names
    write_report([tmp_path / "runs" / "0-2", filled.table], tmp_path / "report")


def test_published_means_stand_next_to_what_others_got_again():
    summary = pd.DataFrame(
        [("b3db", "compt", "adam", 0.93, 0.02, 0.9, "roc_auc"), ("esol", "compt", "adam", 0.80, 0.02, 0.8, "rmse")],
        columns=["dataset", "model", "optimizer", "mean", "sd", "valid", "metric"],
    ).assign(n=3)
    published = {
        "scores": {"compt": {"b3db": 0.94, "esol": [0.79, 0.02]}},
        "reruns": {"compt": {"b3db": [0.951, 0.926]}},
    }
    table = published_table(published, summary, "adam")
    rows = [dict(zip(table.header, [cell.text for cell in row], strict=True)) for row in table.rows]
    assert [row["published"] for row in rows] == ["0.940", "0.790 ± 0.020"]
    assert [row["re-run by others"] for row in rows] == ["0.951, 0.926", "–"]
    assert [row["reached"] for row in rows] == ["no", "yes"]
    assert "re-run by others" not in published_table({"scores": published["scores"]}, summary, "adam").header


def test_optimizers_keep_their_colours_whatever_else_is_in_the_report():
    several = [Palette(names) for names in (["adam", "sam"], ["graphsam", "sam", "adam"], ["sam", "mine"])]
    assert len({palette.colors["sam"] for palette in several}) == 1
    assert several[0].colors["adam"] == several[1].colors["adam"]
    assert len(set(Palette(KNOWN).colors.values())) == len(KNOWN)
    many = Palette([f"optimizer {i}" for i in range(len(COLORS))])
    assert len(set(many.colors.values())) == len(COLORS)


def test_a_telephone_gets_figures_of_its_width(pages):
    text = pages[0].read_text()
    narrow = re.findall(r'<source media="\(max-width: 640px\)" srcset="data:image/svg\+xml;base64,([^"]+)"', text)
    assert len(narrow) == 3
    for source in narrow:
        width = float(re.search(r'width="([\d.]+)pt"', base64.b64decode(source).decode())[1])
        assert width <= 4.0 * 72  # so that text of 10 points has at least 9.6 pixels in a column of 280


def test_tasks_have_their_own_scores_where_there_are_several(filled, tmp_path):
    rows = [
        dataclasses.replace(row, per_task={"logS": {row.metric: row.test}, "logP": {row.metric: 2 * row.test}})
        if row.dataset == "esol" else row for row in read_table(filled.table)
    ]  # fmt: skip
    write_table(filled.table, rows)
    expected = 2 * np.mean([row.test for row in rows if (row.dataset, row.optimizer) == ("esol", "sam")])
    for page in write_report(filled.path, tmp_path / "report"):
        assert "logP" in page.read_text()
        assert f"{expected:.3f} ±" in page.read_text()


@pytest.mark.skipif(BROWSER is None, reason="no Chromium to show the page in")
@pytest.mark.parametrize(("scheme", "dark"), [("0", True), ("1", False)])
def test_a_browser_shows_it_light_and_dark(pages, tmp_path, scheme, dark):
    picture = tmp_path / "page.png"
    subprocess.run(
        [BROWSER, *QUIET, f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={tmp_path / 'profile'}",
         "--window-size=1280,1600", f"--screenshot={picture}", pages[0].as_uri()],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    pixels = matplotlib.image.imread(picture)[..., :3].mean(axis=-1)
    background = np.median(pixels)
    assert background < 0.2 if dark else background > 0.9
    ink = np.abs(pixels - background) > 0.35
    assert ink.mean() > 0.01
    assert ink[:, pixels.shape[1] // 2 :].any(axis=1).sum() > 150


def test_a_run_of_an_earlier_version_is_reported_too(filled, tmp_path):
    old = RunFolder(tmp_path / "old")
    old.write_metrics({"test": {"roc_auc": 0.7}, "valid_roc_auc": 0.6, "best_epoch": 1, "epochs": 1, "seconds": 1.0})
    (old.path / "recipe.json").write_text(Recipe("gcn", data=DataOptions()).to_json())
    old.write_history(pd.DataFrame({"epoch": [1], "seconds": [1.0], "valid_roc_auc": [0.6]}))
    report = Report.read(old.path, filled.path)
    row = report.finished[report.finished["model"] == "gcn"].iloc[0]
    assert (row["test"], row["valid"], row["optimizer"], row["dataset"]) == (0.7, 0.6, "adam", "b3db")
    for page in write_report([old.path, filled.path], tmp_path / "report"):
        assert "a machine that was not noted" in page.read_text()


def compared(*intervals: tuple[float, float, float]) -> pd.DataFrame:
    """Rows of a comparison with the means and ends of these intervals, in percent."""
    frame = pd.DataFrame(intervals, columns=["relative_low", "relative", "relative_high"])
    named = {"dataset": [f"set {i}" for i in range(len(frame))], "model": "grover", "optimizer": "sam"}
    return frame.assign(low=frame["relative_low"], **named)


def test_one_wide_interval_does_not_hide_the_others():
    usual = [(-4.0 - i / 10, 1.0, 6.0) for i in range(30)]
    low, high = shown_range(compared(*usual))
    assert low < -6.9
    assert high > 6.0
    low, high = shown_range(compared(*usual, (-300.0, -120.0, 60.0)))
    assert -10 < low < -6.5
    assert 6 < high < 10
    figure = paired_differences(compared(*usual, (-300.0, -120.0, 60.0)), Palette(["adam", "sam"]), "adam")
    carets = [line for line in figure.axes[0].lines if line.get_marker() in (CARETLEFT, CARETRIGHT)]
    assert len(carets) == 2
    assert [text.get_text() for text in figure.axes[0].texts if "%" in text.get_text()] == ["−120 %"]


def test_a_few_intervals_are_all_shown_and_zero_is_among_them():
    low, high = shown_range(compared((2.0, 3.0, 4.0), (40.0, 60.0, 80.0)))
    assert low <= 0
    assert high > 80


def test_a_narrow_page_has_headings_in_place_of_columns_that_repeat(pages):
    text = pages[0].read_text()
    headings = re.findall(r'<tr class="heading"><th colspan="\d+">([^<]+)</th>', text)
    assert "esol · rmse" in headings
    assert text.count('<td class="wide">esol</td>') > 1


def test_notebooks_show_a_figure_as_the_page_does(filled):
    drawn = Report.read(filled.path).draw()
    assert all(figure._repr_png_().startswith(b"\x89PNG") for figure in drawn.values())
    panels = drawn["time"].axes
    assert len({axis.get_xlim() for axis in panels}) == 1
