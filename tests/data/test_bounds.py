"""Labels that are bounds, from the cell to the data set."""

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.data import DataError, MoleculeDataset

SMILES = ["C" * n for n in range(1, 9)]


def load(cells, **options):
    return zoo.data.load(pd.DataFrame({"smiles": SMILES[: len(cells)], "y": cells}), tasks=["y"], **options)


def test_signs_become_bounds():
    data = load([">4.5", "<0.1", ">= 4.5", "≤0.1", "  > -3 ", "2.5", "", "<=1e-3"])
    assert data.task == "regression"
    np.testing.assert_array_equal(data.targets[:, 0], [4.5, 0.1, 4.5, 0.1, -3, 2.5, np.nan, 1e-3])
    np.testing.assert_array_equal(data.bounds[:, 0], [1, -1, 1, -1, 1, 0, 0, -1])
    np.testing.assert_array_equal(data.exact_targets[:, 0], [np.nan] * 5 + [2.5] + [np.nan] * 2)
    assert any("6 of 7 labels are bounds (3 upper" in note for note in data.notes)


def test_numbers_without_a_sign_are_exact():
    assert load(["-4.5", "−2", "+3", "0.25"]).bounds is None
    assert load([1.5, -2.0, 3.25]).bounds is None


def test_decimal_commas_are_read_behind_a_sign(tmp_path):
    path = tmp_path / "commas.csv"
    path.write_text("smiles;y\nC;>1,5\nCC;2,5\nCCC;3,5\n")
    data = zoo.data.load(path)
    np.testing.assert_array_equal(data.targets[:, 0], [1.5, 2.5, 3.5])
    np.testing.assert_array_equal(data.bounds[:, 0], [1, 0, 0])


@pytest.mark.parametrize("cell", ["=1+1", "=4.5", ">", "> 5 uM", ">>5", "<LOD", "~5", "±2", ">nan", ">1e999", ">=1+1"])
def test_other_texts_are_refused_by_row(cell):
    with pytest.raises(DataError) as caught:
        load(["1.5", cell, "2.5", "3.5"])
    assert "row 1" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_classes_have_no_bounds():
    with pytest.raises(DataError, match=r"row 1: '>1' is a bound .* say task='regression'"):
        load([0, ">1", 1, 0], task="classification")


def test_bounds_survive_parts_and_count_in_the_fingerprint():
    data = load([">4.5", "<0.1", "1.5", "2.5", "3.5"])
    part = data.subset([1, 2])
    np.testing.assert_array_equal(part.bounds[:, 0], [-1, 0])
    assert data.subset([2, 3]).bounds is None
    exact = MoleculeDataset(data.name, data.smiles, data.targets, data.task_names, data.task)
    assert exact.fingerprint != data.fingerprint
    assert not data.bounds.flags.writeable


def test_bounds_of_another_shape_are_refused():
    with pytest.raises(DataError, match="bounds are of shape"):
        MoleculeDataset("x", ["C"], np.ones((1, 1)), ("y",), "regression", bounds=np.ones((1, 2)))
    with pytest.raises(DataError, match="bounds are of shape"):
        MoleculeDataset("x", ["C"], np.ones((1, 1)), ("y",), "regression", bounds=[[2]])


def weighed(weights, **options):
    frame = pd.DataFrame({"smiles": SMILES[: len(weights)], "y": np.arange(len(weights)) + 0.5, "w": weights})
    return zoo.data.load(frame, weight_column="w", **options)


def test_a_column_of_weights_is_no_label():
    data = weighed([1, 0.5, 0, 2])
    np.testing.assert_array_equal(data.weights, [1, 0.5, 0, 2])
    assert data.task_names == ("y",)
    np.testing.assert_array_equal(data.subset([3, 0]).weights, [2, 1])


@pytest.mark.parametrize(
    ("weights", "text"),
    [
        ([1, -1, 1], "row 1: '-1' is no weight"),
        ([1, np.nan, 1], "row 1: the weight is missing"),
        (["1", "", "2"], "row 1: the weight is missing"),
        ([1, np.inf, 1], "row 1: 'inf' is no weight"),
        (["1", "much", "2"], "row 1: 'much' is no weight"),
        ([0, 0, 0], "holds 0 only"),
    ],
)
def test_impossible_weights_are_refused(weights, text):
    with pytest.raises(DataError) as caught:
        weighed(weights)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_name_of_the_weights_is_refused():
    frame = pd.DataFrame({"smiles": SMILES, "y": np.arange(8) + 0.5})
    with pytest.raises(DataError, match="no column 'weight'"):
        zoo.data.load(frame, weight_column="weight")
    with pytest.raises(DataError, match="'y' holds the weights and is"):
        zoo.data.load(frame, tasks=["y"], weight_column="y")
