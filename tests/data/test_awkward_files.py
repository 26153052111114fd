"""Files as users have them: each row of a table is a file, and what must come of it."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest

from zoo.data import DataError, load

BASE = "smiles,y\nCCO,0\nCCN,1\nc1ccccc1,0\n"
LONG = "smiles,y\n" + "".join(f"{'C' * (i % 9 + 1)}O,{i % 2}\n" for i in range(40))

SAME_AS_BASE = {
    "plain.csv": BASE,
    "no_end.csv": BASE.rstrip("\n"),
    "crlf.csv": BASE.replace("\n", "\r\n"),
    "old_mac.csv": BASE.replace("\n", "\r"),
    "bom.csv": BASE.encode("utf-8-sig"),
    "utf16.csv": BASE.encode("utf-16"),
    "utf16_little.csv": BASE.encode("utf-16-le"),
    "utf16_big.csv": BASE.encode("utf-16-be"),
    "utf32.csv": BASE.encode("utf-32"),
    "packed.csv.gz": gzip.compress(BASE.encode()),
    "packed_but_not_called_so.csv": gzip.compress(BASE.encode()),
    "called_packed.csv.gz": BASE,
    "tab.tsv": BASE.replace(",", "\t"),
    "tab.csv": BASE.replace(",", "\t"),
    "semicolon.csv": BASE.replace(",", ";"),
    "bar.txt": BASE.replace(",", "|"),
    "excel_says_separator.csv": "sep=;\n" + BASE.replace(",", ";"),
    "excel_says_tab.csv": "sep=\t\n" + BASE.replace(",", "\t"),
    "table.smi": "id\t" + BASE.replace(",", "\t").replace("\n", "\nx\t", 3),
    "quoted.csv": '"smiles","y"\n"CCO","0"\n"CCN","1"\n"c1ccccc1","0"\n',
    "quoted_lines.csv": 'smiles,y,note\nCCO,0,"two\nlines, ""so"""\nCCN,1,\nc1ccccc1,0,x\n',
    "blank_lines.csv": "\n" + BASE.replace("\n", "\n\n"),
    "spaces.csv": " smiles , y\n CCO ,0\nCCN, 1\nc1ccccc1 ,0 \n",
    "points.csv": BASE.replace("0\n", "0.0\n").replace("1\n", "1.00\n"),
    "other_name.csv": BASE.replace("smiles", "SMILES"),
    "nameless.csv": BASE.replace("smiles", "compound"),
    "no_header.csv": "CCO,0\nCCN,1\nc1ccccc1,0\n",
    "identifiers.csv": "id,smiles,y\n10,CCO,0\n11,CCN,1\n12,c1ccccc1,0\n",
    "pandas_index.csv": ",smiles,y\n0,CCO,0\n1,CCN,1\n2,c1ccccc1,0\n",
    "trailing_commas.csv": "smiles,y,\nCCO,0,\nCCN,1,\nc1ccccc1,0,\n",
    "trailing_commas_below.csv": "smiles,y\nCCO,0,\nCCN,1,\nc1ccccc1,0,\n",
    "words.csv": BASE.replace("0\n", "inactive\n").replace("1\n", "Active\n"),
    "yes_no.csv": "smiles,y\nCCO,No\nCCN,yes\nc1ccccc1,no\n",
    "booleans.csv": BASE.replace("0\n", "False\n").replace("1\n", "True\n"),
    "plus_minus.csv": BASE.replace("0\n", "-\n").replace("1\n", "+\n"),
    "negated.csv": BASE.replace("0\n", "non-blocker\n").replace("1\n", "blocker\n"),
    "agonists.csv": BASE.replace("0\n", "antagonist\n").replace("1\n", "agonist\n"),
    "permeability.csv": BASE.replace("0\n", "BBB-\n").replace("1\n", "BBB+\n"),
    "ordinary_words.csv": BASE.replace("0\n", "blue\n").replace("1\n", "red\n"),
}


@pytest.mark.parametrize("name", SAME_AS_BASE)
def test_same_data_however_written(name, write):
    data = load(write(name, SAME_AS_BASE[name]))
    assert data.smiles == ["CCO", "CCN", "c1ccccc1"]
    assert data.task == "classification"
    assert data.targets.ravel().tolist() == [0, 1, 0]
    assert data.rows.tolist() == [0, 1, 2]


NUMBERS = {
    "points.csv": ("smiles,y\nCCO,4.5\nCCN,-1e-1\nC,3\n", [4.5, -0.1, 3]),
    "decimal_comma.csv": ("smiles;y\nCCO;4,5\nCCN;-0,1\nC;3\n", [4.5, -0.1, 3]),
    "decimal_comma.tsv": ("smiles\ty\nCCO\t4,5\nCCN\t-0,1\nC\t3\n", [4.5, -0.1, 3]),
    "three_digits.csv": ("smiles;y\nCCO;4,512\nCCN;1,234\nC;3,111\n", [4.512, 1.234, 3.111]),
    "unicode_minus.csv": ("smiles,y\nCCO,−4.5\nCCN,0.1\nC,3\n", [-4.5, 0.1, 3]),
    "missing.csv": ("smiles,y\nCCO,4.5\nCCN,NA\nC,n/a\nN,-\nO,\nP,#N/A\nS,nan\nCl,None\n", [4.5] + [np.nan] * 7),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_read_as_they_are_meant(name, write):
    content, expected = NUMBERS[name]
    data = load(write(name, content), task="regression")
    np.testing.assert_allclose(data.targets.ravel(), np.array(expected))


MISTAKES = {
    "empty.csv": ("", "is empty"),
    "only_blanks.csv": ("\n  \n", "is empty"),
    "only_a_mark.csv": (b"\xef\xbb\xbf", "is empty"),
    "header_only.csv": ("smiles,y\n", "no rows"),
    "no_smiles.csv": ("a,y\n1,0\n2,1\n", r"smiles_column=.*'a', 'y'"),
    "long_row.csv": (BASE + "CC,1,5\n", r"line 5 has 3 cell.*header has 2"),
    "short_row.csv": (BASE + "CC\nCN,1\n", r"line 5 has 1 cell.*header has 2"),
    "long_row_after_blank.csv": ("smiles,y\n\nCCO,0\n\nCC,1,2\n", "line 5 has 3"),
    "long_row_after_quotes.csv": ('smiles,y\n"C\nC",0\nCC,1,2\n', "line 4 has 3"),
    "bare_decimal_comma.csv": ("smiles,y\nCCO,4,5\nCCN,1,2\n", "line 2 has 3 cell"),
    "other_separator_below.csv": ("smiles,y\nCCO;1\nCCN;0\n", "line 2 has 1 cell"),
    "comment_at_end.csv": (BASE + "# the end\n", "line 5 has 1 cell"),
    "open_quote.csv": ('smiles,y\nCCO,1\n"CCN,0\nCC,1\n', "line 3 is broken"),
    "three_words.csv": ("smiles,y\nCCO,low\nCC,high\nC,mid\nN,low\n", "3 different words"),
    "one_misspelt.csv": ("smiles,y\nCCO,active\nCC,inactive\nC,actve\nN,active\nO,inactive\n", "'actve' on line 4"),
    "words_and_numbers.csv": ("smiles,y\nCCO,active\nCC,0\nC,1\nN,1\n", r"line 2: 'active' is not a number"),
    "two.csv": ("smiles,y\nCCO,0\nCC,1\nC,2\n", r"2 is not a class.*line 4.*task='regression'"),
    "half.csv": ("smiles,y\n" + "CCO,0\nCC,1\n" * 5 + "C,0.5\n", r"0.5 is not a class.*line 12"),
    "minus_one.csv": ("smiles,y\nCCO,-1\nCC,1\nC,1\n", r"-1 is not a class.*line 2"),
    "about.csv": ("smiles,y\nCCO,3.3\nCC,~4.5\nC,2.2\nN,~1\n", r"line 3: '~4.5' is an approximate value.*line 5"),
    "infinite.csv": ("smiles,y\nCCO,3.3\nCC,-inf\nC,2.2\n", r"line 3: '-inf' is infinite"),
    "too_large.csv": ("smiles,y\nCCO,3.3\nCC,1e39\nC,2.2\n", r"line 3: '1e39' is infinite or too large"),
    "comma_in_point_file.csv": ('smiles,y\nCCO,3.3\nCC,"4,5"\nC,2.2\n', r"line 3: '4,5' has a decimal comma"),
    "comma_and_point.csv": ("smiles;y\nCCO;3.3\nCC;4,5\nC;2.2\n", r"line 3: '4,5' has a decimal comma"),
    "thousands.tsv": ("smiles\ty\nCCO\t4,500\nCCN\t1,250\n", "decimal comma"),
    "thousands.csv": ('smiles,y\nCCO,"1,234.5"\nCC,0.5\n', "line 2: '1,234.5' is not a number"),
    "units.csv": ("smiles,y\nCCO,5 nM\nCC,6 nM\n", "line 2: '5 nM' is not a number"),
    "percent.csv": ("smiles,y\nCCO,50%\nCC,10%\n", "line 2: '50%' is not a number"),
    "excel_error.csv": ("smiles,y\nCCO,#VALUE!\nCC,0.5\nC,0.7\n", "line 2: '#VALUE!' is not a number"),
    "no_labels.csv": ("smiles,y\nCCO,\nCC,\n", "no label"),
    "twice.csv": ("smiles,y,y\nCCO,1,2\nCC,0,3\n", "2 columns are called 'y'"),
    "smiles_twice.csv": ("smiles,smiles,y\nCCO,C,1\nCC,C,0\n", "2 columns are called 'smiles'"),
    "classes_and_numbers.csv": ("smiles,y,potency\nCCO,1,46.1\nCC,0,30.1\n", "choose tasks= of one kind"),
    "nothing_readable.csv": ("smiles,y\nxx,1\nyy,0\n", "none of the 2 rows has a readable SMILES"),
    "truncated.csv.gz": (gzip.compress(LONG.encode())[:-20], "damaged or incomplete"),
    "workbook.xlsx": (b"PK\x03\x04abc", "Excel workbook"),
    "page.csv": ("<!DOCTYPE html><html>", "HTML"),
    "pointer.csv": ("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
    "json.json": ('{"smiles": ["C"]}', "JSON"),
    "binary.csv": (bytes(range(256)) * 10, "binary"),
    "structures.pdb": ("x", "structures of a kind that is not read"),
    "broken.parquet": (b"PAR1xxxx", "not a Parquet file"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_told_in_one_line_with_the_file(name, write):
    content, message = MISTAKES[name]
    with pytest.raises(DataError, match=message) as caught:
        load(write(name, content))
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


def test_not_there(tmp_path, write):
    write("molecules.csv", BASE)
    with pytest.raises(FileNotFoundError, match=r"Did you mean .*molecules\.csv"):
        load(tmp_path / "molecule.csv")
    with pytest.raises(DataError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(DataError, match="Did you mean 'b3db'"):
        load("b3bd")
    with pytest.raises(DataError, match="a single SMILES goes into a list"):
        load("CCO")


def test_latin1_is_said(write):
    data = load(write("old.csv", "smiles,y,Größe\nCCO,0,é\nCCN,1,µ\n".encode("latin-1")))
    assert any("Latin-1" in note for note in data.notes)
    with pytest.raises(DataError, match="not written in encoding 'utf-8'"):
        load(write("old.csv", "smiles,y,Größe\nCCO,0,é\n".encode("latin-1")), encoding="utf-8")
    with pytest.raises(DataError, match="encoding='utf8000' is unknown"):
        load(write("old.csv", BASE), encoding="utf8000")


def test_smi_files(write):
    data = load(write("some.smi", "CCO ethanol\nCCN\tethyl amine\n\nbad( x\nC\n"))
    assert data.smiles == ["CCO", "CCN", "C"]
    assert data.rows.tolist() == [0, 1, 4]
    assert [entry.row for entry in data.invalid] == [2, 3]
    assert data.task == "unlabelled"
    assert load(write("header.smi", "SMILES name\nCCO x\n")).smiles == ["CCO"]


def test_an_empty_line_is_a_molecule_only_in_a_single_column(write):
    single = load(write("single.csv", "smiles\nCCO\n\nCCN\n\n\n"))
    assert single.rows.tolist() == [0, 2]
    assert [(entry.row, entry.reason) for entry in single.invalid] == [(1, "empty SMILES")]
    several = load(write("several.csv", "smiles,y\nCCO,0\n\nCCN,1\n,1\n\n"))
    assert several.rows.tolist() == [0, 1]
    assert [entry.row for entry in several.invalid] == [2]


def test_parquet_keeps_types(tmp_path):
    path = tmp_path / "data.parquet"
    pd.DataFrame({"smiles": ["CCO", None, "CCN"], "y": [0.5, 1.5, np.nan]}).to_parquet(path)
    data = load(path)
    assert data.rows.tolist() == [0, 2]
    np.testing.assert_array_equal(data.targets.ravel(), [0.5, np.nan])


def test_what_was_understood_is_noted(write):
    content = "name,Structure,activity\nx,CCO,no\ny,CCN,yes\nz,C(,yes\n"
    data = load(write("told.csv", content))
    notes = "\n".join(data.notes)
    assert "'Structure'" in notes
    assert "'no' is class 0, 'yes' is class 1" in notes
    assert "1 of 3 rows left out" in notes
    assert "line 4" in notes
    assert data.label_names == {"activity": ("no", "yes")}


def test_the_mapping_of_another_file_can_be_imposed(write):
    path = write("reversed.csv", BASE.replace("0\n", "yes\n").replace("1\n", "no\n"))
    assert load(path).targets.ravel().tolist() == [1, 0, 1]
    assert load(path, label_names={"y": ("yes", "no")}).targets.ravel().tolist() == [0, 1, 0]
    with pytest.raises(DataError, match=r"line 2: 'yes' is neither 'dead' \(class 0\) nor 'alive'"):
        load(path, label_names={"y": ("dead", "alive")})


def test_constant_and_one_class_columns_are_noted(write):
    assert any("one class" in note for note in load(write("one.csv", "smiles,y\nC,1\nCC,1\n")).notes)
    constant = load(write("constant.csv", "smiles,y\nC,2.5\nCC,2.5\n"), task="regression")
    assert any("constant" in note for note in constant.notes)
