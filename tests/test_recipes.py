"""The named recipes: each can be built, and a name is found before a file."""

from __future__ import annotations

from dataclasses import replace

import pytest

from zoo.commands.main import main
from zoo.learners.factory import assemble
from zoo.recipe.presets import find, list_recipes
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import MODELS
from zoo.registry.registry import UnknownName


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_can_be_built(name):
    recipe = find(name)
    assert recipe.featurizer == MODELS[recipe.model].facts["featurizer"]
    small = {} if recipe.model == "random_forest" else {"hidden_size": 8, "num_layers": 1}
    learner = assemble(replace(recipe, model_args={**recipe.model_args, **small}), device="cpu")
    assert type(learner.optimizer).__name__.lower() in (recipe.optimizer, "nonetype")


def test_every_recipe_says_what_it_is_for():
    assert all(summary.endswith(".") and len(summary) > 20 for summary in list_recipes().values())


def test_a_name_is_found_before_a_file_and_a_file_where_there_is_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grover-adam").write_text(Recipe("gcn").to_json())
    (tmp_path / "mine.json").write_text(Recipe("gcn").to_json())
    assert find("grover-adam").model == find("GROVER_Adam").model == "grover"
    assert find(tmp_path / "mine.json").model == find("./grover-adam").model == "gcn"


def test_what_is_neither_is_named_with_the_choices(tmp_path):
    with pytest.raises(UnknownName, match="grover-graphsam"):
        find("grover-grapsam")
    with pytest.raises(FileNotFoundError, match=r"none\.yaml does not exist; named recipes are"):
        find(tmp_path / "none.yaml")


def test_train_takes_a_name_and_options_override_it(tmp_path, capsys):
    (tmp_path / "few.csv").write_text("smiles,y\n" + "".join(f"{'C' * n},{n % 2}\n" for n in range(1, 41)))
    run = tmp_path / "run"
    options = ["--data", str(tmp_path / "few.csv"), "--split", "random", "--output", str(run), "--quiet"]
    main(["train", "--recipe", "random-forest", "--model-args.num_trees", "5", *options])
    recipe = Recipe.read(run / "recipe.json")
    assert (recipe.model, recipe.featurizer, recipe.model_args["num_trees"]) == ("random_forest", "fingerprint", 5)
    with pytest.raises(SystemExit):
        main(["train", "--recipe", "random-forrest"])
    assert "Did you mean 'random-forest'?" in capsys.readouterr().err
