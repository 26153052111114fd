"""Names and cells from files on a terminal, in pictures and in spreadsheets."""

from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest

from zoo.data import DataError, MoleculeDataset, RowWriter, check, load
from zoo.data.errors import printable

ESCAPES = ["\x1b[31mred", "\x1b]0;owned\x07", "a\rb", "back\x08space", "\x9b2J", "\u202eturned", "\x00", "\x7f"]


@pytest.mark.parametrize("text", ESCAPES)
def test_control_characters_are_written_out(text):
    safe = printable(text)
    assert safe != text
    assert safe.isprintable()


@pytest.mark.parametrize(
    "text", ["plain", "Löslichkeit (µM)", "溶解度", "a\nb\tc", "[13C]", "5 \N{DEGREE SIGN}C", "👩\u200d🔬"]
)
def test_other_text_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize("text", ESCAPES)
def test_nothing_of_a_file_moves_the_terminal(text, write):
    if text == "\x00":
        pytest.skip("a file with zeros is refused as binary")
    buffer = io.StringIO()
    csv.writer(buffer).writerows(
        [["smiles", text, "x" + text, "set"], ["CCO", 0.5, "y", "train"], [f"C({text}", 1.5, text, text]]
        + [["C" * i, i / 7, text, "test"] for i in range(1, 12)]
    )
    path = write("odd.csv", buffer.getvalue().encode())
    data = load(path, tasks=[text], task="regression")
    shown = [str(check(path, tasks=[text])), repr(data), *data.notes, str(data.split("random").report())]
    for options in ({"tasks": ["nothing"]}, {"tasks": ["x" + text]}, {"split_column": "set"}, {"on_invalid": "raise"}):
        try:
            data = load(path, **options)
            data.split("column")
        except DataError as error:
            shown.append(str(error))
    assert len(shown) > 8
    for page in shown:
        assert all(line.replace("\t", "").isprintable() for line in page.split("\n"))


def test_task_names_stay_as_they_are(write):
    """Only what is printed is changed: columns are found by their own names."""
    data = load(write("odd.csv", "smiles,\x1b[31mred\nCCO,1\nCCN,0\n"))
    assert data.task_names == ("\x1b[31mred",)


def test_dollars_and_underscores_in_pictures():
    from zoo.views import plots

    names = ("a$b_{$c", "_hidden", "50% $", "\x1b[31m")
    data = MoleculeDataset("$x^{", ["CCO", "CCN", "CCC"], np.arange(12.0).reshape(3, 4), names, "regression")
    figure = plots.quality(data, data.targets + 0.5)
    figure.savefig(io.BytesIO(), format="png")
    assert [axes.get_title() for axes in figure.axes[:4]] == [r"a\$b_{\$c", " _hidden", r"50% \$", r"\x1b[31m"]


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "-", "+"]
HARMLESS = ["-0.5", "+3", "-1e-5", "CCO", "", "a=b", "(-)", "1-2"]


@pytest.mark.parametrize("guard", [True, False])
def test_formulas_in_cells(guard):
    buffer = io.StringIO()
    rows = pd.DataFrame({"=name": FORMULAS + HARMLESS, "x": 1})
    with RowWriter(buffer, rows.columns, ["y"], guard_formulas=guard) as writer:
        writer.write(rows, [[-0.5] * len(rows)])
    written = list(csv.reader(io.StringIO(buffer.getvalue(), newline="")))
    expected = [f"'{text}" if guard else text for text in FORMULAS] + HARMLESS
    assert written[0] == ["'=name" if guard else "=name", "x", "y"]
    assert [row[0] for row in written[1:]] == expected
    assert {row[2] for row in written[1:]} == {"-0.5"}
