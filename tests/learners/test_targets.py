"""Losses, bounds, transforms and weights of learners: in training, in metrics and in checkpoints."""

import json
import warnings

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.preprocessing import PowerTransformer
from sklearn.utils.class_weight import compute_class_weight

import zoo
from zoo.commands.main import main
from zoo.data import DataError
from zoo.importing.exporting import export_grover
from zoo.learners.targets import find_weighting
from zoo.recipe.options import TrainingOptions
from zoo.runs.checkpoint_errors import CheckpointError
from zoo.tasks import TargetScaler, Weighting, objective_for
from zoo.tasks.transforms import YeoJohnson

SMILES = ["C" * n for n in range(1, 21)] + ["c1ccccc1" + "C" * n for n in range(20)]
SMALL = {"hidden_size": 8}
NUMBERS = np.arange(40) / 3 + 1


def censored(**columns):
    cells = [f">{value}" if n % 5 == 0 else str(value) for n, value in enumerate(NUMBERS)]
    return pd.DataFrame({"smiles": SMILES, "y": cells, **columns})


def losses_of(learner, data, **options):
    """Training loss of the first step, which has the complete training part."""
    seen = []

    class Watch:
        def on_step_end(self, run):
            seen.append(run.loss)

    learner.fit(data, split=None, epochs=1, batch_size=64, progress=False, callbacks=[Watch()], **options)
    return seen[0]


def test_the_training_loss_has_bounds_and_weights_of_rows():
    weights = np.linspace(0.0, 2.0, 40)
    data = zoo.data.load(censored(w=weights), tasks="y", weight_column="w")
    learner = zoo.build("dmpnn", dataset=data, model_args=SMALL, task_args={"loss": "mae"}, device="cpu")
    scaler = TargetScaler.fit(data.exact_targets)
    scores = learner.predict(SMILES)  # standardized, as nothing was trained
    targets, sides = scaler.transform(data.targets), data.bounds
    errors = np.abs(scores - targets) * ~((sides == 1) & (scores > targets))
    assert losses_of(learner, data) == pytest.approx((errors[:, 0] * weights).mean(), rel=1e-4)


def test_scaling_and_metrics_take_exact_labels():
    data = zoo.data.load(censored(), tasks="y")
    learner = zoo.build("gcn", dataset=data, model_args=SMALL)
    learner.fit(data, split=None, epochs=1, progress=False)
    exact = NUMBERS[np.arange(40) % 5 > 0]
    assert learner.scaler.mean[0] == pytest.approx(exact.mean())
    assert learner.scaler.std[0] == pytest.approx(exact.std())
    predicted = learner.predict(SMILES)[:, 0]
    errors = predicted - NUMBERS
    assert learner.evaluate(data)["mae"] == pytest.approx(np.abs(errors[np.arange(40) % 5 > 0]).mean())
    asked = zoo.data.load(censored(), tasks="y", measure_bounds=True)
    errors[(np.arange(40) % 5 == 0) & (errors > 0)] = 0
    assert learner.evaluate(asked)["mae"] == pytest.approx(np.abs(errors).mean())


def test_a_part_with_bounds_only_is_one_line():
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES[:4], "y": [">1", ">2", "<3", "<4"]}), tasks="y")
    assert any("has no exact label" in note for note in data.notes)
    with pytest.raises(DataError, match="bounds do not count") as caught:
        zoo.build("gcn", dataset=data, model_args=SMALL).fit(data, split=None, epochs=1, progress=False)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [np.random.default_rng(0).lognormal(0, 2, 99), -(NUMBERS**3), NUMBERS * 1e-6])
def test_the_transform_is_scikit_learns(values):
    transform, reference = YeoJohnson.fit(values), PowerTransformer("yeo-johnson", standardize=False)
    expected = reference.fit_transform(values[:, None])[:, 0]
    np.testing.assert_allclose(transform.forward(values), expected, rtol=1e-12)
    np.testing.assert_allclose(transform.inverse(expected), values, rtol=1e-9)
    assert np.isfinite(transform.inverse(np.array([-1e6, 1e6]))).all()


@pytest.mark.parametrize("name", ["log10", "yeo-johnson"])
def test_transforms_are_inverted_and_saved(name, tmp_path):
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "a": 10**NUMBERS, "b": NUMBERS}), tasks=["a", "b"])
    learner = zoo.build("gcn", dataset=data, model_args=SMALL)
    learner.fit(data, split=None, epochs=1, progress=False, target_transform={"a": name})
    assert [each is not None for each in learner.scaler.transforms] == [True, False]
    with torch.no_grad():
        scores = torch.stack([learner.model(learner.featurizer(smiles))[0] for smiles in SMILES[:3]]).double().numpy()
    expected = learner.scaler.inverse(scores)
    np.testing.assert_allclose(learner.predict(SMILES[:3]), expected, rtol=1e-5)
    learner.save(tmp_path / "saved")
    fitted = json.loads((tmp_path / "saved" / "fitted.json").read_text())
    assert fitted["target_scaling"]["transforms"][0]["name"] == name
    again = zoo.load(tmp_path / "saved", device="cpu")
    assert again.scaler == learner.scaler
    np.testing.assert_array_equal(again.predict(SMILES), learner.predict(SMILES))
    assert again.scaler.unit_std[0] == pytest.approx((10**NUMBERS).std())


def test_a_forest_learns_transformed_targets_with_weights():
    weights = np.linspace(0.1, 2.0, 40)
    frame = pd.DataFrame({"smiles": SMILES, "y": 10**NUMBERS, "w": weights})
    data = zoo.data.load(frame, tasks="y", weight_column="w")
    learner = zoo.build("random_forest", dataset=data, model_args={"num_trees": 20, "num_jobs": 1})
    learner.fit(data, split=None, progress=False, target_transform="log10")
    forest = RandomForestRegressor(20, max_features=1 / 3, random_state=0)
    reference = TransformedTargetRegressor(forest, func=learner.scaler.transform, inverse_func=learner.scaler.inverse)
    features = np.stack([learner.featurizer.read(smiles).descriptors for smiles in SMILES]).reshape(40, -1)
    reference.regressor.set_params(n_jobs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a column is as good as a row to the forest
        reference.fit(features, 10 ** NUMBERS[:, None], sample_weight=weights)
    np.testing.assert_allclose(learner.predict(SMILES)[:, 0], reference.predict(features).ravel(), rtol=1e-9)


@pytest.mark.parametrize("cells", [[0.0, *NUMBERS[1:]], [-3.0, *NUMBERS[1:]], ["<0", *map(str, NUMBERS[1:])]])
def test_log10_needs_labels_above_0(cells):
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": cells}), tasks="y")
    with pytest.raises(DataError, match=r"task 'y': log10 is for labels above 0, and 1 labels are not") as caught:
        zoo.build("gcn", dataset=data, model_args=SMALL).fit(data, split="random", epochs=1, target_transform="log10")
    assert "\n" not in str(caught.value)


def classes(**columns):
    labels = np.where(np.arange(40) % 5 == 0, "yes", "no")
    return zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": labels, **columns}), tasks="y")


def weighting(data, **options):
    return find_weighting(data, TrainingOptions(**options))


def test_balanced_weights_are_scikit_learns():
    data = classes()
    expected = compute_class_weight("balanced", classes=np.array([0, 1]), y=data.targets[:, 0].astype(int))
    assert weighting(data, class_weight="balanced").classes == (pytest.approx(tuple(expected)),)
    three = zoo.data.load((SMILES, np.arange(40) // 15), task="multiclass")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=np.arange(40) // 15)
    assert weighting(three, class_weight="balanced").classes == (pytest.approx(tuple(expected)),)


@pytest.mark.parametrize(
    "given", [{"yes": 5, "no": 2}, {0: 2, 1: 5}, [2, 5], {"y": [2, 5]}, {"y": {"YES": 5, "no": 2.0}}]
)
def test_weights_of_classes_are_given_in_several_ways(given):
    assert weighting(classes(), class_weight=given).classes == ((2.0, 5.0),)


def test_weights_of_tasks_are_given_by_name_or_in_order():
    data = zoo.data.load((SMILES, {"a": NUMBERS, "b": NUMBERS}), tasks=["a", "b"])
    assert weighting(data, task_weights={"b": 2}).tasks == (1.0, 2.0)
    assert weighting(data, task_weights=[0, 3]).tasks == (0.0, 3.0)
    assert not weighting(data)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"task_weights": {"z": 1.0}}, "'z', which are not tasks"),
        ({"task_weights": [1.0, 2.0]}, "2 task_weights for 1 tasks"),
        ({"task_weights": {"y": -1.0}}, "-1.0 of 'y' is no weight"),
        ({"task_weights": {"y": float("nan")}}, "nan of 'y' is no weight"),
        ({"task_weights": [0.0]}, "task_weights are all 0"),
        ({"class_weight": "heavy"}, "class_weight='heavy': give 'balanced'"),
        ({"class_weight": {"maybe": 2}}, "'maybe': task 'y' has the classes 'no', 'yes'"),
        ({"class_weight": [1, 2, 3]}, "3 class weights for the 2 classes"),
        ({"class_weight": [1, -2]}, "-2 of 'yes' is no weight"),
        ({"class_weight": [0, 0]}, "is 0 for all classes"),
        ({"target_transform": "log10"}, "is for numbers, and the task is classification"),
    ],
)
def test_impossible_weights_are_one_line(options, text):
    data = classes()
    with pytest.raises(ValueError) as caught:
        zoo.build("gcn", dataset=data, model_args=SMALL).fit(data, split=None, epochs=1, progress=False, **options)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_have_no_weights_of_classes():
    data = zoo.data.load((SMILES, NUMBERS))
    with pytest.raises(ValueError, match="is for classes, and the task is regression"):
        weighting(data, class_weight="balanced")


def test_class_weights_act_in_the_loss_and_not_in_metrics():
    data = classes()
    plain, heavy = (zoo.build("dmpnn", dataset=data, model_args=SMALL, device="cpu") for _ in range(2))
    assert plain.evaluate(data) == heavy.evaluate(data)
    probabilities = plain.predict(SMILES)[:, 0].astype(np.float64)
    labels = data.targets[:, 0]
    entropies = -np.log(np.where(labels == 1, probabilities, 1 - probabilities))
    assert losses_of(plain, data) == pytest.approx(entropies.mean(), rel=1e-4)
    weighted = (entropies * np.where(labels == 1, 7.0, 0.5)).mean()
    assert losses_of(heavy, data, class_weight={"no": 0.5, "yes": 7}) == pytest.approx(weighted, rel=1e-4)
    assert heavy.fitted.loss_weights == {"tasks": [], "classes": [[0.5, 7.0]]}


def test_weights_of_a_model_with_its_own_loss():
    class Own(torch.nn.Module):
        def loss(self, scores, targets, mask):
            return scores.sum()

    with pytest.raises(ValueError, match="model Own computes its loss itself, without weights"):
        objective_for(Own(), zoo.tasks.Regression(), Weighting(tasks=(2.0,)))


def test_every_option_on_the_command_line(tmp_path, capsys):
    censored(w=np.linspace(0.5, 1, 40)).to_csv(tmp_path / "data.csv", index=False)
    data = ["--data", str(tmp_path / "data.csv"), "--tasks", "y", "--weight-column", "w", "--split", "random"]
    model = ["--model", "gcn", "--model-args.hidden_size", "8", "--optimizer", "esam", "--loss", "huber"]
    options = ["--target-transform", "yeo-johnson", "--task-weights.y", "2", "--task-args.delta", "0.5"]
    run = tmp_path / "run"
    main(["train", *data, *model, *options, "--epochs", "2", "--output", str(run)])
    assert "labels are bounds" in capsys.readouterr().out
    recipe = json.loads((run / "recipe.json").read_text())
    assert recipe["task_args"] == {"delta": 0.5, "loss": "huber"}
    assert recipe["training"]["task_weights"] == {"y": 2}
    table = pd.read_csv(run / "test_predictions.csv")
    tested = zoo.data.load(run / "test_predictions.csv", tasks=["y"])
    assert (tested.bounds == 1).sum() == table["y"].astype(str).str.startswith(">").sum() > 0
    main(["evaluate", str(run), "--measure-bounds", "true", "--json"])
    assert set(json.loads(capsys.readouterr().out)) >= {"rmse", "mae"}
    with pytest.raises(SystemExit):
        main(["train", "--resume", str(run), "--epochs", "3", "--loss", "mae"])
    assert "--task-args.loss is 'huber' there, not 'mae'" in capsys.readouterr().err
    main(["train", "--resume", str(run), "--epochs", "3", "--quiet"])
    assert zoo.load(run, device="cpu").task.delta == 0.5


@pytest.mark.parametrize("model", ["gcn", "random_forest"])
def test_a_class_that_training_does_not_have_is_warned_about(model):
    labels, parts = ["a"] * 15 + ["b"] * 15 + ["c"] * 10, ["train"] * 30 + ["valid"] * 5 + ["test"] * 5
    data = zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": labels, "part": parts}), tasks="y", split_column="part")
    learner = zoo.build(model, dataset=data, model_args=SMALL if model == "gcn" else {"num_trees": 5})
    with pytest.warns(UserWarning, match="no molecule of class 'c' of task 'y', which cannot be learned"):
        learner.fit(data, split="column", epochs=1, progress=False, class_weight="balanced")
    assert learner.predict(SMILES).shape == (40, 1, 3)


def test_the_published_layout_holds_no_transform(tmp_path):
    data = zoo.data.load((SMILES, NUMBERS))
    model = {"hidden_size": 8, "num_layers": 1, "num_heads": 2}
    learner = zoo.build("grover", dataset=data, model_args=model)
    learner.fit(data, split=None, epochs=1, progress=False, target_transform="log10")
    with pytest.raises(CheckpointError, match="nor transformed ones"):
        export_grover(learner, tmp_path / "grover.pt")
