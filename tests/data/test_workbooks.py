"""Excel workbooks: sheets, types of cells, damaged and hostile ones."""

import io
import zipfile

import numpy as np
import pandas as pd
import pytest

import zoo

openpyxl = pytest.importorskip("openpyxl")


def write(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        page = book.create_sheet(name)
        for row in rows:
            page.append(row)
    book.save(path)
    return path


ROWS = [["smiles", "active", "logS", "when"], ["CCO", "yes", 1.5, None], ["bad", "no", 2, "x"], ["CCC", "no", None, 3]]


def test_cells_keep_their_types_and_rows_their_numbers(tmp_path):
    path = write(tmp_path / "a.xlsx", one=[[], *ROWS[:2], [], *ROWS[2:]])
    data = zoo.data.load(path, tasks="logS")
    np.testing.assert_array_equal(data.targets[:, 0], [1.5, np.nan])
    assert data.lines.tolist() == [3, 6]
    assert data.invalid[0].where == "line 5"
    assert zoo.data.load(path, tasks="active").label_names == {"active": ("no", "yes")}
    assert [chunk.smiles for chunk in zoo.data.stream(path)] == [["CCO", "bad", "CCC"]]


def test_a_sheet_is_named_or_the_first_one_noted(tmp_path):
    path = write(tmp_path / "two.xlsx", first=ROWS, second=[["smiles", "y"], ["CCCl", 1.5]])
    first = zoo.data.load(path, tasks="logS")
    assert any("sheet 'first' is read, sheet= names another one ('second')" in note for note in first.notes)
    assert zoo.data.load(path, sheet="second").smiles == ["CCCl"]
    assert zoo.data.check(path, sheet="second").columns == {"smiles": "SMILES", "y": "task"}
    with pytest.raises(zoo.data.DataError, match=r"no sheet 'third'\. Sheets: 'first', 'second'"):
        zoo.data.load(path, sheet="third")


def test_the_sheet_of_a_prediction(tmp_path):
    path = write(tmp_path / "two.xlsx", first=ROWS, second=[["smiles", "y"], ["CCCl", 1.5]])
    zoo.build("gcn", device="cpu").save(tmp_path / "run")
    out, options = tmp_path / "out.csv", {"device": "cpu", "num_workers": 0}
    assert zoo.inference.predict_file(tmp_path / "run", path, out, sheet="second", **options).rows == 1
    assert zoo.inference.predict_file(tmp_path / "run", path, out, **options).rows == 3
    assert pd.read_csv(out)["reason"].notna().tolist() == [False, True, False]


def test_a_workbook_under_another_name(tmp_path):
    path = write(tmp_path / "a.xlsx", one=ROWS).rename(tmp_path / "download")
    assert zoo.data.load(path, tasks="logS").smiles == ["CCO", "CCC"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "has no cells"),
        ([["smiles", "y"]], "a header but no rows"),
        ([["smiles"], ["CCO", 5]], "row 2 has cells to the right of the 1 named columns"),
        ([["smiles", "T", "T"], ["CCO", 5, 6]], "2 columns are called 'T'"),
    ],
)
def test_sheets_that_are_no_tables_are_one_line(tmp_path, rows, message):
    with pytest.raises(zoo.data.DataError, match=message):
        zoo.data.load(write(tmp_path / "a.xlsx", one=rows), tasks="T" if "T" in str(rows) else None)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04rest", b"no archive"])
def test_damaged_workbooks_are_one_line(tmp_path, content):
    path = tmp_path / "bad.xlsx"
    path.write_bytes(content)
    with pytest.raises(zoo.data.DataError, match=r"is empty|not an Excel workbook, or a damaged one"):
        zoo.data.load(path)


def test_an_archive_that_grows_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("xl/sharedStrings.xml", "w") as part:
        for _ in range(110):
            part.write(bytes(1_000_000))
    with pytest.raises(zoo.data.DataError, match=r"grows to 110,000,000 bytes"):
        zoo.data.load(path)


def changed(path, name, change):
    """Rewrite a part of an archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {part: archive.read(part) for part in archive.namelist()}
    parts[name] = change(parts[name])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, content in parts.items():
            archive.writestr(part, content)
    path.write_bytes(buffer.getvalue())
    return path


SHEET = "xl/worksheets/sheet1.xml"


def test_a_size_that_is_not_there_costs_nothing(tmp_path):
    path = write(tmp_path / "a.xlsx", one=ROWS)
    path = changed(path, SHEET, lambda xml: xml.replace(b'ref="A1:D4"', b'ref="A1:XFD1048576"'))
    assert zoo.data.load(path, tasks="logS").smiles == ["CCO", "CCC"]


@pytest.mark.parametrize(
    "entity",
    [
        b'<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">',
        b'<!ENTITY b SYSTEM "file:///etc/passwd">',
    ],
    ids=["many", "of a file"],
)
def test_entities_open_no_file(tmp_path, entity):
    path = write(tmp_path / "a.xlsx", one=[["smiles", "note"], ["CCO", "text"]])
    xml = b'<?xml version="1.0"?><!DOCTYPE worksheet [' + entity + b"]>"
    path = changed(path, SHEET, lambda old: xml + old.replace(b"<t>text", b"<t>&b;"))
    try:
        data = zoo.data.load(path)
    except zoo.data.DataError:
        return
    assert "root" not in str(data.extras.to_dict())
