"""Columns of several kinds of target on one encoder."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import zoo
from zoo.commands.main import main
from zoo.data import DataError, MoleculeDataset
from zoo.recipe import DataOptions, Recipe
from zoo.tasks import Binary, Multiclass, Regression, make_task

SMILES = ["C" * n for n in range(1, 21)] + ["c1ccccc1" + "C" * n for n in range(20)]
FRAME = pd.DataFrame(
    {
        "smiles": SMILES,
        "logS": np.arange(40) / 3 + 1,
        "active": np.where(np.arange(40) % 3 == 0, "yes", "no"),
        "kind": ["a"] * 14 + ["b"] * 13 + ["c"] * 13,
    }
)
TWO = {"active": "binary", "logS": "regression"}
THREE = {"active": "binary", "kind": "multiclass", "logS": "regression"}
SMALL = {
    "gcn": {"hidden_size": 8},
    "grover": {"hidden_size": 8, "num_layers": 1, "num_heads": 2},
    "random_forest": {"num_trees": 5, "num_jobs": 1},
    "gradient_boosting": {"num_trees": 5},
}


def test_each_target_has_the_loss_and_the_prediction_of_its_kind():
    task = make_task("mixed", {"kinds": ["regression", "multiclass", "binary"], "num_classes": 3, "loss": "mae"})
    scores, targets = torch.randn(6, 5), torch.tensor([[0.3, 2.0, 1.0]] * 6)
    apart = [
        (Regression(loss="mae"), scores[:, :1], targets[:, :1]),
        (Multiclass(num_classes=3), scores[:, 1:4], targets[:, 1:2]),
        (Binary(), scores[:, 4:], targets[:, 2:]),
    ]
    expected = torch.cat([kind.elementwise_loss(mine, labels) for kind, mine, labels in apart], dim=1)
    torch.testing.assert_close(task.elementwise_loss(scores, targets), expected)
    values = torch.cat([kind.to_predictions(mine).flatten(1) for kind, mine, _ in apart], dim=1)
    torch.testing.assert_close(task.to_predictions(scores), values)
    bounds = torch.tensor([[1, 0, 0]] * 6)
    bounded = task.bounded_loss(scores, targets, bounds)
    assert (bounded[:, 0][scores[:, 0] > 0.3] == 0).all()
    torch.testing.assert_close(bounded[:, 1:], expected[:, 1:])
    assert (task.scaled, task.unscaled, task.count_scores(3)) == (True, (1, 2), 5)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "needs the kind of each target"),
        ({"kinds": ["mixed"]}, "name one that is not mixed itself"),
        ({"kinds": ["binary", "regression"], "loss": "quadratic"}, "none of the kinds binary, regression has it"),
        ({"kinds": ["binary"], "options": {"regression": {}}}, "'regression', which is not among the kinds"),
    ],
)
def test_impossible_mixtures_are_one_line(options, text):
    with pytest.raises(ValueError, match=text):
        make_task("mixed", options)


@pytest.mark.parametrize(
    "tasks", [TWO, ["active:binary", "logS:regression"], ["active:classification", "logS"], ["active", "logS"]]
)
def test_kinds_are_named_in_several_ways(tasks):
    named = ":" in "".join(tasks) or isinstance(tasks, dict)
    data = zoo.data.load(FRAME, tasks=tasks, task=None if named else "mixed")
    assert (data.task, data.task_kinds, data.metric) == ("mixed", ("binary", "regression"), "roc_auc")
    assert data.label_names == {"active": ("no", "yes")}
    assert data.subset([1, 2]).task_kinds == data.task_kinds


def test_columns_of_one_kind_are_not_mixed():
    data = zoo.data.load(FRAME.assign(mp=FRAME["logS"] * 2), tasks=["logS:regression", "mp:regression"])
    assert (data.task, data.task_kinds) == ("regression", ())


def test_colons_belong_to_names_unless_a_kind_follows():
    data = zoo.data.load(FRAME.rename(columns={"logS": "logS: 25 C"}), tasks=["logS: 25 C", "active:binary"])
    assert data.task_names == ("logS: 25 C", "active")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"tasks": {"logS": "number"}}, "choose one of"),
        ({"tasks": TWO, "task": "regression"}, "'active' has the kind 'binary': leave one out"),
        ({"tasks": {"kind": "regression", "active": "binary"}}, "'kind' has 3 different words"),
        ({"tasks": {"logS": "binary", "active": "binary"}}, "is not a class"),
        ({"tasks": ["logS", "active"], "task_kinds": {"mp": "regression"}}, None),
    ],
)
def test_impossible_kinds_are_one_line(options, text):
    if text is None:
        assert DataOptions(**options).task_kinds is None  # of another choice of columns
        return
    with pytest.raises(ValueError) as caught:
        zoo.data.load(FRAME, **options)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mixed_file_without_kinds_asks_for_them():
    numbers = FRAME.assign(active=np.arange(40) % 2)
    with pytest.raises(DataError, match="or task='mixed' to learn each as its own kind"):
        zoo.data.load(numbers, tasks=["active", "logS"])


def test_kinds_of_a_data_set_are_checked():
    with pytest.raises(DataError, match="1 task_kinds for 2 tasks"):
        MoleculeDataset("x", ["C"], np.ones((1, 2)), ("a", "b"), "mixed", task_kinds=("binary",))
    with pytest.raises(DataError, match="0 task_kinds for 1 tasks of kind 'mixed'"):
        MoleculeDataset("x", ["C"], np.ones((1, 1)), ("a",), "mixed")


@pytest.mark.parametrize(
    ("model", "tasks"), [("gcn", TWO), ("grover", THREE), ("random_forest", THREE), ("gradient_boosting", TWO)]
)
def test_learners_of_several_kinds(model, tasks, tmp_path):
    data = zoo.data.load(FRAME, tasks=tasks)
    learner = zoo.build(model, dataset=data, model_args=SMALL[model])
    history = learner.fit(data, split="random", epochs=2, progress=False, class_weight="balanced")
    assert history.metric == ("loss" if "_" not in model else "roc_auc")
    found = learner.predictions(SMILES)
    columns = ["active", *[f"kind_{word}" for word in "abc" if len(tasks) == 3], "logS"]
    assert found.values.shape == (40, len(columns))
    assert found.to_frame().columns[: len(columns)].tolist() == [f"predicted_{name}" for name in columns]
    assert ((found.values[:, :-1] >= 0) & (found.values[:, :-1] <= 1)).all()
    measured = learner.evaluate(data)
    errors = found.values[:, -1] - FRAME["logS"]
    assert measured.per_task["mae"]["logS"] == pytest.approx(np.abs(errors).mean(), rel=1e-5)
    assert np.isnan(measured.per_task["mae"]["active"])
    assert not np.isnan(measured.per_task["roc_auc"]["active"])
    assert measured.interval_by_task["logS"]["mae"][0] <= measured["mae"] <= measured.interval_by_task["logS"]["mae"][1]
    learner.save(tmp_path / "saved")
    again = zoo.load(tmp_path / "saved", device="cpu")
    np.testing.assert_allclose(again.predict(SMILES), found.values)
    shuffled = FRAME[["smiles", "kind", "logS", "active"]]
    assert again.evaluate(shuffled).per_task["mae"] == pytest.approx(measured.per_task["mae"], nan_ok=True)


def test_only_numbers_are_scaled_and_transformed():
    data = zoo.data.load(FRAME, tasks=THREE)
    learner = zoo.build("gcn", dataset=data, model_args=SMALL["gcn"])
    learner.fit(data, split=None, epochs=1, progress=False, target_transform="log10")
    assert learner.scaler.mean[:2] == (0, 0)
    assert learner.scaler.std[:2] == (1, 1)
    assert [each is None for each in learner.scaler.transforms] == [True, True, False]
    with pytest.raises(DataError, match="'active', which is not a task: choose among 'logS'"):
        learner.fit(data, split=None, epochs=1, progress=False, target_transform={"active": "log10"})


def test_other_kinds_are_refused():
    learner = zoo.build("gcn", dataset=zoo.data.load(FRAME, tasks=TWO), model_args=SMALL["gcn"])
    numbers = FRAME.assign(active=np.arange(40) % 2)
    swapped = zoo.data.load(numbers, tasks=["active", "logS"], task="regression")
    with pytest.raises(ValueError, match="built for 2 mixed task"):
        learner.evaluate(swapped)


def test_recipes_hold_kinds(tmp_path):
    (tmp_path / "recipe.yaml").write_text(
        "model: gcn\ndata:\n  source: x.csv\n  tasks: {active: binary, logS: regression}\n"
    )
    recipe = Recipe.read(tmp_path / "recipe.yaml")
    assert recipe.data.tasks == ("active", "logS")
    assert recipe.data.task_kinds == TWO
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_commands_of_a_mixed_file(tmp_path, capsys):
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    data, run = str(tmp_path / "data.csv"), str(tmp_path / "run")
    tasks = ["--tasks", "active:binary", "kind:multiclass", "logS:regression"]
    model = ["--model", "gcn", "--model-args.hidden_size", "8", "--loss", "mae"]
    main(["data", "check", data, *tasks])
    assert "3 mixed task(s)" in capsys.readouterr().out
    main(["train", "--data", data, *tasks, *model, "--split", "random", "--epochs", "2", "--output", run])
    assert "valid loss" in capsys.readouterr().out
    assert (tmp_path / "run" / "test_regression.png").exists()
    main(["train", "--resume", run, "--epochs", "3", "--quiet"])
    capsys.readouterr()
    main(["evaluate", run, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["per_task"]["logS"]["rmse"] > 0
    assert found["per_task"]["active"]["rmse"] is None
    main(["evaluate", run, "--data", data, "--part", "all"])
    main(["predict", run, data, "--output", str(tmp_path / "out.csv")])
    assert {"predicted_active", "predicted_kind_c", "predicted_logS"} <= set(pd.read_csv(tmp_path / "out.csv").columns)
    main(["describe", run])
    main(["report", str(tmp_path), "--output", str(tmp_path / "report.html")])
    assert "Traceback" not in capsys.readouterr().err


def test_folds_and_uncertainty_of_a_mixed_file(tmp_path, capsys):
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    tasks = ["--tasks", "active:binary", "kind:multiclass", "logS:regression"]
    model = ["--model", "dmpnn", "--model-args.hidden_size", "8", "--model-args.dropout", "0.1", "--epochs", "1"]
    folds = ["--split", "kfold", "--folds", "3", "--output", str(tmp_path / "folds"), "--quiet"]
    main(["train", "--data", str(tmp_path / "data.csv"), *tasks, *model, *folds])
    assert "Traceback" not in capsys.readouterr().err
    together = zoo.load(tmp_path / "folds", device="cpu")
    assert together.predict(SMILES[:2]).shape == (2, 5)
    found = together.members[0].predictions(SMILES[:2], uncertainty="mc_dropout")
    assert found.spread.shape == found.values.shape == (2, 5)


def test_the_page_about_targets_runs():
    page = (Path(__file__).parents[2] / "docs" / "targets.md").read_text()
    code = "\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    exec(compile(code, "docs/targets.md", "exec"), {"__name__": "docs"})


def test_a_search_over_a_mixed_file_improves_the_validation_loss(tmp_path, capsys):
    FRAME.to_csv(tmp_path / "data.csv", index=False)
    data = ["--data", str(tmp_path / "data.csv"), "--tasks", "active:binary", "logS:regression", "--split", "random"]
    search = ["--trials", "1", "--epochs", "1", "--model-args.hidden_size", "8", "--output", str(tmp_path / "tuned")]
    main(["tune", "--model", "dmpnn", *data, *search])
    assert "fail" not in capsys.readouterr().out
    assert Recipe.read(tmp_path / "tuned" / "recipe.yaml").data.task_kinds == TWO
