import pytest

from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.recipe.recipe import Recipe


def test_json_round_trip_keeps_everything() -> None:
    recipe = Recipe(
        "grover",
        optimizer="graphsam",
        num_tasks=2,
        task="regression",
        model_args={"hidden_size": 64},
        optimizer_args={"rho": 0.1, "base": "adamw"},
        data=DataOptions("esol", tasks=("a", "b"), split_seed=3),
        training=TrainingOptions(epochs=3, patience=2),
    )
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_unknown_fields_raise_with_the_closest_name() -> None:
    with pytest.raises(TypeError, match=r"no field 'epoch'\. Did you mean 'epochs'"):
        Recipe.from_json('{"model": "grover", "training": {"epoch": 3}}')


def test_yaml_recipe(tmp_path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_text("model: grover\noptimizer: sam\ntraining:\n  epochs: 4\n")
    assert Recipe.read(file).training == TrainingOptions(epochs=4)
    file.write_text("- grover\n")
    with pytest.raises(ValueError, match="a recipe is a mapping"):
        Recipe.read(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "epochs=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"sharpness_every": 0}, "sharpness_every=0"),
        ({"sharpness_every": -1}, "sharpness_every=-1"),
        ({"checkpoint_every": 0}, "checkpoint_every=0"),
        ({"schedule": "cosine"}, "choose one of noam"),
        ({"precision": "int8"}, "choose one of float32"),
    ],
)
def test_impossible_training_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        TrainingOptions(**options)
