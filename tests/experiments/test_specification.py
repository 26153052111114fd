from __future__ import annotations

from pathlib import Path

import pytest

from zoo.experiments import Sweep
from zoo.registry.registry import UnknownName

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_every_combination_is_planned_once_and_models_that_train_themselves_without_an_optimizer(sweep):
    labels = [run.label for run in sweep.runs()]
    assert len(labels) == len(set(labels)) == 3 * 2 * (3 + 1)
    assert labels[0] == "b3db grover adam seed 0"
    assert "esol random_forest none seed 2" in labels


def test_options_of_data_set_model_and_optimizer_override_the_shared_ones_in_this_order():
    sweep = Sweep.parse(
        """
        training: {epochs: 1, batch_size: 1, patience: 1, warmup_epochs: 1}
        models: {grover: {training: {patience: 3}, optimizer_args: {lr: 0.1, weight_decay: 0.5}}}
        optimizers: {mine: {name: adam, args: {lr: 0.2}, training: {warmup_epochs: 4}}}
        datasets: {small: {name: b3db, training: {batch_size: 2, patience: 2}, options: {split: random}}}
        """
    )
    (run,) = sweep.runs()
    training, data = run.recipe.training, run.recipe.data
    assert (training.epochs, training.batch_size, training.patience, training.warmup_epochs) == (1, 2, 3, 4)
    assert run.recipe.optimizer_args == {"lr": 0.2, "weight_decay": 0.5}
    assert (run.optimizer, run.recipe.optimizer, data.source, data.split) == ("mine", "adam", "b3db", "random")


def test_kinds_of_target_and_their_losses_are_planned():
    sweep = Sweep.parse(
        """
        models: {gcn: {task_args: {loss: huber}}, gat: }
        optimizers: {adam: , robust: {name: adam, task_args: {loss: mse}}}
        datasets: {mine: {name: b3db, task_args: {loss: mae}, options: {tasks: {a: binary, b: regression}}}}
        training: {class_weight: balanced, task_weights: {b: 2}}
        """
    )
    first, *others = (run.recipe for run in sweep.runs())
    assert [first.task_args, *(other.task_args for other in others)] == [
        {"loss": "huber"}, {"loss": "mse"}, {"loss": "mae"}, {"loss": "mse"}
    ]  # fmt: skip
    assert first.data.task_kinds == {"a": "binary", "b": "regression"}
    assert first.training.task_weights == {"b": 2}


def test_a_model_can_be_kept_to_some_optimizers_and_data_sets():
    sweep = Sweep.parse(
        """
        models: {gcn: , large: {name: gcn, optimizers: [sam], datasets: [esol]}}
        optimizers: [adam, sam]
        datasets: [b3db, esol]
        """
    )
    labels = [run.label for run in sweep.runs()]
    assert [label for label in labels if "large" in label] == ["esol large sam seed 0"]
    assert len(labels) == 2 * 2 + 1


def keys(text: str) -> list[str]:
    return [run.key for run in Sweep.parse(text).runs()]


BASE = "models: {grover: }\noptimizers: {adam: }\ndatasets: {b3db: {options: {}}}\n"


@pytest.mark.parametrize(
    "same",
    [
        BASE + "name: other\nreference: sam",
        BASE.replace("adam:", "plain: {name: adam}"),
        BASE.replace("options: {}", "options: {data_dir: somewhere}"),
        BASE + "training: {num_workers: 3}",
        BASE + "training: {sharpness_every: 2}",
        BASE + "training: {batch_size: 32}",
    ],
)
def test_a_run_keeps_its_key_under_another_name_place_or_with_defaults_spelled_out(same):
    assert keys(same) == keys(BASE)


@pytest.mark.parametrize(
    "other",
    [
        BASE + "seeds: [1]",
        BASE + "split: random",
        BASE + "training: {epochs: 11}",
        BASE.replace("adam: }", "adam: {args: {lr: 0.1}}}"),
        BASE.replace("options: {}", "max_molecules: 10"),
        BASE + "eigenvalue_molecules: 5",
    ],
)
def test_a_run_that_does_something_else_has_another_key(other):
    assert keys(other) != keys(BASE)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("- 1", ValueError, "mapping"),
        ("a: [", ValueError, "not YAML"),
        ("models: [grover]", ValueError, "needs datasets"),
        ("models: [grover]\ndatasets: {}", ValueError, "no datasets"),
        ("models: [grover]\ndatasets: [b3db]", ValueError, "needs an optimizer"),
        ("models: [grovr]\noptimizers: [adam]\ndatasets: [b3db]", UnknownName, "grover"),
        ("models: {grover: 3}\noptimizers: [adam]\ndatasets: [b3db]", ValueError, "grover: give a mapping"),
        ("models: {grover: {arg: 1}}\ndatasets: [b3db]", TypeError, "'args'"),
        ("models: {grover: {optimizers: [sam]}}\noptimizers: [adam]\ndatasets: [b3db]", ValueError, "'sam'"),
        ("models: {random_forest: {datasets: [esol]}}\ndatasets: [b3db]", ValueError, "data set 'esol'.*has b3db"),
        (BASE + "training: {epoch: 1}", TypeError, "'epochs'"),
        (BASE + "seed: [1]", TypeError, "'seeds'"),
        ("models: [gcn]\noptimizers: [adam]\ndatasets: [{source: b3db}]", ValueError, "datasets: give names"),
        ("models: [gcn, [grover]]\noptimizers: [adam]\ndatasets: [b3db]", ValueError, "models: give names"),
    ],
)
def test_mistakes_are_named_with_the_remedy_before_anything_runs(text, error, message):
    with pytest.raises(error, match=message):
        Sweep.parse(text).runs()


@pytest.mark.parametrize("path", sorted(BENCHMARKS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_specifications_in_the_repository_can_be_read(path):
    assert Sweep.read(path).runs()
