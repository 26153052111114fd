"""What is predicted: of whatever holds molecules, with reasons, by the names of tasks."""

import warnings

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem

import zoo
from featurizers import InvalidMolecule, together
from zoo.data import DataError
from zoo.inference import workers
from zoo.inference.job import Job
from zoo.learners import Predictions

SMILES = ["CCO", "not a molecule", "c1ccccc1", ""]


@pytest.fixture(scope="module")
def learner():
    return zoo.build("gcn", num_tasks=2, task="regression", model_args={"hidden_size": 8}, device="cpu")


@pytest.fixture(scope="module")
def expected(learner):
    return learner.predict(SMILES)


def test_values_and_reasons_of_each_molecule(learner, expected):
    found = learner.predictions(SMILES)
    assert isinstance(found, Predictions)
    np.testing.assert_array_equal(found.values, expected)
    assert found.failed.tolist() == np.isnan(expected).all(1).tolist() == [False, True, False, True]
    assert "syntax error" in found.reasons[1]
    assert found.reasons[3] == "empty SMILES"
    frame = found.to_frame()
    assert list(frame) == ["predicted_task_0", "predicted_task_1", "reason"]
    with pytest.raises(InvalidMolecule, match="not a molecule"):
        learner.predictions(SMILES, on_invalid="raise")


def test_tables_of_everything_that_predictions_may_hold():
    values = np.arange(8.0).reshape(2, 2, 2)
    found = Predictions(
        values,
        np.array(["", ""]),
        ("a_no", "a_yes", "b_no", "b_yes"),
        spread=values,
        in_domain=np.array([True, False]),
        index=["x", "y"],
    )
    frame = found.to_frame()
    assert list(frame.index) == ["x", "y"]
    assert frame["predicted_b_yes"].tolist() == [3, 7]
    assert frame["in_domain"].tolist() == [True, False]
    interval = Predictions(values[..., 0], found.reasons, ("a", "b"), interval=values).to_frame()
    assert (interval["lower_a"].tolist(), interval["upper_b"].tolist()) == ([0, 4], [3, 7])


def test_a_molecule_is_read_once_and_a_missing_number_has_its_reason(learner, monkeypatch):
    calls, read = [], together.read_molecule
    monkeypatch.setattr(together, "read_molecule", lambda molecule, **how: (calls.append(molecule), read(molecule))[1])
    reasons = workers.predict_rows(learner, SMILES, Job("", "cpu", 64))["reason"]
    assert calls == SMILES
    assert [bool(reason) for reason in reasons] == [False, True, False, True]
    monkeypatch.setattr(type(learner), "predict_packed", lambda self, packed, size: np.array([[1.0, 2], [np.nan, 1]]))
    assert learner.predictions(["CCO", "CCN"]).reasons.tolist() == ["", "the model gave no number"]


FORMS = {
    "a frame": lambda folder: pd.DataFrame({"id": range(4), "smiles": SMILES, "y": 1.0}),
    "a frame with another name": lambda folder: pd.DataFrame({"structure": SMILES, "id": range(4)}),
    "a mapping": lambda folder: {"id": [1, 2, 3, 4], "smiles": SMILES},
    "a series": lambda folder: pd.Series(SMILES, index=[5, 6, 7, 8]),
    "an array": lambda folder: np.array(SMILES),
    "a generator": lambda folder: (smiles for smiles in SMILES),
    "a missing cell": lambda folder: [*SMILES[:3], None],
    "a file": lambda folder: str(folder / "molecules.csv"),
    "a path": lambda folder: folder / "molecules.csv",
    "a parquet file": lambda folder: str(folder / "molecules.parquet"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_forms_of_molecules(learner, expected, tmp_path, form):
    table = pd.DataFrame({"id": range(4), "smiles": SMILES})
    table.to_csv(tmp_path / "molecules.csv", index=False)
    table.to_parquet(tmp_path / "molecules.parquet")
    np.testing.assert_array_equal(learner.predict(form(tmp_path)), expected)


def test_frames_keep_their_index(learner):
    frame = pd.DataFrame({"smiles": SMILES}, index=[9, 3, 5, 7])
    assert learner.predictions(frame).to_frame().index.tolist() == [9, 3, 5, 7]


def test_frames_of_rdkit(learner, expected):
    frame = pd.DataFrame({"SMILES": ["CCO", "c1ccccc1"]})
    frame["ROMol"] = [Chem.MolFromSmiles(smiles) for smiles in frame["SMILES"]]
    for columns in (["SMILES", "ROMol"], ["ROMol"]):
        np.testing.assert_array_equal(learner.predict(frame[columns]), expected[[0, 2]])


def test_frames_of_rdkit_are_data_too():
    frame = pd.DataFrame({"SMILES": ["CCO", "c1ccccc1", "CCN"], "logS": [1.25, 3.5, 0.5]})
    frame["ROMol"] = [Chem.MolFromSmiles(smiles) for smiles in frame["SMILES"]]
    assert zoo.data.load(frame).task_names == ("logS",)
    assert zoo.data.load(frame[["ROMol", "logS"]]).smiles == ["CCO", "c1ccccc1", "CCN"]


@pytest.mark.parametrize("nothing", [5, 2.5, None, b"CCO", object(), [5, 6], [b"CCO"], np.zeros((2, 3)), [["CCO"]]])
def test_what_holds_no_molecules_is_an_error(learner, nothing):
    with pytest.raises(TypeError, match=r"molecules=.*give SMILES or RDKit molecules"):
        learner.predict(nothing)


def test_a_missing_file_and_a_table_without_molecules_are_errors(learner):
    with pytest.raises(DataError, match=r"nowhere\.csv"):
        learner.predict("nowhere.csv")
    with pytest.raises(DataError, match="no column looks like SMILES"):
        learner.predict(pd.DataFrame({"x": [1, 2]}))


@pytest.mark.parametrize("molecules", [[], ["bad"], pd.DataFrame({"smiles": []})], ids=["none", "bad", "empty"])
def test_shape_without_any_readable_molecule(learner, molecules):
    assert learner.predict(molecules).shape == (len(molecules), 2)
    assert learner.embed(molecules).shape == (len(molecules), learner.embed("CCO").shape[1])


def test_classes_have_the_columns_that_predicted_files_have():
    frame = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC"] * 4, "y": ["low", "middle", "high"] * 4})
    learner = zoo.build("gcn", dataset=zoo.data.load(frame), model_args={"hidden_size": 8}, device="cpu")
    learner.fit(frame, split=None, epochs=1, progress=False)
    found = learner.predictions(["CCO", "bad"])
    assert found.values.shape == learner.predict(["bad", "CCO"]).shape == (2, 1, 3)
    assert set(found.to_frame()) == {"predicted_y_low", "predicted_y_middle", "predicted_y_high", "class_y", "reason"}
    assert learner.predict(["bad"]).shape == (1, 1, 3)


@pytest.fixture(scope="module")
def trained():
    """A learner of two tasks of very different size, and its data."""
    smiles = [f"{'C' * n}O" for n in range(1, 25)]
    frame = pd.DataFrame({"smiles": smiles, "small": np.sin(np.arange(24)), "large": 1e3 + np.cos(np.arange(24))})
    learner = zoo.build("gcn", num_tasks=2, task="regression", model_args={"hidden_size": 8}, device="cpu")
    learner.fit(frame, split=None, epochs=2, progress=False)
    return learner, frame


def test_columns_are_taken_by_name(trained, tmp_path):
    learner, frame = trained
    expected = learner.evaluate(frame)
    swapped = frame[["large", "smiles", "small"]].assign(other=3.0)
    swapped.to_csv(tmp_path / "swapped.csv", index=False)
    for data in (swapped, str(tmp_path / "swapped.csv"), zoo.data.load(swapped)):
        assert learner.evaluate(data) == pytest.approx(expected)


def test_missing_columns_are_named(trained):
    learner, frame = trained
    for data in (frame.drop(columns="small"), zoo.data.load(frame.rename(columns={"small": "tiny"}))):
        with pytest.raises(DataError, match="'small'"):
            learner.evaluate(data)


def test_a_single_task_may_have_another_name():
    frame = pd.DataFrame({"smiles": ["CCO", "CCN", "CCC", "CCCC"], "y": [1.5, 2.5, 3.5, 4.25]})
    learner = zoo.build("gcn", task="regression", model_args={"hidden_size": 8}, device="cpu")
    learner.fit(frame, split=None, epochs=1, progress=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = learner.evaluate(frame)
    with pytest.warns(UserWarning, match="'z' is taken for the task 'y'"):
        assert learner.evaluate(frame.rename(columns={"y": "z"})) == expected
