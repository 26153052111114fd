"""InChI, CXSMILES and RDKit's objects in the place of SMILES."""

import pickle

import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import PandasTools

import zoo
from featurizers import InvalidMolecule
from featurizers.reading import read_molecule
from zoo.data.reading.delimited import split_smiles_line
from zoo.data.reading.molecule_cells import Unreadable, cell_text

SMILES = ["CCO", "C[C@H](N)C(=O)O", "c1ccncc1", "CC(=O)[O-]", "C/C=C/C"]
INCHIS = [Chem.MolToInchi(Chem.MolFromSmiles(smiles)) for smiles in SMILES]


@pytest.mark.parametrize(("smiles", "inchi"), zip(SMILES, INCHIS, strict=True))
def test_an_inchi_is_read_like_its_smiles(smiles, inchi):
    assert Chem.MolToSmiles(read_molecule(f" {inchi} ")) == Chem.CanonSmiles(smiles)


def test_a_column_of_inchi_is_found_and_becomes_smiles(tmp_path):
    path = tmp_path / "inchi.csv"
    pd.DataFrame({"InChI": [*INCHIS, "InChI=1S/nonsense"], "y": range(6)}).to_csv(path, index=False)
    data = zoo.data.load(path, task="regression")
    assert data.smiles == [Chem.CanonSmiles(smiles) for smiles in SMILES]
    assert [(entry.where, entry.reason) for entry in data.invalid] == [("line 7", "RDKit cannot read this InChI")]
    learner = zoo.build("gcn", device="cpu")
    assert learner.predict(INCHIS) == pytest.approx(learner.predict(SMILES), abs=1e-6)
    assert learner.predict(path)[:5] == pytest.approx(learner.predict(SMILES), abs=1e-6)


def test_smiles_are_preferred_to_inchi(tmp_path):
    frame = pd.DataFrame({"inchi": INCHIS, "smiles": SMILES, "y": range(5)})
    assert zoo.data.load(frame, task="regression").smiles == SMILES
    assert zoo.data.load(frame, task="regression", smiles_column="inchi").smiles[0] == "CCO"


def test_a_formula_of_thousands_of_atoms_takes_no_time():
    with pytest.raises(InvalidMolecule):
        read_molecule("InChI=1S/C14712H29426N/c1-5(2,3)4/h1-4H3/q+1")


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("CCO |$a;;$| ethanol, dry", ["CCO |$a;;$|", "ethanol, dry"]),
        ("CCO\t|^1:0|", ["CCO\t|^1:0|"]),
        ("CCO ethanol | dry", ["CCO", "ethanol | dry"]),
        ("CCO |unclosed", ["CCO", "|unclosed"]),
        ("  CCO  ", ["CCO"]),
        ("", []),
    ],
)
def test_an_extension_belongs_to_its_smiles(line, cells):
    assert split_smiles_line(line) == cells


def test_extensions_in_files_and_lists(tmp_path):
    path = tmp_path / "extended.smi"
    path.write_text("CCO |$a;;$| one\nC[C@H](N)O |&1:1| two\nCCC |nonsense| three\nCCN four\n")
    data = zoo.data.load(path)
    assert data.extras["name"].tolist() == ["one", "two", "four"]
    assert [entry.reason for entry in data.invalid] == ["the CXSMILES extension behind the blank cannot be read"]
    assert data.canonical_smiles == ["CCO", "C[C@H](N)O", "CCN"]
    learner = zoo.build("gcn", device="cpu")
    assert learner.predict(["CCO |$a;;$|"]) == pytest.approx(learner.predict(["CCO"]))
    frame = pd.DataFrame({"smiles": ["CCO |(0,0,;1,0,;2,0,)|", "CCN"], "y": [0.5, 1.5]})
    frame.to_csv(tmp_path / "extended.csv", index=False)
    assert zoo.data.load(tmp_path / "extended.csv").canonical_smiles == ["CCO", "CCN"]


def test_rdkit_molecules_in_lists_and_frames():
    molecules = [Chem.MolFromSmiles(smiles) for smiles in SMILES]
    assert zoo.data.load([*molecules, None]).smiles == [Chem.CanonSmiles(smiles) for smiles in SMILES]
    labelled = zoo.data.load((molecules, [1.5, 2.5, 3.5, 4.5, 5.25]))
    assert labelled.smiles == [Chem.CanonSmiles(smiles) for smiles in SMILES]
    frame = pd.DataFrame({"structure": SMILES, "y": [1.5, 2.5, 3.5, 4.5, 5.25]})
    PandasTools.AddMoleculeColumnToFrame(frame, "structure", "ROMol")
    for columns in (["structure", "ROMol", "y"], ["ROMol", "y"]):
        data = zoo.data.load(frame[columns])
        assert [Chem.CanonSmiles(smiles) for smiles in data.smiles] == [Chem.CanonSmiles(smiles) for smiles in SMILES]
        assert data.task_names == ("y",)
        assert [len(chunk.smiles) for chunk in zoo.data.stream(frame[columns])] == [5]
    learner = zoo.build("gcn", device="cpu")
    assert learner.predict(frame[["ROMol"]]) == pytest.approx(learner.predict(SMILES), abs=1e-6)


def test_an_object_that_cannot_be_written_is_a_row_with_a_reason():
    huge = Chem.MolFromSmiles("C" * 12_000)
    assert cell_text(huge).reason == "12000 atoms, more than max_atoms=10000"
    data = zoo.data.load(pd.DataFrame({"mol": [Chem.MolFromSmiles("CCO"), huge]}))
    assert [(entry.row, entry.reason) for entry in data.invalid] == [(1, "12000 atoms, more than max_atoms=10000")]


def test_a_cell_that_cannot_be_read_stays_one_in_other_processes():
    cell = pickle.loads(pickle.dumps(Unreadable("why")))
    assert (cell, cell.reason, cell_text(cell).reason) == ("", "why", "why")
