"""Own features: columns of numbers that are read next to the SMILES and the labels."""

import numpy as np
import pandas as pd
import pytest
from support.places import CASES

import zoo
from zoo.data.features import FeatureScaler

CSV = "smiles,T,pH,logS\nCCO,280,7,-1.5\nCCN,,7,-0.5\nCCC,320,7,-2.25\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "features.csv"
    path.write_text(CSV)
    return path


def test_named_columns_become_features_and_no_tasks(file):
    data = zoo.data.load(file, feature_columns=["T", "pH"])
    assert data.task_names == ("logS",)
    assert data.feature_names == ("T", "pH")
    np.testing.assert_array_equal(data.features, np.array([[280, 7], [np.nan, 7], [320, 7]], np.float32))
    assert any("feature 'T' is missing in 1 of 3 rows" in note for note in data.notes)
    np.testing.assert_array_equal(data.subset([2, 0]).features[:, 0], [320, 280])
    assert not data.features.flags.writeable


def test_features_follow_their_molecules_when_rows_are_left_out(tmp_path):
    path = tmp_path / "invalid.csv"
    path.write_text("smiles,T,y\nCCO,1,0.5\nbad,2,0.25\nCCN,3,0.75\n")
    assert zoo.data.load(path, feature_columns="T").features.tolist() == [[1], [3]]
    assert zoo.data.load(path, feature_columns="T", on_invalid="nan").features.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("smiles;T;y\nCCO;1,5;0,5\nCCN;2,5;1,5\nCCC;3;2,5\n", [1.5, 2.5, 3.0]),
        ("\ufeffsmiles,T,y\r\nCCO,1e2,0.5\r\nCCN, -2 ,1.5\r\nCCC,n/a,2.5\r\n", [100, -2, np.nan]),
    ],
    ids=["decimal commas", "byte order mark, Windows line ends, blanks, n/a"],
)
def test_cells_are_read_as_labels_are(tmp_path, text, expected):
    path = tmp_path / "cells.csv"
    path.write_text(text, encoding="utf-8", newline="")
    found = zoo.data.load(path, feature_columns="T", tasks="y")
    np.testing.assert_array_equal(found.features[:, 0], np.array(expected, np.float32))


@pytest.mark.parametrize(
    ("columns", "tasks", "change", "message"),
    [
        (["temp"], None, None, "no column 'temp'"),
        (["T", "T"], None, None, "name each column once"),
        (["T", "logS"], ["logS"], None, "'logS' is a feature and the SMILES or a label too"),
        (["smiles"], None, None, "'smiles' is a feature and the SMILES"),
        (["T"], None, ("280", "warm"), r"line 2: feature 'T': 'warm' is not a number"),
        (["T"], None, ("280", "inf"), r"line 2: feature 'T': 'inf' is infinite or too large"),
        (["T"], None, ("320", "1e39"), r"line 4: feature 'T': '1e39' is infinite or too large"),
        (["T"], None, ("280", ">280"), r"line 2: feature 'T': '>280' is not a number: a bound"),
        (["T"], None, ("pH", "T"), "2 columns are called 'T'"),
    ],
)
def test_mistakes_are_one_line(tmp_path, columns, tasks, change, message):
    path = tmp_path / "wrong.csv"
    path.write_text(CSV.replace(*change) if change else CSV)
    with pytest.raises(zoo.data.DataError, match=message):
        zoo.data.load(path, feature_columns=columns, tasks=tasks)


def test_frames_give_numbers_booleans_and_missing_values():
    frame = pd.DataFrame(
        {
            "smiles": ["C", "CC", "CCC"],
            "wet": [True, False, True],
            "p": pd.array([1, None, 3], "Int64"),
            "y": [0.1, 2, 3],
        }
    )
    found = zoo.data.load(frame, feature_columns=["wet", "p"], tasks="y").features
    np.testing.assert_array_equal(found, np.array([[1, 1], [0, np.nan], [1, 3]], np.float32))


def test_check_names_the_use_of_the_columns(file):
    assert zoo.data.check(file, feature_columns=["T"], tasks=["logS"]).columns["T"] == "feature"


def test_features_count_in_the_fingerprint(file):
    with_t, without = zoo.data.load(file, feature_columns="T", tasks="logS"), zoo.data.load(file, tasks="logS")
    file.write_text(CSV.replace("320", "321"))
    assert len({with_t.fingerprint, without.fingerprint, zoo.data.load(file, feature_columns="T").fingerprint}) == 3


def test_scaler_is_the_closed_form():
    values = np.array([[1, 5, np.nan], [3, 5, 2], [np.nan, 5, 4]], np.float32)
    scaler = FeatureScaler.fit(values, ("a", "b", "c"))
    assert (scaler.mean, scaler.std, scaler.missing) == ((2, 5, 3), (1, 0, 1), (1, 0, 1))
    np.testing.assert_array_equal(scaler.transform(values), [[-1, 0, 0], [1, 0, -1], [0, 0, 1]])
    np.testing.assert_array_equal(scaler.transform(np.array([[2, 7, 3]], np.float32)), [[0, 0, 0]])
    assert FeatureScaler.from_state_dict(scaler.state_dict()) == scaler
    assert "'b' is constant" in " ".join(scaler.describe())
    with pytest.raises(zoo.data.DataError, match="feature 'a' is missing in all"):
        FeatureScaler.fit(np.array([[np.nan]], np.float32), ("a",))


@pytest.mark.skipif(not CASES.exists(), reason="needs the folder of cases")
def test_a_condition_is_a_feature_when_it_is_named_so():
    data = zoo.data.load(CASES / "08_extra_features" / "solubility_T.csv", feature_columns=["temperature_K"])
    assert "temperature_K" not in data.task_names
    assert data.features.min() > 250
