"""Checkpoints of other projects: equal predictions, and files that are refused."""

import io
import json
import pickle
import zipfile
from argparse import Namespace
from collections import OrderedDict

import numpy as np
import pytest
import torch
from support.places import FIXTURES

import zoo
from featurizers import PackedMolecules
from zoo.commands.main import main
from zoo.importing import read_foreign
from zoo.importing.exporting import export_grover
from zoo.importing.golden import compare_with_release, golden_numbers, mean_embeddings
from zoo.importing.importing import rebuild
from zoo.importing.pickled import Restricted
from zoo.models.grover_weights import to_published
from zoo.runs.checkpoint import CheckpointError

SMILES = ["CCO", "c1ccccc1C(=O)O", "C[N+](C)(C)C", "F/C=C/Cl", "C"]
CHEMPROP = FIXTURES / "chemprop2"
needs_chemprop = pytest.mark.skipif(not CHEMPROP.exists(), reason="the files of chemprop 2 are not here")


def published(learner, **options):
    """What the released code would save."""
    config = learner.model.config
    args = Namespace(
        hidden_size=config.hidden_size,
        depth=config.num_layers,
        num_attn_head=config.num_heads,
        num_mt_block=config.num_blocks,
        activation="PReLU",
        embedding_output_type=config.embedding_output,
        bias=False,
        dense=False,
        **options,
    )
    return {"args": args, "state_dict": to_published(learner.model)}


@pytest.fixture
def small(grover):
    return grover(
        featurizer_args={"chirality": "published", "hydrogens": "as_written"},
        model_args={"hidden_size": 16, "num_layers": 3, "num_heads": 2, "embedding_output": "both"},
    )


def scores(learner, smiles=SMILES):
    graph = learner.featurizer.collate(PackedMolecules.pack([learner.featurizer.read(text) for text in smiles]))
    with torch.no_grad():
        return learner.model.double().eval()(graph).numpy()


@needs_chemprop
@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_chemprop_files_predict_as_chemprop_does(kind):
    path = CHEMPROP / f"admet_{kind}_model_0.pt"
    learner = rebuild(read_foreign(path), path)
    learner.model.double()
    smiles = json.loads((CHEMPROP / "smiles.json").read_text())
    with np.load(CHEMPROP / "expected.npz") as expected:
        np.testing.assert_allclose(learner.predict(smiles), expected[f"{kind}_float64"], rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(learner.embed(smiles), expected[f"{kind}_fingerprint_float64"], atol=1e-10)
    assert len(learner.fitted.task_names) == learner.fitted.num_tasks


@needs_chemprop
def test_imported_chemprop_survives_saving(tmp_path):
    learner = zoo.import_checkpoint(CHEMPROP / "admet_regression_model_0.pt", tmp_path / "run")
    again = zoo.load(str(tmp_path / "run"))
    np.testing.assert_array_equal(again.predict(SMILES), learner.predict(SMILES))
    assert again.fitted == learner.fitted


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "stream"])
@pytest.mark.parametrize("prefix", ["", "module.", "kermt", "latent_dist.kermt"])
def test_pretrained_grover_gives_the_encoder(small, tmp_path, zipped, prefix):
    content = published(small)
    encoder = {name: value for name, value in content["state_dict"].items() if name.startswith("grover.")}
    new = f"{prefix}grover." if prefix in ("", "module.") else f"{prefix}."
    content["state_dict"] = OrderedDict((name.replace("grover.", new, 1), value) for name, value in encoder.items())
    torch.save(content, tmp_path / "base.pt", _use_new_zipfile_serialization=zipped)
    learner = zoo.import_checkpoint(tmp_path / "base.pt", tmp_path / "base")
    np.testing.assert_array_equal(learner.embed(SMILES), small.embed(SMILES))
    again = zoo.load(str(tmp_path / "base"))
    assert again.fitted.untrained == ("head",)
    with pytest.raises(ValueError, match="no trained head"):
        again.predict(SMILES)
    again.fit((SMILES, [0, 1, 1, 0, 1]), split=None, epochs=1, progress=False)
    assert np.isfinite(again.predict(SMILES)).all()


@pytest.mark.parametrize("scaler", ["array", "list", "none"])
def test_fine_tuned_grover_predicts(grover, tmp_path, scaler):
    small = grover(
        task="regression", num_tasks=2, featurizer_args={"chirality": "published", "hydrogens": "as_written"}
    )
    means, stds = np.array([1.5, -2.0]), np.array([2.0, 0.5])
    stored = {"array": {"means": means, "stds": stds}, "none": None,
              "list": {"means": means.tolist(), "stds": stds.tolist()}}[scaler]  # fmt: skip
    content = published(small, dataset_type="regression", num_tasks=2, task_names=["a", "b"], ffn_hidden_size=16)
    torch.save({**content, "data_scaler": stored}, tmp_path / "model.pt")
    learner = zoo.import_checkpoint(tmp_path / "model.pt", tmp_path / "run")
    expected = scores(small) if scaler == "none" else scores(small) * stds + means
    learner.model.double()
    np.testing.assert_allclose(learner.predict(SMILES), expected, rtol=1e-12)
    assert learner.fitted.task_names == ("a", "b")


def test_grover_goes_there_and_back(grover, tmp_path):
    small = grover(num_tasks=3, featurizer_args={"chirality": "published", "hydrogens": "as_written"})
    export_grover(small, tmp_path / "theirs.pt")
    learner = zoo.import_checkpoint(tmp_path / "theirs.pt", tmp_path / "ours")
    np.testing.assert_array_equal(learner.predict(SMILES), small.predict(SMILES))
    with pytest.raises(FileExistsError):
        export_grover(small, tmp_path / "theirs.pt")


def test_released_padding_is_a_choice(small, tmp_path):
    with torch.no_grad():
        for weights in small.model.parameters():
            weights.add_(0.1)  # a padding row stays zero where no layer has a bias
    torch.save(published(small, dataset_type="classification", num_tasks=1), tmp_path / "model.pt")
    learner = zoo.import_checkpoint(tmp_path / "model.pt", tmp_path / "run", released_padding=True)
    assert learner.model.config.released_padding
    assert not np.allclose(learner.predict(["C", "CC(C)(C)C"])[0], learner.predict(["C"])[0], atol=1e-7)


def test_comparison_with_the_release_tells_weights_apart(small, monkeypatch):
    numbers = golden_numbers()
    own = mean_embeddings(small, numbers["smiles"], numbers["columns"])
    known = {"base": {name: value.tolist() for name, value in own.items()}, "hidden_size": {"base": 16}}
    monkeypatch.setattr("zoo.importing.golden.golden_numbers", lambda: {**numbers, **known})
    same = compare_with_release(small)
    assert same.agrees
    assert same.compared == 4 * 10 * numbers["columns"]
    with torch.no_grad():
        for norm in small.model.encoder.outputs.values():
            norm.norm.bias.add_(1e-3)
    assert not compare_with_release(small).agrees


def test_golden_numbers_are_means_of_the_published_embeddings():
    path = FIXTURES / "grover_released" / "embeddings.npz"
    if not path.exists():
        pytest.skip("the embeddings of the released GROVER are not here")
    numbers = golden_numbers()
    with np.load(path) as stored:
        first = stored["base_atom_from_atom"][:3, : numbers["columns"]].mean(0)
    np.testing.assert_allclose(numbers["base"]["atom_from_atom"][0], first, atol=1e-6)


class Runs:
    """Object whose pickle runs a command when it is opened."""

    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        import os

        return os.system, (self.command,)


class Fills:
    """Object whose pickle fills the memory when it is opened."""

    def __reduce__(self):
        return bytearray, (10**15,)


def hostile(kind, small, folder):
    """A file that must be refused."""
    path, content, mark = folder / "bad.pt", published(small), folder / "ran"
    weights = content["state_dict"]
    name = "grover.encoders.node_blocks.0.W_i.weight"
    if kind in ("code", "code in a stream"):
        torch.save({**content, "x": Runs(f"touch {mark}")}, path, _use_new_zipfile_serialization=kind == "code")
    elif kind == "memory":
        torch.save({**content, "x": Fills()}, path)
    elif kind == "plain pickle":
        path.write_bytes(pickle.dumps(Runs(f"touch {mark}")))
    elif kind == "truncated":
        torch.save(content, path)
        path.write_bytes(path.read_bytes()[:-20_000])
    elif kind == "compressed":
        torch.save(content, folder / "whole.pt")
        with zipfile.ZipFile(folder / "whole.pt") as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.namelist():
                new.writestr(entry, old.read(entry))
    elif kind == "program":
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), str(path))
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("hello")
    elif kind == "list":
        torch.save([1, 2], path)
    elif kind == "no options":
        torch.save({"state_dict": weights}, path)
    else:
        changed = {
            "wrong shape": lambda: weights[name][:, :-1].clone(),
            "NaN": lambda: weights[name] * float("nan"),
            "wide view": lambda: torch.zeros(1).expand(weights[name].shape),
            "not a tensor": lambda: "weights",
        }[kind]()
        torch.save({**content, "state_dict": {**weights, name: changed}}, path)
    return path


@pytest.mark.filterwarnings("ignore:`torch.jit")
@pytest.mark.parametrize(
    "kind",
    [
        *(
            "code",
            "code in a stream",
            "memory",
            "plain pickle",
            "truncated",
            "compressed",
            "program",
            "empty",
            "text",
            "list",
        ),
        *("no options", "wrong shape", "NaN", "wide view", "not a tensor"),
    ],
)
def test_hostile_files_are_refused_in_one_line(kind, small, tmp_path, capsys):
    path = hostile(kind, small, tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["import", str(path), "--output", str(tmp_path / "out")])
    printed = capsys.readouterr().err
    assert stop.value.code == 2
    assert printed.startswith("molzoo: error: ")
    assert printed.count("\n") == 1
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "out").exists()


def test_an_existing_folder_is_not_overwritten(small, tmp_path, capsys):
    content = published(small)
    content["state_dict"] = {k: v for k, v in content["state_dict"].items() if k.startswith("grover.")}
    torch.save(content, tmp_path / "base.pt")
    main(["import", str(tmp_path / "base.pt"), "--output", str(tmp_path / "base")])
    assert "without a trained head" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["import", str(tmp_path / "base.pt"), "--output", str(tmp_path / "base")])
    assert "exists" in capsys.readouterr().err
    with pytest.raises(CheckpointError, match="not a file"):
        read_foreign(tmp_path)


def test_what_builds_a_tensor_cannot_be_changed_by_a_file():
    before = torch._utils._rebuild_tensor_v2.__defaults__
    found = Restricted(io.BytesIO()).find_class("torch._utils", "_rebuild_tensor_v2")
    found.__defaults__ = (1, 2)
    assert torch._utils._rebuild_tensor_v2.__defaults__ == before
    assert Restricted(io.BytesIO()).find_class("torch._utils", "_rebuild_tensor_v2").__defaults__ is None
