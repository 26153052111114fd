"""A recipe reaches the run as it is, and is overridden by what was given and by nothing else."""

from __future__ import annotations

import dataclasses
import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zoo.commands.main import main
from zoo.experiments import experiment
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.overriding import override
from zoo.recipe.presets import find, list_recipes
from zoo.recipe.recipe import Recipe

TEXT = st.text("abcXYZ019 _-.äβ'\"", min_size=1, max_size=8)
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(-2, 2)
    | TEXT
    | st.sampled_from(["null", "true", "3", "~"])
)
NAMED = st.dictionaries(
    TEXT, VALUES | st.lists(VALUES, max_size=2) | st.dictionaries(TEXT, VALUES, max_size=2), max_size=2
)
MAYBE = {
    str: st.none() | TEXT,
    int: st.none() | st.integers(1, 99),
    float: st.none() | st.floats(0.1, 9),
}
DATA = st.builds(
    DataOptions,
    **dict.fromkeys(
        ("data_dir", "smiles_column", "metric", "split_column", "separator", "encoding", "decimal"), MAYBE[str]
    ),
    tasks=st.none() | st.lists(TEXT, max_size=3).map(tuple),
    metric_args=NAMED,
    label_names=st.none() | st.dictionaries(TEXT, st.tuples(TEXT, TEXT), max_size=2),
    max_atoms=MAYBE[int],
    on_invalid=st.sampled_from(["skip", "raise", "nan"]),
    source=TEXT,
    split=st.none() | TEXT,
    split_args=NAMED,
    split_seed=MAYBE[int],
)
TRAINING = st.builds(
    TrainingOptions,
    **dict.fromkeys(("epochs", "patience", "checkpoint_every", "sharpness_every"), MAYBE[int]),
    **{name: st.integers(1, 99) for name in ("batch_size", "accumulate", "log_every", "num_workers")},
    **{name: st.floats(0.01, 9) for name in ("warmup_epochs", "rate_span")},
    schedule=st.sampled_from(["noam", "constant"]),
    precision=st.sampled_from(["float32", "bfloat16"]),
    monitor=MAYBE[str],
    max_grad_norm=MAYBE[float],
    skip_first_sync=st.booleans(),
    cache_dir=MAYBE[str],
)
RECIPES = st.builds(
    Recipe,
    st.sampled_from(["grover", "gcn", "package.module:Class"]),
    optimizer=st.sampled_from(["adam", "graphsam"]),
    featurizer=st.sampled_from(["grover", "canonical"]),
    num_tasks=MAYBE[int],
    task=st.sampled_from([None, "classification", "binary", "multiclass", "regression"]),
    task_args=NAMED,
    model_args=NAMED,
    optimizer_args=NAMED,
    featurizer_args=NAMED,
    seed=st.integers(0, 2**31),
    data=st.none() | DATA,
    training=st.none() | TRAINING,
)


class Reached(Exception):
    """Raised in place of the run."""


@pytest.fixture
def reached(monkeypatch):
    """Recipes that reach `experiment.run`, which runs nothing."""
    recipes: list[Recipe] = []

    def run(recipe, **_):
        recipes.append(recipe)
        raise Reached

    monkeypatch.setattr(experiment, "run", run)
    monkeypatch.setattr(experiment, "load_dataset", lambda options: options)
    monkeypatch.setattr("zoo.data.splits.refuse_seeds", lambda options, seeds: None)
    monkeypatch.setenv("MOLZOO_TRACEBACK", "1")

    def train(*arguments):
        recipes.clear()
        with pytest.raises(Reached):
            main(["train", "--quiet", "--output", "nowhere", *map(str, arguments)])
        return recipes[0]

    return train


@pytest.mark.parametrize("name", list_recipes())
def test_every_field_of_a_preset_reaches_the_run(name, reached):
    assert reached("--recipe", name) == find(name)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(RECIPES, st.booleans())
def test_every_field_of_any_recipe_reaches_the_run(reached, tmp_path, recipe, as_yaml):
    path = tmp_path / "recipe.yaml"
    plain = json.loads(recipe.to_json())
    path.write_text(yaml.safe_dump(plain) if as_yaml else json.dumps(plain), encoding="utf-8")
    assert reached("--recipe", path) == Recipe.from_json(recipe.to_json())


def test_flags_replace_what_they_name_and_nothing_else(reached, tmp_path):
    path = tmp_path / "recipe.json"
    recipe = Recipe(
        "grover",
        seed=3,
        model_args={"hidden_size": 8, "num_heads": 2},
        data=DataOptions(source="esol", tasks=("a",), split="kfold", split_args={"fold": 1}, max_atoms=9),
        training=TrainingOptions(epochs=7, patience=2, precision="bfloat16"),
    )
    path.write_text(recipe.to_json())
    asked = reached("--config", path, "--model-args.num_heads", "4", "--patience", "null", "--training.batch-size", "5",
                    "--split-args.num_folds=4")  # fmt: skip
    data = dataclasses.replace(recipe.data, split_args={"fold": 1, "num_folds": 4})
    training = dataclasses.replace(recipe.training, patience=None, batch_size=5)
    model_args = {"hidden_size": 8, "num_heads": 4}
    assert asked == dataclasses.replace(recipe, model_args=model_args, data=data, training=training)
    assert reached("--recipe", path, "--model-args", "{}").model_args == {}
    assert reached("--recipe", path, "--tasks", "a", "b").data.tasks == ("a", "b")
    assert reached("--recipe", path, "--seeds", "5").seed == 5


def test_a_split_column_is_the_split_of_any_recipe(reached):
    assert reached("--recipe", "grover-adam", "--split-column", "fold").data.split == "column"
    assert reached("--recipe", "grover-adam", "--split-column", "fold", "--split", "random").data.split == "random"


def test_another_model_brings_its_featurizer_unless_one_is_named():
    recipe = Recipe("grover", featurizer="grover")
    assert override(recipe, {"model": "GCN"}) == Recipe("gcn", featurizer="canonical")
    assert override(recipe, {"model": "gcn", "featurizer": "grover"}).featurizer == "grover"
    paired = Recipe("grover", featurizer="canonical")
    assert override(paired, {"model": "dmpnn"}).featurizer == "canonical"
    assert override(paired, {"featurizer": None}).featurizer == "grover"


def test_a_recipe_of_another_kind_than_the_data_is_an_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--recipe", "grover-graphsam-regression", "--data", "b3db", "--quiet"])
    assert stop.value.code == 2
    assert "asks for task='regression', and b3db is measured by roc_auc" in capsys.readouterr().err


def test_the_kind_that_a_recipe_asks_for_is_obeyed(tmp_path):
    (tmp_path / "few.csv").write_text("smiles,y\n" + "".join(f"{'C' * n},{n % 2}\n" for n in range(1, 31)))
    (tmp_path / "recipe.yaml").write_text(
        "model: gcn\ntask: regression\nmodel_args: {hidden_size: 4}\ntraining: {epochs: 1}\n"
    )
    run = tmp_path / "run"
    main(["train", "--recipe", str(tmp_path / "recipe.yaml"), "--data", str(tmp_path / "few.csv"), "--split", "random"]
         + ["--output", str(run), "--quiet"])  # fmt: skip
    written = json.loads((run / "recipe.json").read_text())
    assert (written["task"], written["featurizer"], written["num_tasks"]) == ("regression", "canonical", 1)
    assert "rmse" in json.loads((run / "metrics.json").read_text())["test"]


def test_contradictions_within_a_recipe_and_with_its_data_are_named(tmp_path, capsys):
    (tmp_path / "few.csv").write_text("smiles,y\n" + "".join(f"{'C' * n},{n % 2}\n" for n in range(1, 31)))
    path = tmp_path / "recipe.yaml"
    for text, words in {
        "{model: gcn, num_tasks: 3, data: {source: FILE}}": "num_tasks=3, and few has 1 (y)",
        "{model: gcn, task: regression, data: {source: FILE, task: binary}}": "its data for task='binary'",
    }.items():
        path.write_text(text.replace("FILE", str(tmp_path / "few.csv")))
        with pytest.raises(SystemExit) as stop:
            main(["train", "--recipe", str(path), "--output", str(tmp_path / "run")])
        assert stop.value.code == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
