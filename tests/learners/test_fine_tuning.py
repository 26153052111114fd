"""Starting from a checkpoint: what is taken, what is frozen, and at which rates parts are trained."""

import numpy as np
import pytest
import torch

import zoo
from zoo.commands.main import main
from zoo.recipe import Recipe, StartOptions
from zoo.runs.checkpoint import CheckpointError
from zoo.training.parts import layers_of

SMILES = ["CCO", "c1ccccc1O", "CCN", "CC(=O)O", "CCCC", "c1ccncc1", "CCCl", "COC"]
DATA = (SMILES, [0, 1, 1, 0, 1, 0, 1, 0])
MODELS = {
    "gcn": {"hidden_size": 8, "num_layers": 2},
    "grover": {"hidden_size": 16, "num_layers": 2, "num_heads": 2},
}


def weights(learner, part):
    return {k: v.clone() for k, v in learner.model.state_dict().items() if k.startswith(part)}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


def fit(learner, **options):
    return learner.fit(DATA, split=None, progress=False, **{"epochs": 2, "batch_size": 4, **options})


@pytest.fixture(params=MODELS)
def trained(request, tmp_path):
    learner = zoo.build(request.param, model_args=MODELS[request.param], seed=1)
    fit(learner, epochs=1)
    learner.save(tmp_path / "first")
    return learner, str(tmp_path / "first")


def test_the_encoder_is_taken_and_the_head_is_new(trained):
    first, path = trained
    second = zoo.build(init=path, num_tasks=3, task="regression", seed=2)
    assert second.recipe.model == first.recipe.model
    assert equal(weights(first, "encoder"), weights(second, "encoder"))
    assert not equal(weights(first, "head"), weights(second, "head"))
    taken = second.transfer.taken["encoder"]
    assert taken == (len(weights(first, "encoder")), sum(v.numel() for v in weights(first, "encoder").values()))
    assert set(second.transfer.new) == {"head"}
    notes = second.fit(
        (SMILES, np.random.default_rng(0).normal(size=(8, 3))), split=None, epochs=1, progress=False
    ).notes
    assert any(note.startswith(f"encoder from {path}: ") for note in notes)


def test_training_goes_on_with_the_head(trained):
    first, path = trained
    second = zoo.build(init=StartOptions(path, keep_head=True), seed=2)
    np.testing.assert_array_equal(first.predict(SMILES), second.predict(SMILES))
    with pytest.raises(CheckpointError, match="leave keep_head out"):
        zoo.build(init=StartOptions(path, keep_head=True), num_tasks=5)


@pytest.mark.parametrize("optimizer", ["adam", "graphsam", "looksam"])
def test_frozen_parts_stay_until_they_are_set_free(trained, optimizer):
    first, path = trained
    frozen = zoo.build(init=StartOptions(path, freeze="encoder"), optimizer=optimizer)
    head = weights(frozen, "head")
    fit(frozen, epochs=3)
    assert equal(weights(first, "encoder"), weights(frozen, "encoder"))
    assert not equal(head, weights(frozen, "head"))
    freed = zoo.build(init=StartOptions(path, freeze="encoder", unfreeze_after=2), optimizer=optimizer)
    fit(freed, epochs=3)
    assert not equal(weights(first, "encoder"), weights(freed, "encoder"))
    assert all(p.requires_grad for p in freed.model.parameters())


def test_rates_differ_by_part_and_by_layer(trained):
    _, path = trained
    learner = zoo.build(init=StartOptions(path, lr_encoder="0.1x", layer_decay=0.5), optimizer_args={"lr": 1e-2})
    rate = {id(p): group["lr"] for group in learner.optimizer.param_groups for p in group["params"]}
    layers = layers_of(learner.model.encoder)
    for below, layer in enumerate(reversed(layers)):
        assert {rate[id(p)] for p in layer.parameters()} == {1e-2 * (0.1 * 0.5**below)}
    assert {rate[id(p)] for p in learner.model.head.parameters()} == {1e-2}
    fit(learner)


def test_last_layers_start_anew(trained):
    first, path = trained
    second = zoo.build(init=StartOptions(path, reset_layers=1), seed=5)
    old, new = layers_of(first.model.encoder), layers_of(second.model.encoder)
    same = [all(torch.equal(a, b) for a, b in zip(x.parameters(), y.parameters(), strict=True))
            for x, y in zip(old, new, strict=True)]  # fmt: skip
    assert same[:-1] == [True] * (len(same) - 1)
    assert not same[-1]
    assert "encoder" in second.transfer.new
    with pytest.raises(ValueError, match="layers"):
        zoo.build(init=StartOptions(path, reset_layers=99))


def test_a_resumed_run_is_bit_identical(trained, tmp_path):
    _, path = trained
    start = StartOptions(path, freeze="encoder", unfreeze_after=2, lr_encoder=0.5)
    once, twice = (zoo.build(init=start, optimizer="graphsam", seed=3) for _ in range(2))
    fit(once, epochs=4, schedule="constant")
    fit(twice, epochs=1, schedule="constant", logdir=tmp_path / "run")
    again = zoo.build(init=start, optimizer="graphsam", seed=3)
    fit(again, epochs=4, schedule="constant", logdir=tmp_path / "run", resume=True)
    assert equal(weights(once, ""), weights(again, ""))
    loaded = zoo.load(str(tmp_path / "run"))
    assert loaded.recipe.start == start


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"init": "nowhere"}, "holds no checkpoint"),
        ({"freeze": "decoder"}, "choose of encoder, head"),
        ({"unfreeze_after": 2}, "nothing is frozen"),
        ({"lr_encoder": "fast"}, "such as 0.1 or 0.1x"),
        ({"lr_encoder": -1.0}, "such as 0.1 or 0.1x"),
        ({"layer_decay": 1.5}, "above 0 and at most 1"),
        ({"keep_head": True}, "name it with init="),
        ({"nonsense": 1}, "no field 'nonsense'"),
    ],
)
def test_wrong_options_are_explained(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        zoo.build("gcn", init=options)


def test_another_model_or_size_is_refused(trained):
    first, path = trained
    other = "gin" if first.recipe.model != "gin" else "gcn"
    with pytest.raises(CheckpointError, match="leave model out"):
        zoo.build(other, init=path)
    with pytest.raises(CheckpointError, match="the model needs"):
        zoo.build(init=path, model_args={"hidden_size": 32})


def test_a_recipe_with_a_start_survives_json():
    recipe = Recipe("gcn", start=StartOptions("runs/a", freeze=("encoder",), unfreeze_after=3, lr_encoder="0.1x"))
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_the_command_takes_model_and_weights_from_the_checkpoint(tmp_path, capsys):
    zoo.build("gcn", model_args=MODELS["gcn"]).save(tmp_path / "first")
    rows = "".join(f"{'C' * length}O,{length % 2}\n" for length in range(1, 21))
    (tmp_path / "data.csv").write_text(f"smiles,y\n{rows}")
    arguments = ["--data", str(tmp_path / "data.csv"), "--split", "random", "--epochs", "2", "--freeze", "encoder"]
    main(["train", "--init", str(tmp_path / "first"), *arguments, "--output", str(tmp_path / "run")])
    assert "encoder from" in capsys.readouterr().out
    recipe = zoo.load(str(tmp_path / "run")).recipe
    assert (recipe.model, recipe.model_args["hidden_size"], recipe.start.freeze) == ("gcn", 8, ("encoder",))
