"""Search without a specification: the space of every model, its defaults first, on the command line."""

import json

import pandas as pd
import pytest

import optim
import zoo
from zoo.commands.main import main
from zoo.experiments.tuning import tuning as module
from zoo.experiments.tuning.default_space import default_point, default_search, may_be
from zoo.experiments.tuning.search_space import parse_space, with_values
from zoo.experiments.tuning.tuning import Tuning, tune
from zoo.learners.factory import recipe_for
from zoo.recipe.recipe import Recipe
from zoo.registry.catalog import MODELS, OPTIMIZERS

LARGE = 512
QUICK = ["--split", "random", "--epochs", "1", "--optimizer", "adam"]


@pytest.fixture(autouse=True)
def needs_optuna():
    pytest.importorskip("optuna", reason="the extra `tune` is not installed")


@pytest.fixture
def file(tmp_path):
    """60 molecules of two classes."""
    path = tmp_path / "few.csv"
    smiles = ["C" * n + end for n in range(1, 21) for end in ("", "O", "N")]
    pd.DataFrame({"smiles": smiles, "y": [n % 2 for n in range(60)]}).to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("model", MODELS.names())
def test_every_model_has_a_space_that_holds_its_defaults(model):
    recipe = recipe_for(model)
    search = default_search(recipe)
    space, point = parse_space(search), default_point(recipe, search)
    assert point.keys() == space.keys()
    assert all(may_be(value, search[name]) for name, value in point.items())
    if point.get("model_args.hidden_size", 0) <= LARGE:  # larger ones take seconds to build
        smallest = with_values(recipe, {name: values.ends()[0] for name, values in space.items()})
        zoo.assemble(smallest, device="cpu")


@pytest.mark.parametrize("optimizer", OPTIMIZERS.names())
def test_every_optimizer_has_a_learning_rate_and_rules_have_a_radius(optimizer):
    recipe = recipe_for("gcn", optimizer)
    search = default_search(recipe)
    assert search["optimizer_args.lr"]["log"]
    assert ("optimizer_args.rho" in search) == issubclass(OPTIMIZERS[optimizer].resolve(), optim.SharpnessAware)
    assert may_be(default_point(recipe, search)["optimizer_args.lr"], search["optimizer_args.lr"])


def test_a_radius_that_a_rise_replaces_is_not_searched():
    search = default_search(Recipe("gcn", optimizer="graphsam", optimizer_args={"rise": 0.03}))
    assert not {"optimizer_args.rho", "optimizer_args.rise"} & search.keys()


@pytest.mark.parametrize("value", ["x", -1, None])
def test_a_mistaken_value_is_left_to_those_who_check_it(value):
    assert "optimizer_args.rho" not in default_search(Recipe("gcn", optimizer="sam", optimizer_args={"rho": value}))


def test_what_is_given_is_not_searched():
    recipe = Recipe("gcn", optimizer="sam", model_args={"num_layers": 3}, optimizer_args={"rho": 0.1})
    search = default_search(recipe, fixed=["training.batch_size"])
    assert search.keys() == {"model_args.hidden_size", "model_args.dropout", "optimizer_args.lr"}
    with pytest.raises(ValueError, match="nothing is left to search for 'gcn'"):
        default_search(recipe, fixed=[*search, "training.batch_size"])


def test_widths_fit_the_heads():
    assert default_search(Recipe("gat", model_args={"num_heads": 32}))["model_args.hidden_size"] == [32, 64]
    assert "model_args.hidden_size" not in default_search(Recipe("gat", model_args={"num_heads": 64}))


def test_the_defaults_are_tried_first_and_time_ends_the_search(file, tmp_path, monkeypatch):
    tried = []
    monkeypatch.setattr(module, "best_validation", lambda recipe, *rest: tried.append(recipe) or 0.5)
    tuning = Tuning.of(Recipe("gcn"), data={"source": file, "split": "random"}, trials=3, defaults_first=True)
    tune(tuning, tmp_path / "journal.log", device="cpu")
    assert with_values(tried[0], {}).optimizer_args == {"lr": 0.001}
    assert tried[0].model_args == {"hidden_size": 64, "num_layers": 2, "dropout": 0.0}
    assert len(tried) == 3
    again = Tuning.of(Recipe("gcn"), data={"source": file, "split": "random"}, trials=50, defaults_first=True)
    study = tune(again, tmp_path / "journal.log", device="cpu", timeout=1e-3)
    assert len(study.trials) == 4  # the one that had begun
    with pytest.raises(ValueError, match="timeout=0"):
        tune(tuning, tmp_path / "journal.log", timeout=0)


def test_the_command_ends_in_a_recipe_that_train_takes(file, tmp_path, capsys):
    chosen = ["--model", "gcn", "--model-args.hidden_size", "8", "--data", file]
    arguments = ["tune", *chosen, *QUICK, "--output", str(tmp_path / "tuned")]
    main([*arguments, "--trials", "1"])
    main([*arguments, "--trials", "2"])
    shown = capsys.readouterr().out
    assert "[1 of 1, best 0." in shown
    assert "[2 of 2, best 0." in shown
    command = next(line for line in shown.splitlines() if line.startswith("train and test it with: "))
    table = pd.read_csv(tmp_path / "tuned" / "trials.csv")
    assert table["state"].tolist() == ["complete", "complete"]
    best = table.loc[table["value"].idxmax()]
    main([*command.split("molzoo ")[1].split(), "--output", str(tmp_path / "run"), "--quiet"])
    written = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert written["model_args"]["hidden_size"] == 8
    assert written["model_args"]["num_layers"] == best["model_args.num_layers"]
    assert written["training"]["epochs"] == 1
    assert written["optimizer_args"]["lr"] == pytest.approx(best["optimizer_args.lr"])


def test_forests_are_searched_too(file, tmp_path):
    options = ["--model-args.num_trees", "5", "--model-args.num_jobs", "1", "--output", str(tmp_path)]
    main(["tune", "--model", "random_forest", "--data", file, *QUICK[:2], *options, "--trials", "2"])
    recipe = Recipe.read(tmp_path / "recipe.yaml")
    assert recipe.optimizer == "none"
    assert recipe.model_args.keys() == {"num_trees", "num_jobs", "max_features", "min_leaf"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name the model whose options are searched, such as --model gcn"),
        (["--model", "gnc"], "unknown model 'gnc'. Did you mean 'gin'?"),
        (["--model", "gcn", "--trials", "0"], "trials=0: give a whole number of at least 1"),
        (["--model", "gcn", "--trials", "many"], "give a whole number"),
        (["--model", "gcn", "--timeout", "-1"], "timeout=-1.0: give a number of seconds above 0"),
        (["search.yaml", "--model", "gcn"], "write --model into it, or leave the file out"),
        (["missing.yaml"], "missing.yaml"),
        (["--model", "gcn", "--model-args.hiden_size", "8", "--max-molecules", "60"], "'hidden_size'"),
        (["--model", "gcn", "--data", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as left:
        main(["tune", *arguments])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert words in error
    assert len(error.strip().splitlines()) == 1
