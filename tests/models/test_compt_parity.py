"""CoMPT against numbers that the published implementation computed (see fixtures/README.md)."""

import json
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.places import FIXTURES

from featurizers import ComptFeaturizer, PackedMolecules
from zoo.models.compt import Compt
from zoo.models.compt_published import (
    config_from_published,
    from_published,
    published_tensors,
    to_published,
    unused_tensors,
)

HERE = Path(__file__).parent
EXTRACT = HERE / "fixtures" / "compt"
FULL = FIXTURES / "compt"
LABELS = {"bce": "y_bce1", "rmse": "y_reg1", "mae": "y_reg1", "bce12": "y_bce12"}


class Case:
    """One set of weights on one batch."""

    def __init__(self, folder, name, batch):
        self.folder, self.name, self.batch = folder, name, batch

    def __repr__(self):
        return f"{'extract' if self.folder == EXTRACT else 'full'}-{self.name}.{self.batch}"

    @cached_property
    def args(self):
        return json.loads((self.folder / f"{self.name}.args.json").read_text())

    @cached_property
    def weights(self):
        return load_file(self.folder / f"{self.name}.safetensors")

    @cached_property
    def expected(self):
        return np.load(self.folder / f"{self.name}.{self.batch}.expected.npz", allow_pickle=False)

    @cached_property
    def norms(self):
        return json.loads((self.folder / f"{self.name}.{self.batch}.gradnorms.json").read_text())

    @cached_property
    def inputs(self):
        return np.load(self.folder / "inputs.npz", allow_pickle=False)

    @property
    def rows(self):
        return np.arange(len(self.inputs["n_atoms"])) if self.batch == "all" else self.inputs["small_index"]

    @property
    def padded_length(self):
        return self.expected["encoder_out"].shape[1]

    @cached_property
    def molecules(self):
        smiles = json.loads((self.folder / "smiles.json").read_text())["smiles"]
        featurizer = ComptFeaturizer()
        packed = PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles[row])) for row in self.rows])
        return featurizer.collate(packed)

    @property
    def real(self):
        """Which of the places of a padded array hold atoms (B, L)."""
        return np.arange(self.padded_length) < self.inputs["n_atoms"][self.rows][:, None]

    def model(self, dtype=torch.float64):
        config = config_from_published(self.args, padded_length=self.padded_length)
        model = Compt(config).to(dtype)
        model.load_state_dict({k: v.to(dtype) for k, v in from_published(self.weights, config).items()})
        return model

    @property
    def targets_and_mask(self):
        labels = self.inputs[LABELS[self.args["loss"]]][self.rows].reshape(len(self.rows), -1)
        labels = labels.astype(np.float32).astype(np.float64)  # the published code keeps labels in float32
        if self.args["train_params"]["task"] == "classification":
            return torch.from_numpy(labels.clip(0)), torch.from_numpy(labels != -1)
        mean, std = self.expected["data_mean_std"]
        return torch.from_numpy((labels - mean) / std), torch.ones(labels.shape, dtype=torch.bool)


def cases():
    for folder in (EXTRACT, FULL):
        for path in sorted(folder.glob("*.expected.npz")):
            name, batch = path.name.removesuffix(".expected.npz").rsplit(".", 1)
            yield Case(folder, name, batch)


CASES = list(cases())
every_case = pytest.mark.parametrize("case", CASES, ids=repr)


def close(got, expected, tolerance=1e-9):
    expected = np.asarray(expected)
    scale = max(np.abs(expected).max(), 1e-12)
    assert np.abs(got.detach().numpy() - expected).max() <= tolerance * scale


def test_the_full_set_is_here():
    if not any(case.folder == FULL for case in CASES):
        pytest.skip("only the extract of the parity fixtures: set MOLZOO_FIXTURES to the folder of the full set")


@every_case
def test_encoder(case):
    model = case.model()
    if "node_initial" in case.expected:
        close(model.encoder.embed_atoms(case.molecules), case.expected["node_initial"][case.real])
    expected = case.expected["encoder_out"]
    # Padding rows do not reach anything but themselves, so that this encoder does not compute them.
    close(model.encoder(case.molecules), expected[case.real], 1e-9 if expected.dtype == np.float64 else 1e-6)


@every_case
def test_predictions(case):
    close(case.model().eval()(case.molecules), case.expected["pred"])
    close(case.model(torch.float32).eval()(case.molecules), case.expected["pred_f32"], 2e-5)


@every_case
def test_training_loss_and_gradients(case):
    model = case.model().train()
    loss = model.loss(model(case.molecules), *case.targets_and_mask)
    close(loss, case.expected["train_loss"])
    loss.backward()
    got = published_tensors({name: p.grad for name, p in model.named_parameters()}, model.config)
    largest_norm = max(norm[0] for norm in case.norms.values() if norm)
    for name, expected in case.norms.items():
        if name not in got:
            # The discarded edge update, and biases that cancel in the softmax: no gradient but for rounding.
            assert expected is None or expected[0] < 1e-12 * largest_norm
            continue
        norm, total, largest = expected
        assert got[name].norm().item() == pytest.approx(norm, rel=1e-9, abs=1e-13)
        assert got[name].abs().max().item() == pytest.approx(largest, rel=1e-9, abs=1e-13)
        assert got[name].sum().item() == pytest.approx(total, abs=1e-9 * norm + 1e-13)


@pytest.mark.parametrize("case", {(c.folder, c.name): c for c in CASES}.values(), ids=repr)
def test_weights_there_and_back(case):
    model = case.model(torch.float32)
    back = to_published(model, unused_tensors(case.weights, model.config))
    assert back.keys() == case.weights.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in case.weights.items())
    without = to_published(model)
    assert {name: t.shape for name, t in without.items()} == {name: t.shape for name, t in case.weights.items()}


def test_options_that_are_not_reproduced():
    args = json.loads(json.dumps(CASES[0].args))
    args["model_params"]["aggregation_type"] = "mean"
    with pytest.raises(ValueError, match="aggregation_type='mean'"):
        config_from_published(args)
