"""Pre-trained encoders of the catalog: found by name, small, and on the features that they were trained with."""

from __future__ import annotations

import numpy as np
import pytest

import zoo
from zoo.commands.main import main
from zoo.registry.catalog import WEIGHTS
from zoo.runs.shipped_weights import locate_checkpoint

SMILES = ["CCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1"]
FIRST = {
    "grover_chembl_30k": [
        [-0.89963883, -0.93009526, 0.06599567],
        [-1.014925, -1.0106395, -0.7886304],
        [-0.92275864, -0.87187266, -0.60578895],
    ]
}


@pytest.mark.parametrize("name", WEIGHTS.names())
def test_embeddings_are_those_of_the_day_of_training(name):
    """Other features of atoms and bonds, or other layers, would make the weights meaningless without an error."""
    learner = zoo.build(init=name, num_tasks=3, seed=5)
    embeddings = learner.embed(SMILES)
    np.testing.assert_allclose(embeddings[:, :3], FIRST[name], atol=1e-4)
    np.testing.assert_array_equal(zoo.load(name).embed(SMILES), embeddings)
    assert learner.predict(SMILES).shape == (3, 3)


@pytest.mark.parametrize("name", WEIGHTS.names())
def test_files_are_few_and_small(name):
    files = {file.name: file.stat().st_size for file in locate_checkpoint(name).iterdir()}
    assert set(files) == {"recipe.json", "fitted.json", "versions.json", "model.safetensors"}
    assert sum(files.values()) < 5_000_000


def test_a_folder_goes_before_the_catalog(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = WEIGHTS.names()[0]
    zoo.build("gcn").save(name)
    assert locate_checkpoint(name) == tmp_path / name
    assert zoo.build(init=name).recipe.model == "gcn"


def test_commands_take_the_name(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "molecules.csv").write_text("smiles\n" + "\n".join(SMILES))
    main(["embed", "grover_chembl_30k", "molecules.csv", "--output", "embeddings.csv"])
    assert "3 rows" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["predict", "grover_chembl_30k", "molecules.csv"])
    assert stop.value.code == 2
    assert "no trained head" in capsys.readouterr().err
