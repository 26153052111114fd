"""Where a table begins, what separates it, and which column holds the molecules: no row is lost, no column mistaken."""

from __future__ import annotations

import pandas as pd
import pytest

from zoo.data import DataError, load, stream

TABLE = "smiles,y\nCCO,0\nCCN,1\nc1ccccc1,0\n"

BADLY_BEGUN = {
    "words.csv": ("C(C,a\nCCO,b\nCCN,a\n", ["C(C", "CCO", "CCN"]),
    "numbers.csv": ("C(C,0\nCCO,1\nCCN,0\n", ["C(C", "CCO", "CCN"]),
    "names_first.csv": ("a,CCO\nb,CCN\nc,CC\n", ["CCO", "CCN", "CC"]),
    "single.csv": ("C1CC(\nCCO\nCCN\n", ["C1CC(", "CCO", "CCN"]),
    "named.smi": ("xx(( foo\nCCO a\nCCN b\n", ["xx((", "CCO", "CCN"]),
    "title.smi": ("Title of it\nCCO a\n", ["Title", "CCO"]),
    "names.smi": ("mol1 CCO\nmol2 CCN\n", ["CCO", "CCN"]),
    "name_with_the_word.smi": ("CCO smiles of it\nCCN b\n", ["CCO", "CCN"]),
    "many_lines.csv": ("CCO,0\n" + 'CCN,"' + "x\n" * 200 + '"\nCC,1\n', ["CCO", "CCN", "CC"]),
}


@pytest.mark.parametrize("name", BADLY_BEGUN)
def test_the_first_molecule_is_not_taken_for_a_header(name, write):
    content, smiles = BADLY_BEGUN[name]
    assert [text for chunk in stream(write(name, content)) for text in chunk.smiles] == smiles


HEADERS = {
    "numbers.csv": ("0,1\nCCO,0\nCCN,1\n", ["0", "1"]),
    "parentheses.csv": ("Ligand(2D),y\nCCO,0\nCCN,1\n", ["Ligand(2D)", "y"]),
    "element.csv": ("drug,N\nCCO,0\nCCN,1\n", ["drug", "N"]),
    "blank.csv": ("smiles y\nCCO 0\nCCN 1\n", ["smiles", "y"]),
    "blanks.txt": ("id   smiles  y \na   CCO     0 \nb   CCN     1 \n", ["id", "smiles", "y", ""]),
    "comma.smi": ("smiles,name\nCCO,a\nCCN,b\n", ["smiles", "name"]),
    "comma_without.smi": ("CCO,a\nCCN,b\n", ["smiles", "column_2"]),
    "later_names.smi": ("CCO\nCCN b\nCC c d\n", ["smiles", "name"]),
    "comment.csv": ("# by a tool\n" + TABLE, ["smiles", "y"]),
    "title.csv": ("My results,\n,\n" + TABLE, ["smiles", "y"]),
    "title.tsv": ("My results\n\n" + TABLE.replace(",", "\t"), ["smiles", "y"]),
    "quoted_sep.csv": ('"sep=;"\n' + TABLE.replace(",", ";"), ["smiles", "y"]),
}


@pytest.mark.parametrize("name", HEADERS)
def test_columns_are_found(name, write):
    content, columns = HEADERS[name]
    rows = stream(write(name, content))
    assert rows.columns == columns
    assert [text for chunk in rows for text in chunk.smiles][:2] == ["CCO", "CCN"]


def test_names_behind_later_smiles_are_kept(write):
    (chunk,) = stream(write("later.smi", "CCO\nCCN b\nCC c d\n"))
    assert chunk.rows["name"].tolist() == ["", "b", "c d"]


def test_lines_are_counted_from_the_top_of_the_file(write):
    path = write("title.csv", "My results\n\n" + TABLE + "C(,1\n")
    data = load(path)
    assert any("2 line(s) above the header" in note for note in data.notes)
    assert any("line 7" in note for note in data.notes)


COLUMNS = {
    "molecule,compound": "compound",
    "molecule,smiles_std": "smiles_std",
    "Molecule,Structure_Smiles": "Structure_Smiles",
    "SMILES_ID,Drug": "Drug",
    "smiles,other": "smiles",
}


@pytest.mark.parametrize("header", COLUMNS)
def test_the_column_that_holds_molecules_is_taken(header, write):
    cells = ["Aspirin,CCO", "Caffeine,CCN", "X1,c1ccccc1"]
    if header.startswith("smiles,"):
        cells = [",".join(reversed(row.split(","))) for row in cells]
    rows = stream(write("two.csv", "\n".join([header, *cells])))
    assert rows.smiles_column == COLUMNS[header]


def test_a_column_of_text_in_the_index_of_a_frame_counts(tmp_path):
    frame = pd.DataFrame({"y": [0, 1]}, index=pd.Index(["CCO", "CCN"], name="smiles"))
    frame.to_parquet(tmp_path / "index.parquet")
    for source in (frame, tmp_path / "index.parquet"):
        assert load(source).smiles == ["CCO", "CCN"]
        assert [chunk.smiles for chunk in stream(source)] == [["CCO", "CCN"]]


def test_series_are_columns_whatever_their_index(write):
    smiles, labels = pd.Series(["CCO", "CCN", "CC"], index=[1, 2, 3]), pd.Series([0, 1, 0])
    data = load({"smiles": smiles, "y": labels})
    assert data.smiles == ["CCO", "CCN", "CC"]
    assert data.targets.ravel().tolist() == [0, 1, 0]
    with pytest.raises(DataError, match="give equal lengths"):
        load({"smiles": smiles, "y": labels[:2]})


@pytest.mark.parametrize("cells", [["-1", "1", "1"], [-1.0, 1.0, 1.0], ["-1.0", "1.0", "1"], [-1, 1, 1]])
def test_classes_may_be_called_by_other_numbers(cells):
    smiles = ["CCO", "CCN", "CC"]
    assert load((smiles, cells), label_names={"target": (-1, 1)}).targets.ravel().tolist() == [0, 1, 1]
    with pytest.raises(DataError, match="give those of class 0"):
        load((smiles, cells), label_names={"target": (1,)})


def test_censored_values_marked_in_a_column_of_their_own_are_said(write):
    data = load(write("db.csv", "smiles;Standard Relation;y\nCCO;'=';1.5\nCCN;'>';10\nCC;'<';2.5\n"), tasks="y")
    assert any("'Standard Relation' marks 2 rows as censored (first: line 3" in note for note in data.notes)


@pytest.mark.parametrize("words", ["nein ja", "FALSCH WAHR", "faux vrai", "non oui", "-ve +ve", "I A", "CI CA"])
def test_words_of_other_tongues_have_the_order_that_they_mean(words, write):
    negative, positive = words.split()
    data = load(write("words.csv", f"smiles,y\nCCO,{positive}\nCCN,{negative}\nCC,{positive}\n"))
    assert data.targets.ravel().tolist() == [1, 0, 1]


def test_a_control_character_in_text_does_not_make_it_binary(write):
    assert len(load(write("text.csv", "smiles,note,y\nCCO,a\x1eb,0\nCCN,c,1\n"))) == 2


def test_smiles_as_bytes(tmp_path):
    frame = pd.DataFrame({"smiles": [b"CCO", b"CCN"], "fp": [[1, 2], [3, 4]], "y": [0, 1]})
    frame.to_parquet(tmp_path / "bytes.parquet")
    assert load(tmp_path / "bytes.parquet").smiles == load(frame).smiles == ["CCO", "CCN"]


def test_what_stands_behind_a_smiles_is_said(write):
    data = load(write("names.csv", 'smiles,y\nCCO ethanol,0\n"CC\nO",1\nCCN |f:0|,1\nCC,0\n'))
    assert any("2 SMILES end at a blank" in note and "line 2" in note for note in data.notes)


WRONG = {
    "image.csv": (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, {}, "binary"),
    "zeros.csv": (b"\0" * 500, {}, "binary"),
    "pickle.csv": (b"\x80\x04\x95\x10smiles,y\n", {}, "binary"),
    "prices.csv": ("smiles,y\nCCO,$1.5\nCCN,$2.5\nCC,$1.5\n", {}, r"line 2: '\$1.5' is not a number"),
    "accounting.csv": ("smiles,y\nCCO,(1.5)\nCCN,(2.5)\n", {}, r"line 2: '\(1.5\)' is not a number"),
    "apostrophe.csv": ("smiles,y\nCCO,'1.5\nCCN,'2.5\nCC,'1.5\n", {}, 'line 2: "\'1.5" is not a number'),
    "caret.csv": ("smiles^y\nCCO^0\nCCN^1\n", {}, "line 2: 'CCO.0': not a SMILES.*separator="),
    "large.csv": (TABLE, {"max_atoms": 2}, "line 2: 'CCO': 3 atoms, more than max_atoms=2"),
    "none.csv": (TABLE, {"max_atoms": 0}, "max_atoms=0: give a positive number"),
    "mark.csv": (TABLE, {"decimal": "x"}, "decimal='x': choose"),
    "labels.csv": (TABLE, {"label_names": {"z": ("a", "b")}}, "label_names= of 'z', which are not tasks. Tasks: 'y'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_mistakes_name_what_is_wrong(name, write):
    content, options, message = WRONG[name]
    with pytest.raises(DataError, match=message):
        load(write(name, content), **options)


def test_molecules_that_are_too_large_for_rdkit_are_refused_by_row(write):
    path = write("large.csv", f"smiles,y\n{'C' * 20_000},0\nCCO,1\nCCN,0\n{'C' * 3000},1\n")
    data = load(path)
    assert [(entry.row, entry.reason) for entry in data.invalid] == [(0, "20000 atoms, more than max_atoms=10000")]
    assert data.scaffolds == ["", "", ""]
