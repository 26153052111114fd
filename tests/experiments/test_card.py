"""The card of a run: what it says is true, whatever the data are called, and it needs no other file."""

import re

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.experiments import experiment
from zoo.experiments.card import Card, CardOptions
from zoo.experiments.card_of_run import read_source, write_cards
from zoo.recipe import Recipe
from zoo.recipe.options import DataOptions, TrainingOptions
from zoo.trust.domain import domain_of

RINGS = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1", "c1ccsc1", "C1CCOCC1", "c1ccoc1", "C1CC1"]
TAILS = ["C", "CC", "CCC", "O", "CO", "CCO", "N", "CN", "Cl", "C(=O)O", "C#N", "C(F)(F)F"]
SMILES = [tail + ring for ring in RINGS for tail in TAILS]


def write_table(path, columns):
    """A file of molecules and labels."""
    pd.DataFrame({"smiles": SMILES, **columns}).to_csv(path, index=False)
    return path


def train(path, folder, card=CardOptions(), **options):  # noqa: B008
    """A small run."""
    data = DataOptions(source=str(path), split="random", **options)
    recipe = Recipe("gcn", optimizer="adam", model_args={"hidden_size": 8}, featurizer="canonical", data=data,
                    training=TrainingOptions(epochs=2))  # fmt: skip
    return experiment.run(recipe, folder=folder, progress=False, card=card)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a regression with a card."""
    place = tmp_path_factory.mktemp("card")
    path = write_table(place / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    return train(path, place / "run", CardOptions(command=("molzoo", "train", "--data", "my file.csv"))), place


def test_the_card_needs_no_other_file(run):
    outcome, place = run
    page = (place / "run" / "card.html").read_text()
    assert not re.search(r"<(script|link|iframe)|src=\"(?!data:)|url\(|@import|https?://(?!www\.(w3|rdkit)\.org)", page)
    assert page.count('src="data:image/') >= 1
    assert page.count("<svg") == 8  # four molecules that are right, four that are wrong
    assert outcome.card.startswith("rmse ")
    assert "molzoo train --data &#39;my file.csv&#39;" in page
    assert outcome.learner.request.data.source in page


def test_its_numbers_are_those_of_the_run(run):
    outcome, place = run
    card = Card(read_source(place / "run"), CardOptions(forest=False))
    page, text = card.to_html(), card.to_markdown()
    for shown in (page, text):
        assert zoo.tasks.format_value(outcome.test["rmse"]) in shown
    assert card.leaks.duplicates == 0
    assert card.source.dataset.fingerprint in page
    low, high = outcome.test.interval["rmse"]
    assert zoo.tasks.format_value(low) in card.headline
    assert zoo.tasks.format_value(high) in card.headline
    assert "random forest" not in card.headline
    similarity = domain_of(outcome.learner).resemblance(outcome.history.split.test).similarity
    np.testing.assert_allclose(card.source.resemblance.similarity, similarity)


def test_the_forest_learns_from_the_training_part_alone(run):
    _, place = run
    card = Card(read_source(place / "run"))
    source = card.source
    forest = zoo.build("random_forest", dataset=source.split.train, model_args={"num_trees": 60}, seed=0)
    forest.fit(source.split.train, split=None, progress=False)
    assert card.forest.scores["rmse"] == pytest.approx(forest.evaluate(source.test)["rmse"])


def test_leakage_is_found(tmp_path):
    rows = pd.DataFrame({"smiles": [*SMILES[:40], *SMILES[:10]], "y": [len(text) for text in SMILES[:40]] + [5] * 10,
                         "part": ["train"] * 30 + ["valid"] * 10 + ["test"] * 10})  # fmt: skip
    rows.to_csv(tmp_path / "leaky.csv", index=False)
    data = DataOptions(source=str(tmp_path / "leaky.csv"), split_column="part", tasks=("y",), task="regression")
    recipe = Recipe("gcn", optimizer="adam", model_args={"hidden_size": 8}, featurizer="canonical", data=data,
                    training=TrainingOptions(epochs=1))  # fmt: skip
    experiment.run(recipe, folder=tmp_path / "run", progress=False, card=CardOptions(forest=False))
    card = Card(read_source(tmp_path / "run"), CardOptions(forest=False))
    assert (card.leaks.duplicates, card.leaks.near, card.leaks.test) == (10, 10, 10)
    assert "Leakage: 10 of 10 test molecules" in (tmp_path / "run" / "card.html").read_text()


@pytest.mark.filterwarnings("ignore")
def test_leakage_of_a_test_file_is_found(tmp_path):
    path = write_table(tmp_path / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    pd.read_csv(path)[:20].to_csv(tmp_path / "test.csv", index=False)
    options = {
        "test_file": str(tmp_path / "test.csv"),
        "tasks": ("size",),
    }
    train(path, tmp_path / "run", CardOptions(forest=False), **options)
    card = Card(read_source(tmp_path / "run"), CardOptions(forest=False))
    known = set(card.source.split.train.smiles)
    assert card.leaks.test == len(card.source.test) == 18  # two cannot be read
    assert card.leaks.duplicates == sum(text in known for text in card.source.test.smiles) > 10


@pytest.mark.filterwarnings("ignore")
def test_names_from_files_are_text(tmp_path):
    task = '<script>alert("1")</script>|*x*'
    path = write_table(tmp_path / "<b>bold.csv", {task: [float("N" in text.upper()) for text in SMILES]})
    train(path, tmp_path / "run", CardOptions(forest=False), tasks=(task,))
    page, text = ((tmp_path / "run" / f"card{suffix}").read_text() for suffix in (".html", ".md"))
    assert "<script>" not in page
    assert "<b>bold" not in page
    assert "&lt;script&gt;" in page
    assert "<script>" not in text.split("```")[0]


@pytest.mark.parametrize("kind", ["multiclass", "mixed", "mean_variance"])
@pytest.mark.filterwarnings("ignore")
def test_other_kinds_of_target(kind, tmp_path):
    columns = {"ring": [number // 12 % 3 for number in range(96)]}
    if kind != "multiclass":
        columns["size"] = [len(text) / 5 for text in SMILES]
    if kind == "mean_variance":
        columns.pop("ring")
    path = write_table(tmp_path / "data.csv", columns)
    task = {"mixed": {"tasks": ("ring", "size"), "task": "mixed"}}.get(kind, {"task": kind, "tasks": tuple(columns)})
    train(path, tmp_path / "run", **task)
    assert "How good is it?" in (tmp_path / "run" / "card.html").read_text()
    assert write_cards(tmp_path / "run", CardOptions(forest=False))


def test_a_run_without_test_molecules(tmp_path):
    path = write_table(tmp_path / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    data = zoo.data.load(str(path), tasks=["size"])
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
    options = DataOptions(source=str(path), tasks=("size",))
    learner.fit(data, split=None, epochs=1, progress=False, logdir=tmp_path / "run", data_options=options)
    card = write_cards(tmp_path / "run")[0]
    assert card.headline == "no test part, so that nothing was measured"
    assert "nothing tells how the model does" in (tmp_path / "run" / "card.html").read_text()


def test_old_runs_get_what_the_domain_needs(run, capsys):
    _, place = run
    file = place / "run" / "domain.safetensors"
    before = file.read_bytes()
    file.unlink()
    main(["card", str(place / "run"), "--no-forest"])
    assert file.read_bytes() == before
    assert "card.html: rmse" in capsys.readouterr().out


def test_train_prints_it_first(tmp_path, capsys):
    path = write_table(tmp_path / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    words = ["train", "--data", str(path), "--tasks", "size", "--split", "random", "--model", "gcn", "--epochs", "1",
             "--model-args.hidden_size", "8", "--quiet"]  # fmt: skip
    main([*words, "--output", str(tmp_path / "run")])
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith(f"card       {tmp_path / 'run' / 'card.html'}: rmse")
    assert "molzoo train --data" in (tmp_path / "run" / "card.md").read_text()
    main([*words, "--output", str(tmp_path / "plain"), "--no-card"])
    assert not (tmp_path / "plain" / "card.html").exists()


def test_members_of_an_ensemble_have_cards(tmp_path, capsys):
    path = write_table(tmp_path / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    main(["train", "--data", str(path), "--tasks", "size", "--split", "random", "--model", "gcn", "--epochs", "1",
          "--model-args.hidden_size", "8", "--quiet", "--seeds", "0", "1",
          "--output", str(tmp_path / "both")])  # fmt: skip
    assert capsys.readouterr().out.startswith("cards      ")
    assert len(list((tmp_path / "both").glob("*/card.html"))) == 2


def test_a_fault_of_the_card_does_not_fail_the_run(tmp_path, monkeypatch):
    path = write_table(tmp_path / "sizes.csv", {"size": [len(text) / 5 for text in SMILES]})
    monkeypatch.setattr("zoo.experiments.card.pictures.draw_quality", lambda source: 1 / 0)
    with pytest.warns(UserWarning, match="the card could not be written .ZeroDivisionError"):
        outcome = train(path, tmp_path / "run", CardOptions(forest=False), tasks=("size",))
    assert outcome.card == ""
    assert zoo.runs.folder.RunFolder(tmp_path / "run").state.name == "finished"


def test_mistakes_are_one_line(run, tmp_path, capsys):
    outcome, place = run
    outcome.learner.save(tmp_path / "checkpoint")
    source = place / "sizes.csv"
    content = source.read_text()
    for words, expected in (
        ([str(tmp_path / "checkpoint")], "not the folder of a run"),
        ([str(tmp_path / "nothing")], "not the folder of a run"),
        ([str(place / "run")], "name their new place with --data"),
    ):
        if "--data" in expected:
            source.unlink()
        with pytest.raises(SystemExit) as stop:
            main(["card", *words])
        printed = capsys.readouterr().err
        source.write_text(content)
        assert stop.value.code == 2
        assert expected in printed
        assert printed.count("\n") == 1
