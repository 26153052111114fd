"""SD and MOL files: V2000 and V3000, properties, titles, broken records."""

import contextlib
import gzip

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import rdDepictor, rdDistGeom

import zoo
from featurizers import InvalidMolecule
from featurizers.mol_block import smiles_of_block
from zoo.data.reading.structures import StructureFile, read_properties

SMILES = ("CCO", "c1ccc2[nH]ccc2c1", "C[C@H](N)C(=O)O", "F/C=C/F", "[Na+].[Cl-]", "[13CH4]", "C[N+](C)(C)C")


def block(smiles, v3000=False, title="", three_d=False):
    mol = Chem.MolFromSmiles(smiles)
    if three_d:
        mol = Chem.AddHs(mol)
        rdDistGeom.EmbedMolecule(mol, randomSeed=1)
    else:
        rdDepictor.Compute2DCoords(mol)
    mol.SetProp("_Name", title)
    return Chem.MolToMolBlock(mol, forceV3000=v3000)


def record(smiles, properties=(), **how):
    items = "".join(f"> <{name}>  (1)\n{value}\n\n" for name, value in properties)
    return f"{block(smiles, **how)}{items}$$$$\n"


BROKEN = "no molecule\n\n\nhello\nM  END\n> <logS>\n9\n\n$$$$\n"
VALENCE = record("CC(C)(C)C", [("logS", 8)]).replace("  1  2  1  0", "  1  2  3  0")
LIBRARY = (
    record("CCO", [("logS", -0.5), ("note", "two\nlines")], title="ethanol")
    + record("CCN", [("logS", 0.25)], v3000=True, title="ethylamine")
    + BROKEN
    + record("CCC", [("other", "x")])
    + VALENCE
)


@pytest.fixture
def library(tmp_path):
    path = tmp_path / "library.sdf"
    path.write_text(LIBRARY)
    return path


@pytest.mark.parametrize("smiles", SMILES)
@pytest.mark.parametrize("how", [{}, {"v3000": True}, {"three_d": True}], ids=["V2000", "V3000", "3D, hydrogens"])
def test_a_molecule_is_what_its_smiles_says(smiles, how):
    assert smiles_of_block(block(smiles, **how)) == Chem.CanonSmiles(smiles)


def test_records_are_rows_and_properties_columns(library):
    data = zoo.data.load(library, tasks="logS")
    frame = data.to_frame(extras=True)
    assert frame["smiles"].tolist() == ["CCO", "CCN", "CCC"]
    assert frame["name"].tolist() == ["ethanol", "ethylamine", ""]
    assert frame["note"].tolist() == ["two\nlines", "", ""]
    assert frame["logS"].tolist()[:2] == [-0.5, 0.25]
    assert frame.index.tolist() == [0, 1, 3]
    lines = LIBRARY.split("\n")
    assert [lines[line - 1] for line in frame["line"]] == ["ethanol", "ethylamine", ""]
    assert [(entry.row, entry.reason) for entry in data.invalid] == [
        (2, "no mol block: the counts line is 'hello'"),
        (4, data.invalid[1].reason),
    ]
    assert "valence" in data.invalid[1].reason
    assert lines[data.invalid[0].line - 1] == "no molecule"


@pytest.mark.parametrize("name", ["packed.sdf.gz", "LIBRARY.SDF", "library.sd", "no_ending"])
def test_compression_and_other_names(tmp_path, library, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(LIBRARY.encode()) if name.endswith("gz") else LIBRARY.encode())
    assert zoo.data.load(path, tasks="logS").fingerprint == zoo.data.load(library, tasks="logS").fingerprint


def test_windows_line_ends_and_a_byte_order_mark(tmp_path, library):
    path = tmp_path / "windows.sdf"
    path.write_bytes(b"\xef\xbb\xbf" + LIBRARY.replace("\n", "\r\n").encode())
    assert zoo.data.load(path, tasks="logS").smiles == zoo.data.load(library, tasks="logS").smiles


@pytest.mark.parametrize("size", [1, 2, 100])
def test_streams_give_one_row_for_each_record(library, size):
    rows = zoo.data.stream(library, chunk_size=size)
    assert rows.count() == rows.estimate() == 5
    chunks = list(rows)
    assert [smiles for chunk in chunks for smiles in chunk.smiles] == ["CCO", "CCN", "", "CCC", ""]
    assert sum(len(chunk.reasons) for chunk in chunks) == 2
    assert [smiles for chunk in rows.between(1, 4) for smiles in chunk.smiles] == ["CCN", "", "CCC"]


def test_a_learner_predicts_every_record_and_gives_the_reasons(library, tmp_path):
    learner = zoo.build("gcn", task="regression", device="cpu")
    found = learner.predictions(library)
    assert found.failed.tolist() == [False, False, True, False, True]
    assert found.reasons[2] == "no mol block: the counts line is 'hello'"
    learner.save(tmp_path / "run")
    done = zoo.inference.predict_file(tmp_path / "run", library, tmp_path / "out.csv", device="cpu", num_workers=0)
    table = pd.read_csv(tmp_path / "out.csv")
    assert (done.rows, done.failed) == (5, 2)
    assert table.columns.tolist() == ["smiles", "name", "logS", "note", "other", "predicted_task_0", "reason"]
    assert table["reason"].notna().tolist() == found.failed.tolist()


def test_a_mol_file_is_one_row(tmp_path):
    path = tmp_path / "one.mol"
    path.write_text(block("CCO", title="ethanol"))
    assert zoo.data.load(path).to_frame(extras=True)[["smiles", "name"]].values.tolist() == [["CCO", "ethanol"]]


def test_properties_whose_names_are_taken(tmp_path):
    path = tmp_path / "taken.sdf"
    path.write_text(record("CCO", [("smiles", "wrong"), ("Name", "n"), ("y", 1.5)], title="t"))
    assert zoo.data.load(path, tasks="y").smiles == ["CCO"]
    assert StructureFile(path).columns == ["structure", "title", "smiles", "Name", "y"]


@pytest.mark.parametrize(
    ("content", "message"),
    [("", "is empty"), ("\n\n", "is empty"), ("$$$$\n", "none of the 1 rows"), (BROKEN, "none of the 1 rows")],
)
def test_files_without_molecules_are_one_line(tmp_path, content, message):
    path = tmp_path / "bad.sdf"
    path.write_text(content)
    with pytest.raises(zoo.data.DataError, match=message):
        zoo.data.load(path, tasks=[])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (("M  END", ""), "ends before its line M  END"),
        (("COUNTS 2 1", "COUNTS 9999999999999 1"), "999999999 atoms, more than 10000"),
        (("V30 1 C", "V30 1 Qx"), "a line of its atoms or bonds is malformed"),
        (("COUNTS 2 1", "COUNTS 20000 1"), "20000 atoms, more than 10000"),
        (("COUNTS 2 1", "COUNTS 2 99"), "malformed"),
        (("BEGIN ATOM", "BEGIN BOND"), "malformed"),
    ],
)
def test_hostile_blocks_have_a_reason(change, reason):
    with pytest.raises(InvalidMolecule, match=reason):
        smiles_of_block(block("CO", v3000=True).replace(*change))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_blocks_never_raise_anything_else(data):
    text = list(data.draw(st.sampled_from([block("CCO"), block("C[C@H](N)O", v3000=True)])))
    for _ in range(data.draw(st.integers(1, 5))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.sampled_from("0 9-.MVENDCx*R#\n\x00é"))
    with contextlib.suppress(InvalidMolecule):
        assert smiles_of_block("".join(text))


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text("abc_XY 12", min_size=1).map(str.strip).filter(bool),
        st.text("xyz 0.5-", min_size=1).map(str.strip).filter(bool),
        max_size=4,
    )
)
def test_properties_are_read_as_rdkit_writes_them(properties):
    mol = Chem.MolFromSmiles("CCO")
    for name, value in properties.items():
        mol.SetProp(name, value)
    text = Chem.SDWriter.GetText(mol)
    items = text[text.index("M  END") :].split("\n")[1:-2]
    assert read_properties(items) == properties
