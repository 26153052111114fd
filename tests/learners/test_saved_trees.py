"""Files of trees: crafted ones end in one line, not in scikit-learn's compiled code."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.runs.checkpoint import CheckpointError

SMILES = ["CCO", "c1ccccc1", "CCN", "CCCC", "c1ccncc1", "CC(=O)O", "CCCl", "CCBr"] * 10
MODELS = {"random_forest": {"num_trees": 2}, "gradient_boosting": {"num_trees": 2}}


@pytest.fixture(scope="module", params=["random_forest", "gradient_boosting"])
def saved(request, tmp_path_factory):
    """A folder with trained trees."""
    frame = pd.DataFrame({"smiles": SMILES, "y": np.arange(80) % 8 + np.sin(np.arange(80))})
    learner = zoo.build(request.param, task="regression", model_args=MODELS[request.param])
    learner.fit(frame, split=None, progress=False)
    folder = tmp_path_factory.mktemp("trees") / "saved"
    learner.save(folder)
    loaded = zoo.load(folder)
    np.testing.assert_array_equal(loaded.predict(SMILES), learner.predict(SMILES))
    return folder


def rewrite(saved, target, change_schema=None, change_nodes=None):
    """Copy a checkpoint with another description, or with other nodes in its largest tree."""
    target.mkdir()
    for file in saved.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    with zipfile.ZipFile(saved / "model.skops") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if change_schema is not None:
        files["schema.json"] = change_schema(files["schema.json"].decode()).encode()
    if change_nodes is not None:
        arrays = {name: np.load(io.BytesIO(data)) for name, data in files.items() if name.endswith(".npy")}
        name = max((name for name in arrays if arrays[name].dtype.names), key=lambda name: len(arrays[name]))
        buffer = io.BytesIO()
        np.save(buffer, change_nodes(arrays[name]))
        files[name] = buffer.getvalue()
    with zipfile.ZipFile(target / "model.skops", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return target


def edit(field, row, value):
    """Change a field of the nodes, under its name in either kind of tree."""

    def change(nodes):
        nodes = nodes.copy()
        names = {"left": ("left_child", "left"), "feature": ("feature", "feature_idx")}[field]
        nodes[next(name for name in names if name in nodes.dtype.names)][row] = value
        return nodes

    return change


CRAFTED = {
    "a child outside": edit("left", 0, 1_000_000),
    "a cycle": edit("left", 0, 0),
    "a column that is missing": edit("feature", 0, 10_000_000),
    "a negative column": edit("feature", 0, -5),
    "no nodes": lambda nodes: nodes[:0],
    "fewer nodes": lambda nodes: nodes[:1],
    "numbers for nodes": lambda nodes: np.zeros(len(nodes)),
}


@pytest.mark.parametrize("change", CRAFTED.values(), ids=CRAFTED)
def test_crafted_nodes_are_refused(saved, tmp_path, change):
    with pytest.raises(CheckpointError, match=r"model\.skops is damaged or cut off"):
        zoo.load(rewrite(saved, tmp_path / "crafted", change_nodes=change))


def test_a_crafted_count_or_another_size_is_refused(saved, tmp_path):
    text = json.dumps(zoo.load(saved).featurizer.descriptor_size)
    changes = {
        "count": lambda schema: schema.replace('"node_count"', '"other"'),
        "columns": lambda schema: schema.replace(f'"content": "{text}"', '"content": "99999999"'),
        "function": lambda schema: schema.replace('"NdArrayNode"', '"FunctionNode"'),
        "no JSON": lambda schema: schema[:100],
    }
    for name, change in changes.items():
        with zipfile.ZipFile(saved / "model.skops") as archive:
            schema = archive.read("schema.json").decode()
        if change(schema) == schema or (name == "columns" and "TreePredictor" in schema):  # checked in Python there
            continue
        folder = rewrite(saved, tmp_path / name, change_schema=change)
        with pytest.raises(CheckpointError, match=r"model\.skops is damaged or cut off"):
            zoo.load(folder).predict(SMILES)


def test_cut_off_files_are_refused_in_one_line(saved, tmp_path):
    folder = rewrite(saved, tmp_path / "cut")
    data = (folder / "model.skops").read_bytes()
    for size in (0, 10, len(data) // 2, len(data) - 1):
        (folder / "model.skops").write_bytes(data[:size])
        with pytest.raises(CheckpointError, match="damaged or cut off") as caught:
            zoo.load(folder)
        assert "\n" not in str(caught.value)


def test_another_estimator_in_the_file_is_refused(saved, tmp_path):
    import skops.io
    from sklearn.svm import SVR

    folder = rewrite(saved, tmp_path / "other")
    skops.io.dump([SVR().fit(np.zeros((2, 3)), [0.0, 1.0])], folder / "model.skops")
    with pytest.raises(CheckpointError, match="something else than"):
        zoo.load(folder)
