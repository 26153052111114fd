"""A file with several columns of molecules: which are meant is asked, not guessed."""

import pandas as pd
import pytest

import zoo

PAIRS = {
    "solute": ["CCO", "CCN", "c1ccccc1", "CC(=O)O"],
    "solvent": ["O", "CO", "CS(C)=O", "ClCCl"],
    "y": [1.5, 2, 3, 4],
}
QUESTION = (
    r"columns 'solute', 'solvent' hold different molecules: is one of them meant \(smiles_column='solute'\), or all "
    r"\(smiles_columns=\['solute', 'solvent'\]; --smiles-columns solute solvent\)\?"
)


def test_two_columns_of_molecules_are_a_question(tmp_path):
    path = tmp_path / "pairs.csv"
    pd.DataFrame(PAIRS).to_csv(path, index=False)
    for ask in (zoo.data.load, zoo.data.check, zoo.data.stream):
        with pytest.raises(zoo.data.DataError, match=QUESTION) as caught:
            ask(path)
        assert "\n" not in str(caught.value)
    assert zoo.data.load(path, smiles_column="solvent").smiles == PAIRS["solvent"]
    assert zoo.data.load(path, smiles_columns=["solvent", "solute"]).partners == (PAIRS["solute"],)
    assert zoo.data.check(path, smiles_columns=["solute", "solvent"]).columns == {
        "solute": "SMILES", "solvent": "SMILES", "y": "task",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("names", "asked"),
    [
        (("smiles", "solvent_smiles"), True),
        (("smiles", "Solvent"), True),
        (("SMILES", "partner"), True),
        (("smiles", "remark"), False),
        (("smiles", "scaffold"), False),
        (("compound_smiles", "murcko_smiles"), False),
    ],
)
def test_what_is_asked_depends_on_the_names(names, asked):
    frame = pd.DataFrame(dict(zip([*names, "y"], PAIRS.values(), strict=True)))
    if asked:
        with pytest.raises(zoo.data.DataError, match="hold different molecules"):
            zoo.data.load(frame)
    else:
        data = zoo.data.load(frame)
        assert data.smiles == PAIRS["solute"]
        assert any(f"{names[1]!r} hold other molecules" in note for note in data.notes)


@pytest.mark.parametrize(
    "other",
    [["OCC", "NCC", "C1=CC=CC=C1", "OC(C)=O"], ["ethanol", "ethylamine", "benzene", "acetic acid"],
     ["A", "B", "C", "N"], ["CNS", "CNS", "CNS", "CNS"], [1, 2, 3, 4], ["", "", "", ""]],
    ids=["the same molecules", "names", "letters", "a word", "numbers", "nothing"],
)  # fmt: skip
def test_columns_that_hold_no_other_molecules_are_no_question(other):
    frame = pd.DataFrame({"structure": PAIRS["solute"], "other": other, "y": PAIRS["y"]})
    assert zoo.data.load(frame, tasks="y").smiles == PAIRS["solute"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"smiles_columns": ["solute", "missing"]}, "no column 'missing'"),
        ({"smiles_columns": ["solute", "solute"]}, "name each column once"),
        ({"smiles_columns": ["solute", "solvent"], "smiles_column": "solvent"}, "leave smiles_column= out"),
        ({"smiles_columns": ["solute", "solvent"], "tasks": ["solvent"]}, "solvent"),
        (
            {"smiles_columns": ["solute", "solvent"], "feature_columns": ["solvent"]},
            "'solvent' is a feature and the SMILES",
        ),
    ],
)
def test_choices_that_are_none_are_one_line(options, message):
    with pytest.raises(zoo.data.DataError, match=message):
        zoo.data.load(pd.DataFrame(PAIRS), **options)


def test_one_name_in_the_list_is_one_column():
    data = zoo.data.load(pd.DataFrame(PAIRS), smiles_columns=["solvent"], tasks="y")
    assert (data.smiles, data.partners, data.smiles_columns) == (PAIRS["solvent"], (), ())
