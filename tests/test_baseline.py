"""Baselines against plain scikit-learn on the same matrix, and through the interface of the learners."""

import numpy as np
import pytest
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)

import zoo
from featurizers import FingerprintFeaturizer
from zoo.data import MoleculeDataset
from zoo.learners.baselines import BoostingConfig, ForestConfig, GradientBoosting, RandomForest
from zoo.registry.registry import UnknownName
from zoo.runs.checkpoint import CheckpointError

TREES = {"num_trees": 20}
SMILES = [f"{'C' * n}{tail}" for n in range(1, 13) for tail in ("O", "N", "C(=O)O", "c1ccccc1", "Cl")]


def matrix():
    featurizer = FingerprintFeaturizer()
    return np.stack([featurizer(smiles).descriptors[0].numpy() for smiles in SMILES])


def dataset(targets, task="classification"):
    targets = np.asarray(targets, dtype=np.float32).reshape(len(SMILES), -1)
    names = tuple(f"task{number}" for number in range(targets.shape[1]))
    return MoleculeDataset("small", SMILES, targets, names, task)


def labels():
    """Whether a molecule has nitrogen or chlorine, and another task that also depends on its size."""
    first = np.array(["N" in smiles or "Cl" in smiles for smiles in SMILES], dtype=np.float32)
    second = np.array([len(smiles) % 3 == 0 for smiles in SMILES], dtype=np.float32)
    return np.stack([first, second], axis=1)


def fitted(model, data, **options):
    learner = zoo.build(
        model, dataset=data, model_args=TREES | ({"num_jobs": 1} if model == "random_forest" else {}), **options
    )
    learner.fit(data, split=None, progress=False)
    return learner


@pytest.mark.parametrize(
    ("model", "task", "plain"),
    [
        ("random_forest", "classification", RandomForestClassifier(20, max_features="sqrt", random_state=7)),
        ("random_forest", "regression", RandomForestRegressor(20, max_features=1 / 3, random_state=7)),
        (
            "gradient_boosting",
            "classification",
            HistGradientBoostingClassifier(max_iter=20, learning_rate=0.05, early_stopping=False, random_state=7),
        ),
        (
            "gradient_boosting",
            "regression",
            HistGradientBoostingRegressor(max_iter=20, learning_rate=0.05, early_stopping=False, random_state=7),
        ),
    ],
)
def test_equal_to_scikit_learn(model, task, plain):
    targets = labels()[:, 0] if task == "classification" else np.array([len(s) * 0.3 for s in SMILES], np.float32)
    learner = fitted(model, dataset(targets, task), seed=7)
    x = matrix()
    plain.fit(x, targets)
    expected = plain.predict_proba(x)[:, 1] if task == "classification" else plain.predict(x)
    np.testing.assert_allclose(learner.predict(SMILES)[:, 0], expected, rtol=1e-6)
    assert len(np.unique(expected)) > 2


def test_a_missing_label_leaves_out_its_molecule_for_its_task_only():
    targets = labels()
    known = np.ones_like(targets, dtype=bool)
    known[::3, 0] = known[1::4, 1] = False
    learner = fitted("random_forest", dataset(np.where(known, targets, np.nan)))
    x = matrix()
    for task in range(2):
        rows = known[:, task]
        plain = RandomForestClassifier(20, max_features="sqrt", random_state=0).fit(x[rows], targets[rows, task])
        np.testing.assert_allclose(learner.predict(SMILES)[:, task], plain.predict_proba(x)[:, 1], rtol=1e-6)


@pytest.mark.parametrize("model", ["random_forest", "gradient_boosting"])
def test_tasks_of_one_class_or_without_labels_get_the_constant_that_they_allow(model):
    n = len(SMILES)
    targets = np.stack([np.ones(n), np.zeros(n), np.full(n, np.nan), labels()[:, 0]], axis=1)
    predictions = fitted(model, dataset(targets)).predict(SMILES)
    assert (predictions[:, 0] == 1).all()
    assert (predictions[:, 1] == 0).all()
    assert (predictions[:, 2] == 0.5).all()
    assert len(np.unique(predictions[:, 3])) > 2
    values = np.stack([np.full(n, np.nan), np.arange(n)], axis=1)
    assert (fitted(model, dataset(values, "regression")).predict(SMILES)[:, 0] == 0).all()


@pytest.mark.parametrize("model", ["random_forest", "gradient_boosting"])
@pytest.mark.parametrize("task", ["classification", "regression"])
def test_saved_and_loaded(model, task, tmp_path):
    targets = labels() if task == "classification" else labels() * 3.5 - 1
    targets[:, 1] = 1  # a constant task is saved too
    learner = fitted(model, dataset(targets, task))
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved")
    assert repr(loaded) == repr(learner)
    np.testing.assert_array_equal(loaded.predict(SMILES), learner.predict(SMILES))
    assert not any(path.suffix in (".pkl", ".pt") for path in (tmp_path / "saved").iterdir())


def test_evaluates_validates_and_writes_runs_as_learners_do(tmp_path):
    data = dataset(labels()[:, 0])
    learner = zoo.build("random_forest", dataset=data, model_args=TREES)
    history = learner.fit(data, split="random", logdir=tmp_path / "run", progress=False)
    assert history.metric == "roc_auc"
    assert history.best == history.epochs[0].valid["roc_auc"]
    assert history.epochs[0].molecules == len(history.split.train) == 48
    scores = learner.evaluate(history.split.train)
    assert scores["roc_auc"] > 0.99
    loaded = zoo.load(tmp_path / "run")
    np.testing.assert_array_equal(loaded.predict(SMILES), learner.predict(SMILES))
    with pytest.raises(CheckpointError, match="holds a run already"):
        learner.fit(data, split="random", logdir=tmp_path / "run", progress=False)
    learner.fit(data, split="random", logdir=tmp_path / "run", resume=True, progress=False)


def test_unreadable_molecules_get_nan():
    predictions = fitted("random_forest", dataset(labels()[:, 0])).predict(["CCO", "no SMILES", "CCN"])
    assert np.isnan(predictions[:, 0]).tolist() == [False, True, False]


def test_descriptors_follow_the_fingerprint():
    pytest.importorskip("descriptastorus", reason="the optional extra 'descriptors' is not installed")
    data = dataset(labels()[:, 0]).subset(np.arange(12))
    learner = zoo.build(
        "random_forest", dataset=data, model_args=TREES, featurizer_args={"descriptors": True, "num_bits": 64}
    )
    learner.fit(data, split=None, progress=False)
    assert learner.model.estimators[0].n_features_in_ == 264


def test_an_optimizer_has_no_place():
    with pytest.raises(TypeError, match="trained without an optimizer"):
        zoo.build("random_forest", optimizer_args={"lr": 0.1})
    recipe = zoo.build("random_forest", optimizer="graphsam").recipe
    assert recipe.optimizer == "none"
    assert zoo.assemble(zoo.Recipe.from_json(recipe.to_json())).recipe == recipe
    with pytest.raises(UnknownName, match="optimizer 'none'"):
        zoo.build("gcn", optimizer="none")


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (ForestConfig, {"num_trees": 0}),
        (ForestConfig, {"min_leaf": 0}),
        (BoostingConfig, {"learning_rate": 0.0}),
        (BoostingConfig, {"max_leaves": 1}),
    ],
)
def test_options_out_of_range(config, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        config(**options)


@pytest.mark.parametrize("cls", [RandomForest, GradientBoosting])
def test_a_model_that_is_not_trained_says_so(cls):
    with pytest.raises(RuntimeError, match="not trained"):
        cls(cls.config_class()).predict(np.zeros((2, 8)))
