"""Kinds of target, scaling, ensembles and refusals of `export_model`."""

import numpy as np
import pandas as pd
import pytest
import torch

import molzoo_runner
import zoo
from featurizers import PackedMolecules
from molzoo_runner.tensors import model_inputs
from zoo.exporting import ExportError, export_model, why_not
from zoo.exporting.describing import describe_model
from zoo.exporting.scoring import ScoredMolecules
from zoo.exporting.unscaling import Unscaling
from zoo.tasks import TargetScaler
from zoo.trust import calibrate

TINY = {"hidden_size": 8, "num_layers": 1, "ffn_hidden_size": 8}
SMILES = ["CCO", "c1ccccc1", "[Na+].[Cl-]", "C"]
ROWS = ["C" * n for n in range(1, 31)]


def run_eagerly(learner, **options):
    """What a trace of a learner would give, without a trace."""
    packed = PackedMolecules.pack([learner.featurizer.read(text) for text in SMILES])
    tensors = {name: torch.from_numpy(array) for name, array in model_inputs(learner.featurizer, packed).items()}
    module = ScoredMolecules(learner, learner.model.eval(), tuple(tensors), **options)
    with torch.no_grad():
        return dict(zip(module.outputs, (part.numpy() for part in module(*tensors.values())), strict=True))


@pytest.mark.parametrize("transform", ["log10", "yeo-johnson"])
def test_transformed_targets_come_back_in_their_unit(transform):
    data = zoo.data.load((ROWS, [10 ** (n / 9) for n in range(30)]), task="regression")
    learner = zoo.build("gcn", dataset=data, model_args=TINY)
    learner.fit(data, split=None, epochs=1, progress=False, target_transform=transform)
    found = run_eagerly(learner)["values"]
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, learner.predict(SMILES), rtol=1e-5)


@pytest.mark.parametrize("method", ["absolute", "normalized"])
def test_intervals_of_numbers_are_the_learners(method, tmp_path):
    data = zoo.data.load((ROWS, [[n / 9, -n] for n in range(30)]), task="regression")
    learner = zoo.build("gcn", dataset=data, model_args=TINY)
    learner.fit(data, split=None, epochs=1, progress=False)
    calibrate(learner, data, conformal_method=method)
    model = molzoo_runner.load(export_model(learner, tmp_path / "model.zip").path)
    found = model.predictions(SMILES, coverage=0.8)
    expected = learner.predictions(SMILES, uncertainty="calibrated", coverage=0.8)
    np.testing.assert_allclose(found.values, expected.values, rtol=1e-5)
    np.testing.assert_allclose(found.interval, expected.interval, rtol=1e-5)


@pytest.mark.parametrize("power", [-1.0, 0.0, 0.5, 2.0, 3.0])
def test_yeo_johnson_is_inverted_as_numpy_does(power):
    from zoo.tasks.transforms import YeoJohnson

    scaler = TargetScaler((0.2,), (1.5,), (YeoJohnson(power, -0.5, 0.5),))
    values = np.linspace(-3, 3, 41)[:, None]
    np.testing.assert_allclose(Unscaling(scaler)(torch.tensor(values)).numpy(), scaler.inverse(values), rtol=1e-12)


@pytest.mark.parametrize("task", ["mean_variance", "quantile", "evidential"])
def test_distributions_are_told_in_the_targets_unit(task):
    data = zoo.data.load((ROWS, [3 + n / 9 for n in range(30)]), task=task)
    learner = zoo.build("gcn", dataset=data, task=task, model_args=TINY)
    learner.fit(data, split=None, epochs=1, progress=False)
    found, expected = run_eagerly(learner), learner.predictions(SMILES, uncertainty=task)
    np.testing.assert_allclose(found["values"], expected.values, rtol=1e-5)
    np.testing.assert_allclose(found["spread"], expected.spread, rtol=1e-5)
    if task == "quantile":
        np.testing.assert_allclose(found["interval"], expected.interval, rtol=1e-5)


def test_classes_and_mixed_targets_have_the_learners_shapes():
    classes = zoo.build("gcn", task="multiclass", task_args={"num_classes": 4}, num_tasks=2, model_args=TINY)
    np.testing.assert_allclose(run_eagerly(classes)["values"], classes.predict(SMILES), atol=1e-6)
    kinds = {"kinds": ["binary", "multiclass", "regression"], "num_classes": 3}
    mixed = zoo.build("gcn", task="mixed", task_args=kinds, num_tasks=3, model_args=TINY)
    np.testing.assert_allclose(run_eagerly(mixed)["values"], mixed.predict(SMILES), atol=1e-6)
    manifest = describe_model(mixed, [], ("values",), {})
    assert [(task.labels, task.width) for task in manifest.tasks] == [("zero_one", 1), ("classes", 3), ("numbers", 1)]
    assert (manifest.by_class, len(manifest.columns)) == (False, 5)


def test_an_ensemble_is_averaged_with_its_weights(tmp_path):
    learners = [zoo.build(name, task="regression", model_args={"hidden_size": 8}) for name in ("gcn", "dmpnn")]
    together = zoo.ensemble(learners, weights=[1, 3])
    export_model(together, tmp_path / "both.zip")
    found, expected = molzoo_runner.load(tmp_path / "both.zip").predictions(SMILES), together.predictions(SMILES)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5)
    np.testing.assert_allclose(found.spread, expected.spread, atol=1e-5)
    with pytest.raises(ExportError, match=r"an ensemble of 2 is several graphs, of which .onnx holds one: write it as"):
        export_model(together, tmp_path / "both.onnx")


def test_what_cannot_be_exported_says_so_in_one_line(tmp_path):
    frame = pd.DataFrame({"smiles": ROWS, "dose": np.arange(30.0), "y": np.arange(30.0)})
    data = zoo.data.load(frame, task="regression", feature_columns=["dose"], tasks=["y"])
    assert "reads numbers next to each molecule" in why_not(zoo.build("gcn", dataset=data, model_args=TINY))
    assert "trees of scikit-learn" in why_not(zoo.ensemble([zoo.build("gcn"), zoo.build("random_forest")]))
    with pytest.raises(ExportError, match=r"has to end in .zip, .onnx or .pt2"):
        export_model(zoo.build("gcn"), tmp_path / "model.pkl")
    (tmp_path / "model.zip").touch()
    with pytest.raises(FileExistsError, match="name a new file"):
        export_model(zoo.build("gcn"), tmp_path / "model.zip")
    with pytest.raises(ExportError, match="torch cannot run the operation of ONNX"):
        export_model(zoo.build("compt", model_args={"hidden_size": 16, "num_layers": 1}), tmp_path / "model.pt2")


def test_a_program_of_torch_carries_its_manifest(tmp_path):
    learner = zoo.build("gcn", model_args=TINY)
    export_model(learner, tmp_path / "model.pt2")
    extra = {"manifest.json": ""}
    program = torch.export.load(tmp_path / "model.pt2", extra_files=extra)
    from molzoo_runner.manifest import read_manifest

    (member,) = read_manifest(extra["manifest.json"].encode()).members
    arrays = model_inputs(learner.featurizer, PackedMolecules.pack([learner.featurizer.read(text) for text in SMILES]))
    (found,) = program.module()(*(torch.from_numpy(arrays[name]) for name in member.inputs))
    np.testing.assert_allclose(found.detach().numpy(), learner.predict(SMILES), atol=1e-6)
