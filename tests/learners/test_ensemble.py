"""`Ensemble`: mean and spread of its members, one encoding for equal featurizers, and a folder of its own."""

import json
import os
import shutil

import numpy as np
import pytest

import zoo
from featurizers import Featurizer, together
from zoo.learners.ensemble import combine
from zoo.runs.checkpoint import CheckpointError

SMILES = ["CCO", "c1ccccc1O", "no molecule", "CC(=O)Nc1ccc(O)cc1", "", "CCN"]
GOOD = [0, 1, 3, 5]


@pytest.fixture(scope="module")
def data():
    smiles = ["C" * n + end for n in range(1, 9) for end in ("O", "N", "")]
    return zoo.data.load((smiles, [len(text) * 1000.0 for text in smiles]), task="regression")


@pytest.fixture(scope="module")
def forest(data):
    learner = zoo.build("random_forest", dataset=data, model_args={"num_trees": 5, "num_jobs": 1})
    learner.fit(data, split=None, progress=False)
    return learner


@pytest.fixture(scope="module")
def networks(data):
    learners = [zoo.build("gcn", dataset=data, seed=seed) for seed in range(2)]
    for learner in learners:
        learner.fit(data, split=None, epochs=1, progress=False)
    return learners


def count_calls(monkeypatch, name):
    calls = []
    for kind in {Featurizer, *Featurizer.__subclasses__()}:
        if name in kind.__dict__ and not getattr(kind.__dict__[name], "__isabstractmethod__", False):
            original = kind.__dict__[name]
            monkeypatch.setattr(
                kind, name, lambda self, *args, original=original: calls.append(self.name) or original(self, *args)
            )
    return calls


def test_prediction_is_the_mean_and_spread_the_deviation(networks, forest):
    both = zoo.ensemble([*networks, forest])
    each = np.stack([learner.predict(SMILES) for learner in (*networks, forest)])
    found = both.predictions(SMILES)
    np.testing.assert_allclose(found.values[GOOD], each.mean(axis=0)[GOOD], rtol=1e-12)
    np.testing.assert_allclose(found.spread[GOOD], each.std(axis=0, ddof=1)[GOOD], rtol=1e-12)
    assert found.values.dtype == np.float64
    assert found.reasons.tolist() == networks[0].predictions(SMILES).reasons.tolist()
    assert np.isnan(found.values[2]).all()
    assert np.isnan(found.spread[2]).all()
    np.testing.assert_array_equal(both.predict(SMILES), found.values)
    assert [name for name in found.to_frame() if "predicted" not in name][-1] == "reason"


def test_weights_are_shares(networks, forest):
    both = zoo.ensemble([*networks, forest], weights=[1, 2, 5])
    each = np.stack([learner.predict(["CCO"]) for learner in (*networks, forest)])[:, 0, 0]
    found, shares = both.predictions(["CCO"]), np.array([1, 2, 5]) / 8
    mean = (shares * each).sum()
    np.testing.assert_allclose(found.values, [[mean]])
    np.testing.assert_allclose(found.spread**2, [[(shares * (each - mean) ** 2).sum() / (1 - (shares**2).sum())]])


def test_an_ensemble_in_an_ensemble_shares_its_weight(networks, forest):
    inner = zoo.ensemble(networks)
    outer = zoo.ensemble([inner, forest])
    assert outer.members == (*networks, forest)
    assert outer.weights == (0.25, 0.25, 0.5)
    np.testing.assert_allclose(outer.predict("CCO"), (inner.predict("CCO") + forest.predict("CCO")) / 2)


def test_a_single_member_has_no_spread(networks):
    alone = zoo.ensemble(networks[:1])
    assert alone.predictions("CCO").spread is None
    np.testing.assert_array_equal(alone.predict("CCO"), networks[0].predict("CCO"))


def test_equal_members_have_no_deviation():
    mean, deviation = combine(np.full((3, 2, 1), 0.7, np.float32), np.full(3, 1 / 3))
    assert mean.dtype == deviation.dtype == np.float32
    assert np.allclose(mean, 0.7)
    assert np.allclose(deviation, 0)


def test_molecules_are_read_once_and_encoded_once_for_each_featurizer(networks, forest, monkeypatch):
    both, reads = zoo.ensemble([*networks, *networks, forest]), []
    original = together.read_molecule
    monkeypatch.setattr(together, "read_molecule", lambda *a, **options: reads.append(a) or original(*a, **options))
    calls = count_calls(monkeypatch, "encode_all")
    both.predict([SMILES[i] for i in GOOD])
    assert len(reads) == 4
    assert sorted(calls) == ["canonical", "fingerprint"]


def test_members_of_each_architecture_predict_as_they_do_alone(data):
    learners = [zoo.build(model, dataset=data) for model in ("grover", "dmpnn", "gps", "mat", "compt")]
    together = zoo.ensemble(learners)
    alone = np.mean([learner.predict(SMILES) for learner in learners], axis=0)
    np.testing.assert_allclose(together.predict(SMILES), alone, rtol=1e-6)


def test_a_molecule_that_one_member_refuses_has_no_prediction(networks, data):
    other = zoo.build("gin", dataset=data, featurizer_args={"max_atoms": 4})
    found = zoo.ensemble([networks[0], other]).predictions(["CCO", "CCCCCCO"])
    assert found.failed.tolist() == [False, True]
    assert "max_atoms=4" in found.reasons[1]


def test_classes_keep_their_probabilities():
    data = zoo.data.load((["CCO", "CCN", "CCC", "CCCl"], ["a", "b", "c", "a"]), task="multiclass")
    learners = [zoo.build("gcn", dataset=data, seed=seed) for seed in range(2)]
    found = zoo.ensemble(learners).predictions(["CCO", "nothing"])
    assert found.values.shape == found.spread.shape == (2, 1, 3)
    assert found.values.dtype == np.float32
    np.testing.assert_allclose(found.values[0].sum(axis=-1), 1, rtol=1e-6)


def test_no_molecules(networks):
    found = zoo.ensemble(networks).predictions([])
    assert found.values.shape == found.spread.shape == (0, 1)


def test_evaluation_measures_the_mean(networks, data):
    both = zoo.ensemble(networks)
    assert both.evaluate(data) == networks[0].score(data, both.predict(data.smiles))


def test_embedding_is_refused_with_the_reason(networks):
    with pytest.raises(TypeError, match=r"members have different meanings.*members\[0\].embed"):
        zoo.ensemble(networks).embed("CCO")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_tasks": 2, "task": "regression"}, "tasks"),
        ({"task": "classification"}, "kind"),
        ({"task": "multiclass", "task_args": {"num_classes": 3}}, "kind"),
    ],
)
def test_other_tasks_are_refused_in_one_line(networks, options, message):
    with pytest.raises(ValueError, match=message) as caught:
        zoo.ensemble([networks[0], zoo.build("gin", **options)])
    assert "member 1 (gin)" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_words_are_refused():
    first, second = (
        zoo.data.load((["CCO", "CCN", "CCC", "CCCl"], words)) for words in (["no", "yes"] * 2, ["off", "on"] * 2)
    )
    learners = [zoo.build("gcn", dataset=data) for data in (first, second)]
    for learner, data in zip(learners, (first, second), strict=True):
        learner.fit(data, split=None, epochs=1, progress=False)
    with pytest.raises(ValueError, match=r"label words .*'off'"):
        zoo.ensemble(learners)


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")], [1, float("inf")], [1, "a"]])
def test_impossible_weights_are_refused(networks, weights):
    with pytest.raises(ValueError, match="a number above 0 for each of 2 members"):
        zoo.ensemble(networks, weights)


@pytest.mark.parametrize("members", [[], ["gcn"]])
def test_other_members_are_refused(members):
    with pytest.raises(ValueError, match="give a list of them"):
        zoo.ensemble(members)


@pytest.fixture(scope="module")
def saved(networks, forest, tmp_path_factory):
    place = tmp_path_factory.mktemp("saved") / "both"
    zoo.ensemble([*networks, forest], [1, 1, 2]).save(place)
    return place


def test_a_saved_ensemble_is_loaded_as_it_was(saved, networks, forest):
    loaded = zoo.load(saved)
    assert isinstance(loaded, zoo.Ensemble)
    before = zoo.ensemble([*networks, forest], [1, 1, 2]).predictions(SMILES)
    found = loaded.predictions(SMILES)
    np.testing.assert_array_equal(found.values, before.values)
    np.testing.assert_array_equal(found.spread, before.spread)
    assert sorted(path.name for path in saved.iterdir()) == ["ensemble.json", "members"]


def test_saving_again_replaces_an_ensemble_and_nothing_else(saved, networks, tmp_path):
    place = shutil.copytree(saved, tmp_path / "both")
    zoo.ensemble(networks).save(place)
    assert len(zoo.load(place).members) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["both"]
    (place / "precious").write_text("data")
    with pytest.raises(CheckpointError, match="holds more than an ensemble"):
        zoo.ensemble(networks).save(place)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(CheckpointError, match="is not an ensemble"):
        zoo.ensemble(networks).save(other)
    with pytest.raises(CheckpointError, match="is not a checkpoint"):
        networks[0].save(place)


@pytest.mark.parametrize(
    "change",
    [
        {"members": ["../elsewhere"]},
        {"members": ["/tmp"]},
        {"members": ["members/../../elsewhere"]},
        {"members": ["members/."]},
        {"members": ["members/0", "members/0"]},
        {"members": []},
        {"members": "members/0"},
        {"members": [0]},
        {"members": [f"members/{n}" for n in range(1001)]},
        {"weights": [1]},
        {"weights": [1, 1, -1]},
        {"weights": [1, 1, "1"]},
    ],
)
def test_a_listing_that_leaves_its_folder_is_refused(saved, tmp_path, change):
    place = shutil.copytree(saved, tmp_path / "both")
    listing = json.loads((place / "ensemble.json").read_text())
    (place / "ensemble.json").write_text(json.dumps({**listing, **change}))
    with pytest.raises(CheckpointError, match=r"ensemble\.json is damaged"):
        zoo.load(place)


@pytest.mark.parametrize("text", ["", "[]", "{", "{}", '{"members": null}', "[" * 100_000])
def test_a_damaged_listing_is_named(saved, tmp_path, text):
    place = shutil.copytree(saved, tmp_path / "both")
    (place / "ensemble.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"ensemble\.json is damaged"):
        zoo.load(place)


@pytest.mark.parametrize("inside", ["members", "members/1", "members/1/model.safetensors"])
def test_links_are_refused(saved, tmp_path, inside):
    place = shutil.copytree(saved, tmp_path / "both")
    (place / inside).rename(tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", place / inside)
    with pytest.raises(CheckpointError, match="is a link"):
        zoo.load(place)


def test_a_missing_member_is_named(saved, tmp_path):
    place = shutil.copytree(saved, tmp_path / "both")
    shutil.rmtree(place / "members" / "1")
    with pytest.raises(CheckpointError, match="members/1 holds no checkpoint"):
        zoo.load(place)


def test_parts_of_ones_own_are_for_single_checkpoints(saved, networks):
    with pytest.raises(TypeError, match="is an ensemble"):
        zoo.load(saved, model=networks[0].model)


def test_a_folder_is_described(saved):
    text = str(zoo.describe(str(saved)))
    assert "ensemble" in text
    assert "3 members predict 1 regression task" in text
    assert "member 2   random_forest, seed 0, weight 0.5" in text
    single = str(zoo.describe(str(saved / "members" / "0")))
    assert "learner" in single
    assert "gcn trained with adam" in single
