"""GROVER against numbers that the published implementation computed (see fixtures/README.md)."""

import dataclasses
import json
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from support.places import FIXTURES

from featurizers import GroverFeaturizer, PackedMolecules
from zoo.models.grover import Grover
from zoo.models.grover_weights import (
    config_from_published,
    from_published,
    published_tensors,
    to_published,
    unused_tensors,
)

HERE = Path(__file__).parent
EXTRACT = HERE / "fixtures" / "grover"
FULL = FIXTURES / "grover"


class Case:
    """One set of weights and expected arrays."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name

    def __repr__(self):
        return f"{'extract' if self.folder == EXTRACT else 'full'}-{self.name}"

    @cached_property
    def args(self):
        return json.loads((self.folder / f"{self.name}.args.json").read_text())

    @cached_property
    def expected(self):
        return np.load(self.folder / f"{self.name}.expected.npz", allow_pickle=False)

    @cached_property
    def inputs(self):
        return np.load(self.folder / "inputs.npz", allow_pickle=False)

    @cached_property
    def weights(self):
        full = self.folder / f"{self.name}.full.safetensors"
        if full.exists():
            return load_file(full)
        return load_file(self.folder / "encoder_h64.safetensors") | load_file(
            self.folder / f"{self.name}.head.safetensors"
        )

    @cached_property
    def molecules(self):
        featurizer = GroverFeaturizer(chirality="published")
        smiles = json.loads((self.folder / "smiles.json").read_text())["smiles"]
        return PackedMolecules.pack([featurizer.encode(featurizer.parse(text)) for text in smiles])

    def batch(self, rows=slice(None)):
        rows = np.arange(len(self.molecules))[rows]
        graph = GroverFeaturizer(chirality="published").collate(self.molecules.take(rows))
        graph.descriptors = torch.from_numpy(self.inputs["features200"].astype(np.float32)[rows])
        return graph

    @property
    def targets(self):
        kind = "reg" if self.args["dataset_type"] == "regression" else "cls"
        suffix = f"{kind}{self.args['num_tasks']}"
        return (torch.from_numpy(self.inputs[f"{name}_{suffix}"]) for name in ("target", "mask"))

    def model(self, padding, dtype=torch.float64):
        config = dataclasses.replace(config_from_published(self.args, padding), dynamic_depth=None)
        model = Grover(config).to(dtype)
        model.load_state_dict({k: v.to(dtype) for k, v in from_published(self.weights, config).items()})
        return model


def cases():
    for folder in (EXTRACT, FULL):
        for path in sorted(folder.glob("*.args.json")):
            name = path.name.removesuffix(".args.json")
            if (folder / f"{name}.expected.npz").exists() and not name.startswith("pretrain"):
                yield Case(folder, name)


CASES = list(cases())
every_case = pytest.mark.parametrize("case", CASES, ids=repr)
both_paddings = pytest.mark.parametrize("padding", [False, True], ids=["padfree", "released"])


def close(got, expected, tolerance=1e-9):
    expected = np.asarray(expected)
    scale = max(np.abs(expected).max(), 1e-12)
    assert np.abs(got.detach().numpy() - expected).max() <= tolerance * scale


def prediction(model, graph):
    scores = model.eval()(graph)
    return scores.sigmoid() if model.config.task == "classification" else scores


def test_the_full_set_is_here():
    if not any(case.folder == FULL for case in CASES):
        pytest.skip("only the extract of the parity fixtures: set MOLZOO_FIXTURES to the folder of the full set")


@pytest.mark.parametrize("case", {case.folder: case for case in CASES}.values(), ids=repr)
def test_features(case):
    graph, inputs = case.batch(), case.inputs
    source, _ = graph.graph.edges()
    np.testing.assert_array_equal(graph.atom_feats, inputs["f_atoms"][1:])
    np.testing.assert_array_equal(source + 1, inputs["b2a"][1:])
    bonds = torch.cat([graph.atom_feats[source], graph.bond_feats], 1)
    np.testing.assert_array_equal(bonds, inputs["f_bonds"][1:])


@pytest.mark.parametrize("case", {case.folder: case for case in CASES}.values(), ids=repr)
def test_descriptors(case):
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    featurizer = GroverFeaturizer(chirality="published", descriptors=True)
    smiles = json.loads((case.folder / "smiles.json").read_text())["smiles"][:8]
    got = np.stack([featurizer.encode(featurizer.parse(text)).descriptors for text in smiles])
    np.testing.assert_allclose(got, case.inputs["features200"][:8], rtol=1e-6, atol=1e-7)


@every_case
@both_paddings
def test_predictions(case, padding):
    model = case.model(padding)
    suffix = "" if padding else "_padfree"
    close(prediction(model, case.batch()), case.expected[f"pred{suffix}"])
    rows = range(0, len(case.molecules), 5)
    alone = torch.cat([prediction(model, case.batch(slice(row, row + 1))) for row in rows])
    close(alone, case.expected[f"pred{suffix}_single"][rows])


@every_case
def test_float32_predictions(case):
    model = case.model(True, torch.float32)
    close(prediction(model, case.batch()), case.expected["pred_f32"], 2e-5)


@every_case
@both_paddings
def test_training_scores_losses_and_gradients(case, padding):
    model = case.model(padding).train()
    suffix = "" if padding else "_padfree"
    scores = model(case.batch())
    close(scores[0], case.expected[f"train_logit_atom{suffix}"])
    close(scores[1], case.expected[f"train_logit_bond{suffix}"])
    targets, mask = case.targets
    loss = model.loss(scores, targets, mask)
    close(loss, case.expected[f"train_loss{suffix}"])
    elements = case.expected[f"train_loss_elem{suffix}"]
    for row, task in np.argwhere(mask.numpy() > 0)[::7]:
        only = torch.zeros_like(mask)
        only[row, task] = 1
        close(model.loss(scores, targets, only), elements[row, task])
    loss.backward()
    grads = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    got = published_tensors(grads, model.config)
    norms = json.loads((case.folder / f"{case.name}.gradnorms.json").read_text())
    for name, expected in norms["official" if padding else "padfree"].items():
        if expected is None:
            assert name not in got
            continue
        norm, total, largest = expected
        # A sum of terms of both signs is only as exact as its terms; some gradients are zero but for rounding.
        assert got[name].norm().item() == pytest.approx(norm, rel=1e-9, abs=1e-13)
        assert got[name].abs().max().item() == pytest.approx(largest, rel=1e-9, abs=1e-13)
        assert got[name].sum().item() == pytest.approx(total, abs=1e-9 * norm + 1e-13)


@every_case
@both_paddings
def test_embeddings_of_atoms_and_bonds(case, padding):
    model = case.model(padding).eval()
    prefix = "emb_" if padding else "emb_padfree_"
    expected = {name.removeprefix(prefix): name for name in case.expected if name.startswith(f"{prefix}atom")}
    if not expected:
        pytest.skip("this case holds no embeddings")
    embeddings = model.encoder(case.batch(), bonds=model.config.embedding_output == "both")
    for name in ("atom_from_atom", "atom_from_bond", "bond_from_atom", "bond_from_bond"):
        if f"{prefix}{name}" in case.expected:
            close(getattr(embeddings, name), case.expected[f"{prefix}{name}"][1:])


@every_case
def test_readouts_and_blocks(case):
    model = case.model(True).eval()
    states = {}
    for stream, theirs in (("atom", "node"), ("bond", "edge")):
        for number, block in enumerate(getattr(model.encoder, f"{stream}_blocks")):
            name = f"{theirs}_block{number}"
            block.register_forward_hook(lambda _, __, output, name=name: states.update({name: output}))
    from_atom, from_bond = model.embed(case.batch()).chunk(2, dim=1)
    close(from_atom, case.expected["readout_atom_from_atom"])
    close(from_bond, case.expected["readout_atom_from_bond"])
    for name, output in states.items():
        if name in case.expected:
            close(output.roll(1, 0), case.expected[name])  # their padding row comes first


@every_case
def test_weights_there_and_back(case):
    model = case.model(False, torch.float32)
    back = to_published(model, unused_tensors(case.weights, model.config))
    assert back.keys() == case.weights.keys()
    assert all(torch.equal(back[name], tensor) for name, tensor in case.weights.items())
    without = to_published(model)
    assert {name: t.shape for name, t in without.items()} == {name: t.shape for name, t in case.weights.items()}
    encoder = from_published(case.weights, model.config, encoder_only=True)
    model.encoder.load_state_dict(encoder)
