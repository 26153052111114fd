"""Targets of several classes, from words and numbers to predictions."""

import json

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.data import DataError

RINGS = ["C1CC1", "C1CCC1", "C1CCCC1", "C1CCCCC1"]
CHAINS = ["C" * n for n in range(2, 22)]
AROMATIC = ["c1ccccc1" + "C" * n for n in range(1, 21)]
CYCLIC = [ring + "C" * n for ring in RINGS for n in range(1, 6)]
SMILES = CHAINS + AROMATIC + CYCLIC
WORDS = ["chain"] * 20 + ["aromatic"] * 20 + ["ring"] * 20
SMALL = {"hidden_size": 16}


def frame(labels=WORDS, name="kind"):
    return pd.DataFrame({"smiles": SMILES, name: labels})


@pytest.fixture(scope="module")
def words():
    return zoo.data.load(frame(), tasks="kind")


def test_words_are_numbered_by_the_alphabet(words):
    assert (words.task, words.metric, words.num_classes) == ("multiclass", "accuracy", 3)
    assert words.label_names == {"kind": ("aromatic", "chain", "ring")}
    np.testing.assert_array_equal(words.targets[[0, 20, 40], 0], [1, 0, 2])
    assert words.subset([0, 1]).num_classes == 3


@pytest.mark.parametrize("task", [None, "classification", "multiclass"])
@pytest.mark.parametrize("first", [0, 1])
def test_numbers_that_count_up_are_classes(task, first):
    data = zoo.data.load(frame([n // 20 + first for n in range(60)]), tasks="kind", task=task)
    assert (data.task, data.num_classes) == ("multiclass", 3)
    assert data.label_names == {"kind": tuple(str(n + first) for n in range(3))}


def test_measurements_and_counts_stay_numbers():
    assert zoo.data.load(frame([n / 7 for n in range(60)])).task == "regression"
    assert zoo.data.load(frame([len(s) for s in SMILES])).task == "regression"


def test_a_misspelt_word_is_no_third_class():
    labels = ["yes", "no"] * 29 + ["yes", "yse"]
    with pytest.raises(DataError, match=r"'yse'.*say task='multiclass'"):
        zoo.data.load(frame(labels), tasks="kind")
    assert zoo.data.load(frame(labels), tasks="kind", task="multiclass").num_classes == 3


def test_two_and_more_classes_do_not_mix():
    both = frame().assign(active=[n % 2 for n in range(60)])
    with pytest.raises(DataError, match="'active' hold two classes but 'kind' more") as caught:
        zoo.data.load(both, tasks=["active", "kind"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("model", ["gcn", "grover", "random_forest", "gradient_boosting"])
def test_it_learns_and_predicts_the_probability_of_every_class(model, words, tmp_path):
    options = {
        "gcn": {"hidden_size": 16},
        "grover": {"hidden_size": 16, "num_layers": 2, "num_heads": 2},
        "random_forest": {"num_trees": 20},
        "gradient_boosting": {"num_trees": 10},
    }
    learner = zoo.build(
        model, dataset=words, model_args=options[model], optimizer_args={} if "_" in model else {"lr": 5e-3}
    )
    history = learner.fit(words, split="random_stratified", epochs=20, batch_size=16, progress=False)
    probabilities = learner.predict(SMILES)
    assert probabilities.shape == (60, 1, 3)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1, rtol=1e-5)
    assert learner.evaluate(history.split.train)["accuracy"] > (0.5 if model == "gradient_boosting" else 0.8)
    learner.save(tmp_path / "saved")
    again = zoo.load(tmp_path / "saved", device="cpu")
    np.testing.assert_array_equal(again.predict(SMILES), probabilities)


def test_classes_of_other_data_go_by_their_words(words):
    learner = zoo.build("random_forest", dataset=words, model_args={"num_trees": 20})
    learner.fit(words, split=None, progress=False)
    two = frame()[20:].reset_index(drop=True)  # no chains: numbered anew, rings would be class 1
    assert learner.evaluate(two)["accuracy"] == pytest.approx(1.0, abs=0.1)
    loaded = zoo.data.load(two, tasks="kind", task="multiclass")
    assert learner.evaluate(loaded) == learner.evaluate(two)
    strange = zoo.data.load(frame(["cage", *WORDS[1:]]), tasks="kind", task="multiclass")
    with pytest.raises(DataError, match="class 'cage', which this learner does not know"):
        learner.evaluate(strange)


def test_more_classes_than_the_learner_knows_are_refused(words):
    learner = zoo.build("gcn", task="multiclass", task_args={"num_classes": 2}, model_args=SMALL)
    with pytest.raises(DataError, match=r"has 3 classes, this learner was built for 2"):
        learner.fit(words, split=None, epochs=1, progress=False)
    trained = zoo.build("random_forest", dataset=words, model_args={"num_trees": 5})
    trained.fit(words, split=None, progress=False)
    bare = zoo.data.MoleculeDataset("bare", ["C", "CC"], np.array([[0.0], [3.0]]), ("kind",), "multiclass")
    with pytest.raises(DataError, match="built for 3"):
        trained.evaluate(bare)


def test_several_tasks_and_missing_labels():
    table = frame().assign(size=["small", "middle", "large"] * 20)
    table.loc[::7, "kind"] = None
    data = zoo.data.load(table, tasks=["kind", "size"])
    learner = zoo.build("gcn", dataset=data, model_args=SMALL)
    history = learner.fit(data, split="random", epochs=2, progress=False)
    assert learner.predict(SMILES[:4]).shape == (4, 2, 3)
    assert history.epochs[0].per_task["accuracy"].keys() == {"kind", "size"}


def test_classes_on_the_command_line(tmp_path, capsys):
    file, run = tmp_path / "kinds.csv", tmp_path / "run"
    frame().to_csv(file, index=False)
    options = ["--model", "gcn", "--optimizer", "adam", "--model-args.hidden_size", "8", "--epochs", "2"]
    main(["train", "--data", str(file), "--tasks", "kind", "--split", "random", *options, "--output", str(run)])
    assert "test accuracy" in capsys.readouterr().out
    predicted = pd.read_csv(run / "test_predictions.csv")
    columns = ["predicted_kind_aromatic", "predicted_kind_chain", "predicted_kind_ring"]
    np.testing.assert_allclose(predicted[columns].sum(axis=1), 1, rtol=1e-4)
    main(["evaluate", str(run), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == pytest.approx(json.loads((run / "metrics.json").read_text())["test"]["accuracy"])
    main(["predict", str(run), str(file), "--output", str(tmp_path / "out.csv")])
    out = pd.read_csv(tmp_path / "out.csv")
    np.testing.assert_allclose(out[columns], zoo.load(run, device="cpu").predict(SMILES)[:, 0], rtol=1e-5)
    main(["data", "check", str(file), "--tasks", "kind"])
    assert "3 classes of 20, 20, 20" in capsys.readouterr().out
