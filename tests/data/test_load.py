from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from support.places import MOLECULENET

from zoo.data import DataError, MoleculeDataset, list_datasets, load

SMILES = ["CCO", "CCN", "c1ccccc1", "CC"]
needs_moleculenet = pytest.mark.skipif(not MOLECULENET.is_dir(), reason="needs the MoleculeNet files for development")


def test_embedded_b3db(b3db):
    assert len(b3db) == 7805
    assert b3db.task_names == ("bbb",)
    assert (b3db.task, b3db.metric) == ("classification", "roc_auc")
    assert [entry.row for entry in b3db.invalid] == [5043, 7737]
    assert int(b3db.targets.sum()) == 4956
    assert b3db.rows[5043] == 5044
    assert "b3db" in repr(b3db)


@needs_moleculenet
@pytest.mark.parametrize(
    ("name", "rows", "invalid", "tasks", "task", "metric"),
    [
        ("bbbp", 2050, 11, 1, "classification", "roc_auc"),
        ("clintox", 1484, 4, 2, "classification", "roc_auc"),
        ("sider", 1427, 0, 27, "classification", "roc_auc"),
        ("esol", 1128, 0, 1, "regression", "rmse"),
        ("freesolv", 642, 0, 1, "regression", "rmse"),
    ],
)
def test_moleculenet_from_a_folder(name, rows, invalid, tasks, task, metric):
    data = load(name, data_dir=MOLECULENET)
    assert (len(data) + len(data.invalid), data.num_tasks, data.task, data.metric) == (rows, tasks, task, metric)
    assert len(data.invalid) == pytest.approx(invalid, abs=10)  # RDKit decides what is readable
    assert all(smiles == smiles.strip() for smiles in data.smiles)


@needs_moleculenet
def test_the_folder_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("MOLZOO_DATA", str(MOLECULENET))
    assert load("Free-Solv").name == "freesolv"


@needs_moleculenet
def test_a_known_file_is_recognised_so_that_predictions_are_not_learned():
    data = load(MOLECULENET / "delaney-processed.csv")
    assert data.task_names == ("measured log solubility in mols per litre",)


def test_missing_folder_and_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="does not exist"):
        load("bbbp", data_dir=tmp_path / "none")
    with pytest.raises(DataError, match=r"no BBBP.csv or BBBP.csv.gz in"):
        load("bbbp", data_dir=tmp_path)


def test_names_are_listed():
    assert {"b3db", "bbbp", "tox21", "esol", "qm9"} <= set(list_datasets())


@pytest.mark.parametrize(
    "source",
    [
        (SMILES, [0, 1, 1, 0]),
        (SMILES, np.array([[0.0], [1.0], [1.0], [0.0]])),
        (np.array(SMILES), ["no", "yes", "yes", "no"]),
        (SMILES, {"target": [False, True, True, False]}),
        {"smiles": SMILES, "target": [0, 1, 1, 0]},
        pd.DataFrame({"smiles": SMILES, "target": [0, 1, 1, 0]}, index=[7, 7, 1, 0]),
        pd.DataFrame({"smiles": SMILES, "target": pd.array([0, 1, 1, 0], dtype="Int64")}),
        pd.DataFrame({"smiles": SMILES, "target": pd.array([False, True, True, False], dtype="boolean")}),
        pd.DataFrame({"smiles": SMILES, "target": pd.Categorical(["no", "yes", "yes", "no"])}),
        pd.DataFrame({"smiles": [Chem.MolFromSmiles(s) for s in SMILES], "target": ["0", "1", 1, 0.0]}),
        pd.DataFrame({"smiles": SMILES, "target": [0, 1, 1, 0], "fingerprint": [[1, 2]] * 4}),
        pd.DataFrame({0: SMILES, "target": [0, 1, 1, 0]}),
    ],
    ids=lambda source: type(source).__name__,
)
def test_sources_in_memory(source):
    data = load(source)
    assert data.smiles == SMILES
    assert data.task_names == ("target",)
    assert data.targets.ravel().tolist() == [0, 1, 1, 0]
    assert data.rows.tolist() == [0, 1, 2, 3]


def test_without_labels():
    data = load(SMILES)
    assert (data.task, data.num_tasks, data.targets.shape) == ("unlabelled", 0, (4, 0))
    assert [len(part) for part in load(["C" * n for n in range(1, 31)]).split("random").indices] == [24, 3, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": (SMILES, [0, 1])}, "4 SMILES but 2 targets"),
        ({"source": (SMILES, [[0, 1], [1], [0], [1]])}, "different lengths"),
        ({"source": (SMILES, [[0, 1]] * 4), "tasks": ["a"]}, "1 task names for 2 columns"),
        ({"source": []}, "empty"),
        ({"source": 5}, "cannot load from int"),
        ({"source": b"CCO"}, "cannot load from bytes"),
        ({"source": pd.DataFrame({"smiles": []})}, "0 rows"),
        ({"source": (SMILES, [0, 1, 0, 1]), "task": "rank"}, "task='rank': choose one of classification"),
        ({"source": (SMILES, [0, 1, 0, 1]), "tasks": ["targt"]}, "1 task names|Did you mean"),
        ({"source": {"smiles": SMILES, "activity": [0, 1, 0, 1]}, "tasks": ["actvity"]}, "Did you mean 'activity'"),
        ({"source": {"smiles": SMILES, "y": [0, 1, 0, 1]}, "tasks": ["y", "y"]}, "once"),
        ({"source": {"smiles": SMILES, "y": [0, 1, 0, 1]}, "smiles_column": "SMILES"}, "Did you mean 'smiles'"),
        ({"source": (SMILES, [0.1, np.inf, 1.0, 2.0])}, "row 1: 'inf'"),
        ({"source": (SMILES, [0.1, 0.2, 0.3, 0.4]), "task": "classification"}, "not a class"),
        ({"source": (SMILES, ["a", "b", "a", "b"]), "task": "regression"}, "holds words"),
        ({"source": SMILES, "on_invalid": "drop"}, "skip, raise, nan"),
        ({"source": ["CC", "C("], "on_invalid": "raise"}, r"row 1: 'C\('"),
    ],
)
def test_mistakes_in_memory(arguments, message):
    if arguments.get("tasks") == ["targt"]:
        arguments = {**arguments, "source": {"smiles": SMILES, "target": [0, 1, 0, 1]}}
    with pytest.raises(DataError, match=message) as caught:
        load(**arguments)
    assert "\n" not in str(caught.value)


CELLS = st.sampled_from(
    ["CCO", "c1ccccc1", "[Na+].[Cl-]", "", "  ", "C(", "CCO", "OCC", "not smiles", None, "[13CH4]", "*C"]
)


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(st.tuples(CELLS, st.sampled_from([0, 1, None])), min_size=1, max_size=25),
    policy=st.sampled_from(["skip", "nan"]),
)
def test_labels_and_row_numbers_stay_with_their_molecule(rows, policy):
    rows = [*rows, ("CCN", 1)]
    cells, labels = zip(*rows, strict=True)
    data = load((list(cells), list(labels)), on_invalid=policy, task="classification")
    readable = [bool((cell or "").strip()) and Chem.MolFromSmiles(cell) is not None for cell in cells]
    expected = [i for i, good in enumerate(readable) if good or policy == "nan"]
    assert data.rows.tolist() == expected
    assert data.smiles == [(cells[i] or "").strip() for i in expected]
    known = [np.nan if labels[i] is None or not readable[i] else labels[i] for i in expected]
    np.testing.assert_array_equal(data.targets.ravel(), np.array(known))
    assert [entry.row for entry in data.invalid] == [i for i, good in enumerate(readable) if not good]
    half = data.subset(np.arange(0, len(data), 2))
    np.testing.assert_array_equal(half.targets.ravel(), np.array(known[::2]))
    assert half.rows.tolist() == expected[::2]


def test_unreadable_rows_are_in_no_part():
    smiles = ["C" * (n + 1) if n % 5 else "C(" for n in range(50)]
    data = load((smiles, [n % 2 for n in range(50)]), on_invalid="nan")
    parts = np.concatenate(data.split("random").indices)
    assert np.array_equal(np.sort(parts), np.flatnonzero(data.readable))
    assert data.readable.sum() == 40


def test_a_dataset_cannot_be_changed():
    data = load((SMILES, [0, 1, 1, 0]))
    with pytest.raises(ValueError, match="read-only"):
        data.targets[0] = 1
    with pytest.raises(AttributeError):
        data.name = "other"
    with pytest.raises(DataError, match="row numbers"):
        MoleculeDataset("d", SMILES, np.zeros(4), ("y",), "regression", rows=np.arange(3))


def test_frame_of_a_dataset():
    frame = load((["CC", "C(", "CN"], [0, 1, 1])).to_frame()
    assert frame.index.tolist() == [0, 2]
    assert frame.columns.tolist() == ["smiles", "target"]


def test_too_large_molecules_can_be_refused():
    data = load((["CC", "CCCCC"], [1, 0]), max_atoms=3)
    assert data.invalid[0].reason == "5 atoms, more than max_atoms=3"


def test_molecules_may_be_read_in_several_processes(write):
    smiles = ["C" * (n % 9 + 1) + ("(" if n % 7 == 0 else "O") for n in range(2500)]
    path = write("many.csv", "smiles\n" + "\n".join(smiles) + "\n")
    one, two = load(path), load(path, num_workers=2)
    assert two.invalid == one.invalid
    assert two.smiles == one.smiles
    assert two.rows.tolist() == one.rows.tolist()
