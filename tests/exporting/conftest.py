"""A trained and calibrated network, exported once for all tests of files."""

import pytest

import zoo
from zoo.exporting import export_model
from zoo.trust import calibrate

TINY = {"hidden_size": 8, "num_layers": 1, "ffn_hidden_size": 8}
ROWS = ["C" * n for n in range(1, 31)] + ["O" * (n % 2) + "c1ccccc1" + "C" * n for n in range(30)]


@pytest.fixture(scope="session")
def learner():
    """Two tasks of two classes, words for the classes of the first, a threshold, a calibration."""
    frame = {"smiles": ROWS, "toxic": ["yes", "no"] * 30, "big": [int(n > 20) for n in range(60)]}
    import pandas as pd

    data = zoo.data.load(pd.DataFrame(frame), task="binary")
    learner = zoo.build("gcn", dataset=data, model_args=TINY)
    learner.fit(data, split="random", epochs=2, progress=False, threshold_metric="mcc")
    calibrate(learner, data)
    return learner


@pytest.fixture(scope="session")
def exported(learner, tmp_path_factory):
    """The zip of `learner`."""
    return export_model(learner, tmp_path_factory.mktemp("exported") / "model.zip").path


@pytest.fixture(scope="session")
def exported_onnx(exported):
    """The same network as a graph that carries its manifest."""
    from molzoo_runner.archive import read_archive, with_manifest

    archive = read_archive(exported)
    place = exported.with_suffix(".onnx")
    place.write_bytes(with_manifest(archive.graphs["model.onnx"], archive.manifest))
    return place
