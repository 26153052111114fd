from __future__ import annotations

import base64
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import matplotlib.image
import numpy as np
import pytest
from support.invented_rows import invented

from zoo.experiments import ResultRow
from zoo.experiments.report.report import write_report

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
    html, markdown = write_report(filled.path, tmp_path / "report")
    return html, markdown


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


def test_words_from_data_are_escaped(filled, sweep, tmp_path):
    filled.append(ResultRow("x", "failed", "m", "o", "d", 0, "s", reason="<b>bad</b> | worse"))
    other = [run for run in sweep.runs() if run.optimizer != "none"]
    object.__setattr__(other[0], "key", "x")
    filled.note_sweep(sweep, other, "molzoo benchmark again")
    html, markdown = write_report(filled.path, tmp_path / "report")
    assert "&lt;b&gt;bad&lt;/b&gt; | worse" in html.read_text()
    assert "<b>bad" not in html.read_text()
    assert "\\| worse" in markdown.read_text()


def test_one_optimizer_and_one_seed_make_a_report_too(store, tmp_path):
    from zoo.experiments import Sweep

    sweep = Sweep.parse("models: [random_forest]\ndatasets: [b3db]")
    store.note_sweep(sweep, sweep.runs(), "molzoo benchmark one.yaml")
    with pytest.raises(ValueError, match=r"no run has finished yet: start `molzoo benchmark one\.yaml`"):
        write_report(store.path, tmp_path / "report")
    store.append(invented(sweep.runs()[0]))
    html, _ = write_report(store.path, tmp_path / "report")
    assert "<img" not in html.read_text()


def test_files_that_hold_no_sweep_are_named(tmp_path, store):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        write_report(tmp_path / "none.sqlite", tmp_path)
    store.note_event("a", "started")
    with pytest.raises(ValueError, match="holds no sweep"):
        write_report(store.path, tmp_path)


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
