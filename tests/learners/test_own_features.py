"""Learners with features of one's own: built, trained, saved, and asked for them again by name."""

import warnings

import numpy as np
import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.data.features import MissingFeatureWarning
from zoo.inference import predict_file, predict_shards

SMILES = ["CCO", "CCN", "CCC", "CCCl", "c1ccccc1", "CC(=O)O", "CCOC", "C1CCCCC1", "CCBr", "CCS", "CC#N", "CCF"] * 2
RNG = np.random.default_rng(0)
FRAME = pd.DataFrame({"smiles": SMILES, "T": RNG.normal(300, 20, 24), "pH": RNG.integers(1, 13, 24).astype(float)})
FRAME["y"] = (FRAME["T"] - 300) / 20 - 0.2 * FRAME["pH"]
ROWS = FRAME[["pH", "smiles", "T"]].head(9).copy()


@pytest.fixture(scope="module")
def data():
    return zoo.data.load(FRAME, feature_columns=["T", "pH"], tasks="y")


@pytest.fixture(scope="module")
def learner(data):
    learner = zoo.build("gcn", dataset=data, device="cpu")
    learner.fit(data, split="random", epochs=2, progress=False)
    return learner


def test_features_are_learned_from(data):
    learner = zoo.build("gcn", dataset=data, optimizer_args={"lr": 0.02}, device="cpu")
    learner.fit(data, split=None, epochs=60, batch_size=8, progress=False)
    assert learner.evaluate(data)["r2"] > 0.6


def test_every_form_of_the_features_gives_the_same(learner, data, tmp_path):
    expected = learner.predict(data)
    FRAME.drop(columns="y").to_csv(tmp_path / "rows.csv", index=False)
    later = zoo.data.load(FRAME, tasks="y")  # has the columns, read as something else
    given = [
        learner.predict(FRAME[["pH", "T", "smiles"]]),
        learner.predict(tmp_path / "rows.csv"),
        learner.predict(later),
        learner.predict(SMILES, features=FRAME[["T", "pH"]]),
        learner.predict(SMILES, features=FRAME[["T", "pH"]].to_numpy()),
        learner.predict(
            SMILES, features={"pH": list(FRAME["pH"]), "T": FRAME["T"].sample(frac=1, random_state=1).sort_index()}
        ),
    ]
    for found in given:
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert learner.evaluate(later) == learner.evaluate(data) == pytest.approx(learner.evaluate(FRAME))


def test_scaling_is_that_of_the_training_part_and_is_saved(learner, data, tmp_path):
    part = data.split("random", seed=0).train
    state = learner.fitted.feature_scaling
    np.testing.assert_allclose(state["mean"], part.features.mean(0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(state["std"], part.features.std(0, dtype=np.float64), rtol=1e-5)
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", device="cpu")
    assert loaded.fitted == learner.fitted
    np.testing.assert_array_equal(loaded.predict(data), learner.predict(data))


def test_a_missing_feature_gets_the_mean_and_is_reported(learner):
    mean = learner.fitted.feature_scaling["mean"]
    with pytest.warns(MissingFeatureWarning, match=r"'T' in 1 of 2 rows"):
        found = learner.predict(["CCO", "CCO"], features={"T": [None, mean[0]], "pH": 7})
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_a_cell_that_is_no_number_fails_its_row_alone(learner):
    frame = ROWS.astype({"T": object})
    frame.loc[1, "T"] = "warm"
    found = learner.predictions(frame)
    assert np.flatnonzero(found.failed).tolist() == [1]
    assert found.reasons[1] == "feature 'T': 'warm' is not a number: correct it, or leave the cell blank"


@pytest.mark.parametrize(
    ("molecules", "features", "message"),
    [
        (["CCO"], None, "this learner reads 'T', 'pH' next to each molecule"),
        (["CCO"], {"T": 1}, "features= lack 'pH'"),
        (["CCO"], {"T": [1, 2], "pH": 7}, "do not fit 1 molecules"),
        (["CCO"], [[1.0]], r"features \(1, 1\) for 1 molecules and names 'T', 'pH'"),
        (["CCO"], {"T": "warm", "pH": 7}, "'warm' is not a number"),
        (["CCO"], [[np.inf, 1]], "feature 'T' is infinite in row 0"),
        (FRAME[["smiles", "T"]], None, "no column 'pH', which the model reads next to the molecules"),
        (pd.concat([ROWS, ROWS["T"]], axis=1), None, "2 columns are called 'T'"),
    ],
)
def test_features_that_are_missing_or_do_not_fit_are_one_line(learner, molecules, features, message):
    with pytest.raises(zoo.data.DataError, match=message) as caught:
        learner.predict(molecules, features=features)
    assert "\n" not in str(caught.value)


def test_a_learner_without_features_says_so(learner, data):
    blind = zoo.build("gcn", task="regression", device="cpu")
    with pytest.raises(ValueError, match=r"has the features 'T', 'pH', and this learner reads none: build it with"):
        blind.fit(data, epochs=1, progress=False)
    with pytest.raises(zoo.data.DataError, match="this learner reads none"):
        blind.predict(["CCO"], features={"T": 1})
    assert blind.predict(data).shape == (24, 1)
    with pytest.raises(zoo.data.DataError, match="no column 'T', 'pH', which this learner reads"):
        learner.evaluate(zoo.data.load((["CCO", "CCN"], {"y": [1.0, 2.0]}), task="regression"))


def test_built_by_name_it_finds_the_columns_of_a_frame():
    learner = zoo.build("gcn", task="regression", feature_names=["T"], device="cpu")
    history = learner.fit(FRAME[["smiles", "T", "y"]], split=None, epochs=1, progress=False)
    assert learner.fitted.feature_scaling["names"] == ["T"] == list(history.split or ["T"])


def test_notes_name_gaps_and_constants():
    frame = FRAME.assign(pH=7.0)
    frame.loc[[0, 5], "T"] = np.nan
    data = zoo.data.load(frame, feature_columns=["T", "pH"], tasks="y")
    notes = zoo.build("gcn", dataset=data, device="cpu").fit(data, split=None, epochs=1, progress=False).notes
    assert any("'T' is missing in 2 training rows, which get the mean" in note for note in notes)
    assert any("'pH' is constant in the training part: it has no effect" in note for note in notes)


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_trees_read_features_too(name, data, tmp_path):
    jobs = {"num_jobs": 1} if name == "random_forest" else {}
    learner = zoo.build(name, dataset=data, model_args={"num_trees": 20, **jobs})
    learner.fit(data, split=None, progress=False)
    cold, warm = learner.predict(["CCO", "CCO"], features={"T": [260, 340], "pH": 7})[:, 0]
    assert warm >= cold
    learner.save(tmp_path / "trees")
    np.testing.assert_allclose(zoo.load(tmp_path / "trees").predict(data), learner.predict(data))


def test_members_of_an_ensemble_scale_as_in_their_own_training(learner, data):
    other = zoo.build("gin", dataset=data, device="cpu")
    other.fit(data.subset(range(12)), split=None, epochs=1, progress=False)
    both = zoo.ensemble([learner, other])
    expected = (learner.predict(data) + other.predict(data)) / 2
    np.testing.assert_allclose(both.predict(data), expected, rtol=1e-5)
    np.testing.assert_allclose(both.predict(SMILES, features=FRAME[["T", "pH"]]), expected, rtol=1e-5)
    blind = zoo.build("gcn", dataset=zoo.data.load(FRAME, tasks="y"), device="cpu")
    with pytest.raises(ValueError, match=r"member 1 \(gcn\) has features \[\]"):
        zoo.ensemble([learner, blind])


def test_featurized_molecules_in_a_cache_do_not_hold_features(data, tmp_path):
    for factor in (1, 2):
        scaled = zoo.data.load(FRAME.assign(T=FRAME["T"] * factor), feature_columns="T", tasks="y")
        learner = zoo.build("gcn", dataset=scaled, device="cpu")
        learner.fit(scaled, split=None, epochs=1, progress=False, cache_dir=str(tmp_path))
        assert learner.fitted.feature_scaling["mean"][0] == pytest.approx(float(FRAME["T"].mean()) * factor, rel=1e-5)
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    FRAME.to_csv(folder / "data.csv", index=False)
    ROWS.to_csv(folder / "rows.csv", index=False)
    main(["train", "--data", str(folder / "data.csv"), "--tasks", "y", "--feature-columns", "T", "pH", "--model",
          "gcn", "--split", "random", "--epochs", "1", "--output", str(folder / "run"), "--quiet", "--device",
          "cpu"])  # fmt: skip
    return folder


def test_a_run_is_evaluated_and_resumed_with_its_features(run, capsys):
    main(["evaluate", str(run / "run"), "--json", "--device", "cpu"])
    main(["evaluate", str(run / "run"), "--data", str(run / "data.csv"), "--part", "test", "--device", "cpu"])
    main(["train", "--resume", str(run / "run"), "--epochs", "2", "--quiet", "--device", "cpu"])
    assert "rmse" in capsys.readouterr().out
    assert zoo.load(run / "run").request.data.feature_columns == ("T", "pH")
    table = pd.read_csv(run / "run" / "test_predictions.csv")
    assert {"T", "pH", "predicted_y"} <= set(table.columns)


def test_files_and_shards_are_predicted_with_features(run, tmp_path):
    expected = zoo.load(run / "run", device="cpu").predict(ROWS)[:, 0]
    done = predict_file(run / "run", run / "rows.csv", tmp_path / "out.csv", device="cpu", num_workers=0, chunk_size=4)
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["predicted_y"], expected, rtol=1e-5)
    assert done.missing == {}
    predict_shards(
        run / "run", run / "rows.csv", tmp_path / "parts", shards=2, device="cpu", num_workers=2, chunk_size=2
    )
    parts = pd.concat([pd.read_parquet(path) for path in sorted((tmp_path / "parts").glob("*.parquet"))])
    np.testing.assert_allclose(parts["predicted_y"], expected, rtol=1e-5)


def test_missing_and_broken_cells_of_a_file_are_counted(run, tmp_path, capsys):
    rows = ROWS.astype({"T": object})
    rows.loc[2, "T"], rows.loc[3, "T"], rows.loc[4, "pH"] = "hot", np.nan, np.nan
    rows.to_csv(tmp_path / "gaps.csv", index=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        main(["predict", str(run / "run"), str(tmp_path / "gaps.csv"), "--output", str(tmp_path / "out.csv"),
              "--device", "cpu", "--quiet", "--num-workers", "0"])  # fmt: skip
    said = capsys.readouterr().out
    assert "9 rows, 1 without a prediction" in said
    assert "note: 1 rows have no 'pH'" in said
    table = pd.read_csv(tmp_path / "out.csv")
    assert table["predicted_y"].isna().tolist() == [False, False, True] + [False] * 6
    assert "'hot' is not a number" in table["reason"][2]
    ROWS.drop(columns="T").to_csv(tmp_path / "without.csv", index=False)
    with pytest.raises(SystemExit) as end:
        main(["predict", str(run / "run"), str(tmp_path / "without.csv"), "--device", "cpu"])
    assert end.value.code == 2
    assert "no column 'T', which the model reads next to the molecules" in capsys.readouterr().err


def test_a_changed_feature_is_noticed_when_a_run_is_resumed(run, tmp_path):
    changed = FRAME.assign(pH=FRAME["pH"] + 1)
    data = zoo.data.load(changed, feature_columns=["T", "pH"], tasks="y", name="data")
    saved = zoo.runs.folder.RunFolder(run / "run").split
    assert saved.content.changes(data) == ["other features in 'pH'"]


def test_other_commands_read_the_features_too(run, tmp_path, capsys):
    common = [str(run / "run"), str(run / "rows.csv"), "--device", "cpu"]
    main(["explain", *common, "--molecules", "2", "--output", str(tmp_path / "explained.html")])
    assert "2 molecules, 0 without an explanation" in capsys.readouterr().out
    main(["embed", *common, "--output", str(tmp_path / "vectors.csv")])
    assert len(pd.read_csv(tmp_path / "vectors.csv")) == len(ROWS)
