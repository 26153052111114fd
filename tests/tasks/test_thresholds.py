"""Thresholds between two classes: the best of all, chosen on the validation part, stored and applied."""

import json

import numpy as np
import pytest
from sklearn import metrics as sk

import zoo
from zoo.recipe.fitted import Fitted
from zoo.recipe.options import TrainingOptions
from zoo.registry.catalog.targets import THRESHOLD_METRICS
from zoo.tasks import choose_thresholds, compute

FUNCTIONS = {
    "balanced_accuracy": sk.balanced_accuracy_score,
    "accuracy": sk.accuracy_score,
    "f1": sk.f1_score,
    "mcc": sk.matthews_corrcoef,
}
FOREST = {"num_trees": 20, "num_jobs": 1}


@pytest.mark.parametrize("metric", THRESHOLD_METRICS)
@pytest.mark.parametrize("seed", range(4))
def test_no_threshold_is_better(metric, seed):
    generator = np.random.default_rng(seed)
    labels = (generator.random(60) < 0.25).astype(float)
    probabilities = np.round(np.clip(generator.normal(0.3 + 0.2 * labels, 0.2), 0, 1), 2)
    found = choose_thresholds(labels[:, None], probabilities[:, None], ["t"], metric)["t"]
    tried = [FUNCTIONS[metric](labels, probabilities >= cut) for cut in np.linspace(-0.005, 1.005, 102)]
    assert FUNCTIONS[metric](labels, probabilities >= found) == pytest.approx(max(tried), abs=1e-12)
    applied = compute(metric, labels[:, None], probabilities[:, None], thresholds=[found]).value
    assert applied == pytest.approx(max(tried), abs=1e-12)


def test_equally_good_ones_stay_near_one_half():
    labels = np.array([[0.0], [0.0], [1.0], [1.0]])
    assert choose_thresholds(labels, np.array([[0.1], [0.4], [0.9], [1.0]]), ["t"])["t"] == pytest.approx(0.65)
    assert choose_thresholds(labels, np.array([[0.5]] * 4), ["t"], "accuracy")["t"] in (0.25, 0.75)


def test_neighbouring_numbers_are_told_apart():
    low, high = 0.3, np.nextafter(0.3, 1)
    found = choose_thresholds(np.array([[0.0], [1.0]]), np.array([[low], [high]]), ["t"])["t"]
    assert low < found <= high


def test_tasks_of_one_class_keep_one_half():
    labels = np.array([[0.0, 1.0, np.nan], [1.0, 1.0, np.nan]])
    assert choose_thresholds(labels, np.full((2, 3), 0.4), ["a", "b", "c"]).keys() == {"a"}


def test_other_metrics_are_refused():
    with pytest.raises(ValueError, match="threshold_metric='roc_auc': choose one of balanced_accuracy"):
        choose_thresholds(np.zeros((1, 1)), np.zeros((1, 1)), ["t"], "roc_auc")
    with pytest.raises(ValueError, match="threshold_metric='rmse'"):
        TrainingOptions(threshold_metric="rmse")


@pytest.fixture(scope="module")
def trained(small, tmp_path_factory):
    """A forest with its folder and history."""
    folder = tmp_path_factory.mktemp("thresholds") / "run"
    learner = zoo.build("random_forest", dataset=small, model_args=FOREST)
    history = learner.fit(small, split="random", logdir=folder, progress=False, threshold_metric="mcc")
    return learner, history, folder


def test_training_chooses_on_the_validation_part_and_the_checkpoint_keeps_it(trained):
    learner, history, folder = trained
    valid = history.split.valid
    expected = choose_thresholds(valid.targets, learner.predict(valid), valid.task_names, "mcc")
    assert learner.fitted.thresholds == expected != {}
    assert zoo.load(folder).fitted.thresholds == expected


def test_evaluation_applies_it_unless_another_is_given(trained):
    learner, history, _ = trained
    test = history.split.test
    (cut,) = learner.fitted.thresholds.values()
    probabilities, labels = learner.predict(test)[:, 0], test.targets[:, 0]
    found = learner.evaluate(test)
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(labels, probabilities >= cut))
    assert found.thresholds == learner.fitted.thresholds
    half = learner.evaluate(test, threshold=0.5)
    assert half["mcc"] == pytest.approx(sk.matthews_corrcoef(labels, probabilities >= 0.5))
    with pytest.raises(ValueError, match="threshold=2: give a probability"):
        learner.evaluate(test, threshold=2)


def test_predicted_classes_go_by_it(trained):
    learner, history, _ = trained
    smiles, (name,) = [*history.split.test.smiles, "nonsense"], learner.fitted.task_names
    table = learner.predictions(smiles).to_frame()
    words = learner.fitted.label_names.get(name, ("0", "1"))
    positive = table[f"predicted_{name}"] >= learner.fitted.thresholds[name]
    assert table[f"class_{name}"][:-1].tolist() == [words[int(each)] for each in positive[:-1]]
    assert table[f"class_{name}"].iloc[-1] == ""


def test_networks_choose_it_too_and_none_leaves_one_half(small, tmp_path):
    learner = zoo.build("gcn", dataset=small, model_args={"hidden_size": 8})
    learner.fit(small, split="random", epochs=1, logdir=tmp_path / "run", progress=False)
    written = json.loads((tmp_path / "run" / "checkpoints" / "best" / "fitted.json").read_text())
    assert written["thresholds"] == learner.fitted.thresholds != {}
    learner.fit(small, split="random", epochs=1, progress=False, threshold_metric=None)
    assert learner.fitted.thresholds == {}


def test_old_checkpoints_decide_at_one_half():
    old = json.loads(Fitted(1, "binary").to_json())
    del old["thresholds"]
    assert Fitted.from_json(json.dumps(old)).thresholds == {}


def test_an_ensemble_decides_by_the_mean(small):
    members = [zoo.build("random_forest", dataset=small, model_args=FOREST, seed=seed) for seed in (0, 1)]
    for member in members:
        member.fit(small, split="random", progress=False)
    (cuts,) = zip(*(member.fitted.thresholds.values() for member in members), strict=True)
    both = zoo.ensemble(members)
    assert list(both.fitted.thresholds.values()) == pytest.approx([np.mean(cuts)])
    assert both.predictions(["CCO"]).classes.keys() == set(small.task_names)


def test_only_tasks_of_two_classes_among_several_kinds_have_one():
    smiles = ["C" * n for n in range(1, 31)]
    columns = {"active": ["yes", "no", "no"] * 10, "kind": ["a", "b", "c"] * 10, "size": np.arange(30) / 7}
    kinds = {"active": "binary", "kind": "multiclass", "size": "regression"}
    data = zoo.data.load({"smiles": smiles, **columns}, tasks=list(columns), task_kinds=kinds)
    learner = zoo.build("random_forest", dataset=data, model_args=FOREST)
    history = learner.fit(data, split=zoo.data.split(data, "random", fractions=(0.4, 0.3, 0.3)), progress=False)
    assert learner.fitted.thresholds.keys() == {"active"}
    test = history.split.test
    (cut,) = learner.fitted.thresholds.values()
    found = learner.evaluate(test)
    assert found.thresholds == {"active": cut}
    probabilities = learner.predictions(test).to_frame()["predicted_active"]
    expected = np.mean((probabilities >= cut) == (test.targets[:, test.task_names.index("active")] == 1))
    assert found.per_task["accuracy"]["active"] == pytest.approx(expected)
