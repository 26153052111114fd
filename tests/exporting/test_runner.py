"""The runner: the learner's classes and calibration, without torch, from Python and from the command line."""

import csv
import io
import json
import subprocess
import sys

import numpy as np
import pytest
from support.places import ROOT

import molzoo_runner
from featurizers import InvalidMolecule
from molzoo_runner.__main__ import main
from molzoo_runner.calibration import threshold
from zoo.commands.main import main as molzoo
from zoo.trust import conformal

SMILES = ["CCO", "c1ccccc1", "", "[Na+].[Cl-]", "nope", "C"]
ABSENT = ("torch", "dgl", "zoo", "optim", "pandas", "scipy", "sklearn", "lazy_loader", "threadpoolctl", "onnx", "tqdm")


@pytest.fixture(scope="module")
def model(exported):
    return molzoo_runner.load(exported, threads=1)


def test_values_classes_and_reasons_are_the_learners(model, learner):
    found, expected = model.predictions(SMILES), learner.predictions(SMILES)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-6)
    assert found.values.dtype == expected.values.dtype
    assert found.classes == {name: list(words) for name, words in expected.classes.items()}
    assert set(found.classes["toxic"]) <= {"yes", "no", ""}
    assert found.reasons == list(expected.reasons)
    assert list(found.table()) == list(expected.to_frame().columns)


def test_calibrated_values_and_sets_are_the_learners(model, learner):
    found = model.predictions(SMILES, coverage=0.8)
    expected = learner.predictions(SMILES, uncertainty="calibrated", coverage=0.8)
    np.testing.assert_allclose(found.values, expected.values, atol=1e-5)
    for task in model.tasks:
        assert found.sets[task] == expected.more[f"set_{task}"].tolist()
    assert found.classes == {name: list(words) for name, words in expected.classes.items()}


@pytest.mark.parametrize("count", [1, 9, 10, 19, 99])
@pytest.mark.parametrize("coverage", [0.1, 0.5, 0.8, 0.9, 0.99])
def test_thresholds_are_those_of_crepes(count, coverage):
    scores = np.random.default_rng(count).random(count).round(3)
    assert threshold(scores, coverage) == pytest.approx(conformal.threshold(scores, coverage))


def test_one_molecule_none_and_many(model, learner):
    assert model.predict("CCO").shape == (1, 2)
    assert model.predict([]).shape == (0, 2)
    many = ["C" * (n % 40 + 1) for n in range(1100)]
    np.testing.assert_allclose(model.predict(iter(many)), learner.predict(many), atol=1e-6)
    assert sum(len(part) for part in model.stream(many)) == 1100
    with pytest.raises(InvalidMolecule):
        model.predict(SMILES, on_invalid="raise")
    with pytest.raises(ValueError, match="on_invalid='skip': choose"):
        model.predict(SMILES, on_invalid="skip")
    with pytest.raises(ValueError, match=r"coverage=1\.5"):
        model.predictions(SMILES, coverage=1.5)


def test_the_graph_alone_predicts_the_same(model, exported_onnx):
    alone = molzoo_runner.load(exported_onnx, threads=1)
    np.testing.assert_array_equal(alone.predict(SMILES), model.predict(SMILES))
    assert repr(alone) == "Model(gcn: toxic, big)"


def test_it_runs_where_other_packages_are_missing(exported, learner):
    code = f"""
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ImportError(f"{{name}} is not installed here")
sys.meta_path.insert(0, Absent())
import json, molzoo_runner
print(json.dumps(molzoo_runner.load({str(exported)!r}).predict(["CCO", "C" * 700]).tolist()))
"""
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    np.testing.assert_allclose(json.loads(printed.stdout), learner.predict(["CCO", "C" * 700]), atol=1e-6)


def test_the_command_writes_the_rows_with_predictions(exported, tmp_path, capsys, model):
    source = tmp_path / "in.csv"
    source.write_text('\ufeffname,SMILES\n"a, b",CCO\n\nshort\nbad,nope,more\n', encoding="utf-8")
    main([str(exported), str(source), "--output", str(tmp_path / "out.csv"), "--threads", "1"])
    assert capsys.readouterr().out == f"{tmp_path / 'out.csv'}: 3 rows, 2 without a prediction\n"
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8"))))
    assert [row["name"] for row in rows] == ["a, b", "short", "bad"]
    assert float(rows[0]["predicted_toxic"]) == pytest.approx(model.predict("CCO")[0, 0])
    assert rows[2]["predicted_toxic"] == ""
    assert rows[2]["reason"]
    assert sorted(each.name for each in tmp_path.iterdir()) == ["in.csv", "out.csv"]


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        ("", [], "is empty"),
        ("a,b\n1,2\n", [], "no column smiles"),
        ("a,b\n1,2\n", ["--smiles-column", "c"], "no column 'c'"),
        ("smiles\nCCO\n", ["--coverage", "2"], "coverage=2.0"),
        ("smiles\nCCO\n", ["--threads", "-1"], "--threads -1"),
        (None, [], "No such file"),
    ],
)
def test_mistakes_are_one_line_and_status_2(exported, tmp_path, capsys, content, options, reason):
    source = tmp_path / "in.csv"
    if content is not None:
        source.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        main([str(exported), str(source), "--output", str(tmp_path / "out.csv"), *options])
    written = capsys.readouterr().err
    assert caught.value.code == 2
    assert written.startswith("molzoo_runner: error: ")
    assert written.count("\n") == 1
    assert reason in written
    assert not (tmp_path / "out.csv").exists()


def test_the_output_is_not_the_input(exported, tmp_path, capsys):
    source = tmp_path / "in.csv"
    source.write_text("smiles\nCCO\n", encoding="utf-8")
    with pytest.raises(SystemExit):
        main([str(exported), str(source), "--output", str(source)])
    assert "is the input" in capsys.readouterr().err
    assert source.read_text(encoding="utf-8") == "smiles\nCCO\n"


def test_molzoo_export_says_what_it_wrote(tmp_path, capsys):
    import zoo

    zoo.build("gcn", model_args={"hidden_size": 8, "num_layers": 1}).save(tmp_path / "run")
    molzoo(["export", str(tmp_path / "run"), str(tmp_path / "model.zip")])
    printed = capsys.readouterr().out
    assert "model      gcn" in printed
    assert "python -m molzoo_runner" in printed
    assert molzoo_runner.load(tmp_path / "model.zip").tasks == ("task_0",)
