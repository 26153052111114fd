"""The recipe is the request, `Fitted` what came of it, and a checkpoint holds both."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from featurizers import CanonicalFeaturizer, Featurizer
from zoo.models.gcn import GCN, GCNConfig
from zoo.recipe import Fitted, Recipe
from zoo.runs import checkpoint

OLD = Path(__file__).parent / "fixtures" / "old"
SMALL = {"hidden_size": 8, "num_layers": 2}
SMILES = ["CCO", "[H]OC([H])([H])C", "C[C@H](N)C(=O)O", "c1ccncc1"]


@pytest.fixture
def learner():
    return zoo.build("gcn", model_args=SMALL, device="cpu")


@pytest.mark.parametrize("name", sorted(folder.name for folder in OLD.iterdir()))
def test_checkpoints_without_configurations_predict_as_they_did(name, tmp_path):
    expected = json.loads((OLD / name / "predictions.json").read_text())
    learner = zoo.load(OLD / name, device="cpu")
    assert learner.fitted.task_names == ("y",)
    np.testing.assert_allclose(learner.predict(expected["smiles"])[:, 0], expected["values"], rtol=2e-5)
    learner.save(tmp_path / "again")
    again = zoo.load(tmp_path / "again", device="cpu")
    assert again.fitted == learner.fitted
    np.testing.assert_array_equal(again.predict(expected["smiles"]), learner.predict(expected["smiles"]))


def test_words_and_scaling_of_old_recipes_are_found_but_not_kept_in_the_recipe():
    assert zoo.load(OLD / "grover").fitted.label_names == {"y": ["inactive", "active"]}
    assert zoo.load(OLD / "gcn").fitted.target_scaling["mean"] == [155.0]
    values = json.loads((OLD / "gcn" / "recipe.json").read_text())
    assert "task_names" in values
    assert Recipe.read(OLD / "gcn" / "recipe.json") == Recipe.from_json(json.dumps(values))
    assert not {"task_names", "label_names", "target_scaling"} & set(Recipe("gcn").to_dict())


def test_fit_leaves_the_recipe_as_it_was(learner, small, tmp_path):
    before = learner.recipe
    learner.fit(small, epochs=1, progress=False, split="random")
    assert learner.recipe is before
    assert learner.fitted.task_names == ("bbb",)
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", device="cpu")
    assert loaded.fitted == learner.fitted
    assert dataclasses.replace(loaded.recipe, data=None, training=None) == before
    assert (loaded.recipe.data.split, loaded.recipe.training.epochs) == ("random", 1)


def test_every_default_is_written_out(learner):
    fitted = learner.fitted
    assert set(fitted.model) == {field.name for field in dataclasses.fields(GCNConfig)}
    assert fitted.model["hidden_size"] == 8
    assert fitted.model["atom_size"] == CanonicalFeaturizer().atom_size
    assert fitted.featurizer["hydrogens"] == "folded"
    assert (fitted.num_tasks, fitted.task) == (1, "classification")
    assert Fitted.from_json(fitted.to_json()) == fitted


def test_a_checkpoint_predicts_the_same_after_defaults_have_changed(learner, tmp_path, monkeypatch):
    learner.save(tmp_path / "saved")
    expected = learner.predict(SMILES)

    @dataclasses.dataclass(frozen=True)
    class OtherConfig(GCNConfig):
        batch_norm: bool = False
        dropout: float = 0.7

    monkeypatch.setattr(GCN, "config_class", OtherConfig)
    monkeypatch.setitem(Featurizer.__init__.__kwdefaults__, "hydrogens", "as_written")
    loaded = zoo.load(tmp_path / "saved", device="cpu")
    np.testing.assert_array_equal(loaded.predict(SMILES), expected)
    assert (loaded.model.config.batch_norm, loaded.model.config.dropout) == (
        GCNConfig().batch_norm,
        GCNConfig().dropout,
    )
    assert zoo.build("gcn", model_args=SMALL).model.config.dropout == 0.7


def test_resuming_with_other_defaults_is_refused_and_the_remedy_works(small, tmp_path):
    options = {"epochs": 1, "progress": False, "logdir": tmp_path / "run"}
    zoo.build("gcn", model_args=SMALL, device="cpu").fit(small, **options)
    changed = zoo.build("gcn", model_args=SMALL, device="cpu")
    changed.fitted = dataclasses.replace(changed.fitted, model={**changed.fitted.model, "dropout": 0.5})
    with pytest.raises(
        checkpoint.CheckpointError, match=r"model has dropout=0\.0, this one has 0\.5: build .* with model_args"
    ):
        changed.fit(small, **options, resume=True)


def test_a_model_given_as_an_object_is_saved_with_its_configuration(tmp_path):
    made = GCN(GCNConfig(**SMALL, atom_size=CanonicalFeaturizer().atom_size))
    learner = zoo.build(made, featurizer="canonical", device="cpu")
    assert learner.recipe.model_args == {"hidden_size": 8}  # two layers are the default
    learner.save(tmp_path / "saved")
    np.testing.assert_array_equal(zoo.load(tmp_path / "saved", device="cpu").predict(SMILES), learner.predict(SMILES))
