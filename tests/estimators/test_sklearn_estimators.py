"""Classifier and regressor on lists of SMILES, as scikit-learn's users use them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

import zoo
from zoo.sklearn import MoleculeClassifier, MoleculeRegressor

CHAINS = ["C" * n + end for n in range(1, 11) for end in ("O", "N")]
RINGS = ["c1ccccc1" + "C" * n + end for n in range(1, 11) for end in ("", "O")]
SMILES = CHAINS + RINGS
WORDS = ["chain"] * 20 + ["ring"] * 20
SIZES = [float(len(smiles)) for smiles in SMILES]
TREES = {"num_trees": 15, "num_jobs": 1}
SMALL = {"hidden_size": 8}


def forest(**options):
    return MoleculeClassifier("random_forest", model_args=TREES, **options)


def forest_regressor(**options):
    return MoleculeRegressor("random_forest", model_args=TREES, **options)


@pytest.fixture(scope="module")
def network():
    return MoleculeRegressor("gcn", epochs=3, model_args=SMALL, batch_size=8).fit(SMILES, SIZES)


def test_a_network_trains_with_its_options(network):
    assert network.history_["epoch"].tolist() == [1, 2, 3]
    assert network.predict(SMILES).shape == (40,)
    assert network.learner_.recipe.model == "gcn"
    assert network.n_features_in_ == 1
    expected = zoo.build("gcn", model_args=SMALL, task="regression").num_parameters
    assert network.learner_.num_parameters == expected


@pytest.mark.parametrize(
    "form",
    [
        np.array,
        lambda smiles: np.array(smiles, dtype=object),
        lambda smiles: np.array(smiles)[:, None],
        pd.Series,
        lambda smiles: pd.Series(smiles, index=range(100, 140), dtype="string"),
        lambda smiles: pd.DataFrame({"smiles": smiles}),
        tuple,
        lambda smiles: [Chem.MolFromSmiles(each) for each in smiles],
    ],
)
def test_molecules_in_any_form(form):
    expected = forest().fit(SMILES, WORDS).predict_proba(SMILES)
    np.testing.assert_allclose(forest().fit(form(SMILES), WORDS).predict_proba(form(SMILES)), expected)


@pytest.mark.parametrize(
    "labels",
    [
        WORDS,
        np.array(WORDS),
        np.array(WORDS, dtype=object),
        pd.Series(WORDS, index=range(7, 47), name="kind"),
        pd.Series(WORDS, dtype="category"),
        np.array([False] * 20 + [True] * 20),
        [3] * 20 + [7] * 20,
        np.array([-1.0] * 20 + [1.0] * 20),
        np.array(["A"] * 20 + ["a"] * 20),
    ],
)
def test_classes_come_back_as_they_were(labels):
    classifier = forest().fit(SMILES, labels)
    assert classifier.classes_.tolist() == sorted(set(labels))
    assert (classifier.predict(SMILES) == np.asarray(labels)).mean() == classifier.score(SMILES, labels) > 0.9
    assert classifier.classes_[classifier.predict_proba(SMILES).argmax(axis=1)].tolist() == list(
        classifier.predict(SMILES)
    )


def test_a_column_vector_of_labels_is_one_task():
    assert forest_regressor().fit(SMILES, np.array(SIZES)[:, None]).predict(SMILES).shape == (40,)


def test_three_classes():
    labels = [("small", "middle", "large")[n % 3] for n in range(40)]
    classifier = forest().fit(SMILES, labels)
    assert classifier.classes_.tolist() == ["large", "middle", "small"]
    probabilities = classifier.predict_proba(SMILES[:5])
    assert probabilities.shape == (5, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert classifier.learner_.fitted.label_names == {"y": ["large", "middle", "small"]}


def test_several_tasks_with_missing_labels():
    table = pd.DataFrame({"size": SIZES, "half": np.array(SIZES) / 2})
    table.loc[::3, "half"] = np.nan
    regressor = forest_regressor().fit(SMILES, table)
    assert regressor.predict(SMILES).shape == (40, 2)
    assert regressor.score(SMILES, table) > 0.8
    assert regressor.learner_.fitted.task_names == ("size", "half")
    kinds = np.array([[word, "odd" if n % 2 else "even"] for n, word in enumerate(WORDS)], dtype=object)
    kinds[::5, 1] = None
    classifier = forest().fit(SMILES, kinds)
    assert [each.tolist() for each in classifier.classes_] == [["chain", "ring"], ["even", "odd"]]
    assert classifier.predict(SMILES).shape == (40, 2)
    assert [each.shape for each in classifier.predict_proba(SMILES)] == [(40, 2), (40, 2)]
    assert classifier.score(SMILES, kinds) > 0.7


def test_tasks_with_two_and_with_three_classes():
    kinds = np.array([[number % 2, number % 3] for number in range(40)])
    classifier = forest().fit(SMILES, kinds)
    assert [each.shape for each in classifier.predict_proba(SMILES)] == [(40, 2), (40, 3)]
    np.testing.assert_allclose(classifier.predict_proba(SMILES)[0].sum(axis=1), 1)


def test_cloning_keeps_the_parameters_alone(network):
    copy = clone(network)
    assert copy.get_params() == network.get_params()
    with pytest.raises(NotFittedError):
        check_is_fitted(copy)
    with pytest.raises(NotFittedError):
        copy.predict(SMILES)
    assert "epochs=3" in repr(copy)


@pytest.mark.parametrize("fitted", [True, False])
def test_pickles(network, fitted):
    chosen = network if fitted else clone(network)
    again = pickle.loads(pickle.dumps(chosen))
    assert again.get_params() == chosen.get_params()
    if fitted:
        np.testing.assert_array_equal(again.predict(SMILES), network.predict(SMILES))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).predict(SMILES), network.predict(SMILES))


def test_the_same_seed_gives_the_same_numbers(network):
    again = clone(network).fit(SMILES, SIZES)
    np.testing.assert_array_equal(again.predict(SMILES), network.predict(SMILES))
    other = clone(network).set_params(random_state=np.random.RandomState(3)).fit(SMILES, SIZES)
    assert (other.predict(SMILES) != network.predict(SMILES)).all()


def test_cross_validation():
    assert cross_val_score(forest(), SMILES, WORDS, cv=4, scoring="roc_auc").mean() > 0.9
    assert cross_val_score(forest_regressor(), pd.Series(SMILES), SIZES, cv=2).shape == (2,)
    assert cross_val_predict(forest(), np.array(SMILES), WORDS, cv=2, method="predict_proba").shape == (40, 2)


def test_grids_over_options_in_mappings():
    with pytest.raises(TypeError, match="radiuss"):
        GridSearchCV(forest(), {"featurizer_args__radiuss": [2]}, cv=2, error_score="raise").fit(SMILES, WORDS)
    grid = GridSearchCV(forest(), {"model_args__num_trees": [1, 5]}, cv=2).fit(SMILES, WORDS)
    assert grid.best_estimator_.model_args["num_jobs"] == 1
    assert TREES == {"num_trees": 15, "num_jobs": 1}
    assert grid.predict(SMILES[:2]).shape == (2,)


def test_pipelines():
    table = pd.DataFrame({"smiles": SMILES, "other": 1})
    pick = FunctionTransformer(lambda frame: frame["smiles"])
    pipeline = Pipeline([("pick", pick), ("model", forest())]).fit(table, WORDS)
    assert pipeline.score(table, WORDS) > 0.9
    assert pipeline.set_params(model__model_args__num_trees=3).get_params()["model__model_args__num_trees"] == 3


def test_members_and_several_models_predict_their_mean():
    both = MoleculeRegressor(["random_forest", "gradient_boosting"], random_state=4).set_params(
        model_args={"num_trees": 5}
    )
    both.fit(SMILES, SIZES)
    assert len(both.learner_.members) == 2
    each = [member.predict(SMILES) for member in both.learner_.members]
    np.testing.assert_allclose(both.predict(SMILES), np.mean(each, axis=0)[:, 0])
    three = forest(members=3).fit(SMILES, WORDS)
    assert [member.recipe.seed for member in three.learner_.members] == [0, 1, 2]
    assert sorted(set(three.history_["member"])) == [0, 1, 2]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(three)).predict_proba(SMILES), three.predict_proba(SMILES))


def test_a_threshold_is_chosen_where_it_is_asked_for():
    generator = np.random.default_rng(0)
    labels = (generator.random(40) < 0.3).astype(int)
    classifier = forest(threshold_metric="mcc", validation_fraction=0.5).fit(SMILES, labels)
    (cut,) = classifier.learner_.fitted.thresholds.values()
    np.testing.assert_array_equal(classifier.predict(SMILES), classifier.predict_proba(SMILES)[:, 1] >= cut)


@pytest.mark.parametrize(
    ("molecules", "labels", "words"),
    [
        (["CCO", "C("], [0, 1], "row 1.*'C\\('"),
        ([1.5, 2.5], [0, 1], r"1.5 in row 0 \(argument must be a string\)"),
        ("CCO", [0], "X is str: give a list of SMILES"),
        ([], [], r"0 sample\(s\)"),
        (["CCO", "CCN"], [0], "inconsistent numbers of samples"),
        (["CCO", "CCN"], None, "y to be passed"),
        (["CCO", "CCN"], [0, 0], "1 class"),
        (["CCO", "CCN"], [0.5, 1.25], "Unknown label type"),
        (["CCO", "CCN"], [0.0, np.nan], "contains NaN in row 1"),
        (np.array([["CCO", "CCN"]]), [0], r"shape \(1, 2\)"),
        (["CCO", "CCN"], [[0, None], [1, None]], "no labels in column 1"),
    ],
)
def test_impossible_input_is_named(molecules, labels, words):
    with pytest.raises((ValueError, TypeError), match=words) as caught:
        forest().fit(molecules, labels)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"members": 0}, "members=0"),
        ({"validation_fraction": 1.5, "model": "gcn"}, "validation_fraction=1.5"),
        ({"model": "gnc"}, "gcn"),
        ({"training_args": {"epochz": 3}}, "epochz"),
    ],
)
def test_impossible_options_are_named(options, words):
    with pytest.raises((ValueError, TypeError, LookupError), match=words):
        MoleculeClassifier("random_forest").set_params(**options).fit(SMILES, WORDS)


def test_unreadable_molecules_are_not_predicted():
    with pytest.raises(ValueError, match="not a molecule"):
        forest().fit(SMILES, WORDS).predict(["CCO", "not a molecule"])


@pytest.mark.parametrize(("weights", "words"), [([-1.0] * 40, "weight"), ([1.0], "expected"), ([0.0] * 40, "non-zero")])
def test_impossible_weights_are_named(weights, words):
    with pytest.raises(ValueError, match=words):
        forest_regressor().fit(SMILES, SIZES, sample_weight=weights)


@pytest.mark.parametrize("model", ["random_forest", "gcn"])
def test_weights_decide_between_contradictions(model):
    options = TREES if model == "random_forest" else SMALL
    regressor = MoleculeRegressor(model, model_args=options, epochs=4, validation_fraction=0)
    doubled, labels = CHAINS + CHAINS, np.array([0.0] * 20 + [1.0] * 20)
    if model == "gcn":
        regressor.set_params(optimizer_args__lr=0.01)
    low, high = (regressor.fit(doubled, labels, [first] * 20 + [1 - first] * 20).predict(CHAINS) for first in (1, 0))
    assert low.mean() < high.mean() - 0.1
    assert (low < high).all()


def test_it_starts_from_trained_weights(network, tmp_path):
    network.learner_.save(tmp_path / "trained")
    started = MoleculeRegressor(init=str(tmp_path / "trained"), epochs=1, optimizer_args={"lr": 1e-9}, batch_size=8)
    started.fit(SMILES, SIZES)
    assert started.learner_.recipe.model == "gcn"
    first = next(iter(network.learner_.model.parameters())).detach().numpy()
    np.testing.assert_allclose(next(iter(started.learner_.model.parameters())).detach().numpy(), first, atol=1e-6)
    again = pickle.loads(pickle.dumps(started))
    np.testing.assert_array_equal(again.predict(SMILES), started.predict(SMILES))
