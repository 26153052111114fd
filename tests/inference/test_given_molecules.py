"""What `molzoo predict` is given: files, standard input, SMILES."""

import gzip
import io
import sys

import pandas as pd
import pytest

import zoo
from zoo.commands.main import main
from zoo.data.reading import standard_input
from zoo.inference import given_file

SDF = "ethane\n  x\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n" + "".join(
    f"    {x}.0000    0.0000    0.0000 C   0  0\n" for x in (0, 1)
) + "  1  2  1  0\nM  END\n> <id>\n7\n\n$$$$\n"  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("run") / "gcn"
    zoo.build("gcn", task="regression", device="cpu").save(place)
    return str(place)


def pipe(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def predict(run, *words):
    main(["predict", run, *words, "--device", "cpu", "--num-workers", "0"])


def shown(capsys):
    return pd.read_csv(io.StringIO(capsys.readouterr().out))


def test_smiles_are_printed_as_a_table(run, capsys):
    predict(run, "CCO", "C[C@H](F)/C=C/Br", "no molecule")
    table = shown(capsys)
    assert table["smiles"].tolist() == ["CCO", "C[C@H](F)/C=C/Br", "no molecule"]
    assert table["reason"].notna().tolist() == [False, False, True]
    expected = zoo.load(run, device="cpu").predict(["CCO"])[0, 0]
    assert table["predicted_task_0"][0] == pytest.approx(expected, rel=1e-5)


def test_smiles_are_written_where_the_user_says(run, tmp_path, capsys):
    predict(run, "InChI=1S/CH4/h1H4", "C.C", "--output", str(tmp_path / "out.tsv"))
    assert "2 rows, 0 without a prediction" in capsys.readouterr().out
    assert len(pd.read_csv(tmp_path / "out.tsv", sep="\t")) == 2


@pytest.mark.parametrize(
    ("content", "columns", "molecules"),
    [
        (b"CCO\nCCN\n", ["smiles"], ["CCO", "CCN"]),
        (b"CCO ethanol\nCCN ethyl amine\n", ["smiles", "name"], ["CCO", "CCN"]),
        (b"id,smiles\r\n1,CCO\r\n2,C(\r\n", ["id", "smiles"], ["CCO", "C("]),
        (gzip.compress(b"id;smiles\n1;CCO\n"), ["id", "smiles"], ["CCO"]),
        (SDF.encode(), ["smiles", "name", "id"], ["CC"]),
    ],
    ids=["SMILES", "SMILES and names", "CSV", "gzip", "SDF"],
)
def test_standard_input(run, monkeypatch, capsys, content, columns, molecules):
    pipe(monkeypatch, content)
    predict(run, "-")
    table = shown(capsys)
    assert table.columns.tolist() == [*columns, "predicted_task_0", "reason"]
    assert table["smiles"].tolist() == molecules


def test_standard_input_is_loaded_and_checked_too(monkeypatch, capsys):
    pipe(monkeypatch, b"smiles,y\nCCO,1.5\nCCN,2.5\n")
    assert zoo.data.load("-").task_names == ("y",)
    assert [chunk.smiles for chunk in zoo.data.stream("-")] == [["CCO", "CCN"]]  # it is read once and kept
    main(["data", "check", "-"])
    assert "2 usable molecules" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "standard input is empty"), (b"C" * 6_000_000, "a line of more")]
)
def test_standard_input_that_is_nothing_is_one_line(run, monkeypatch, capsys, content, message):
    pipe(monkeypatch, content)
    with pytest.raises(SystemExit) as end:
        predict(run, "-")
    assert end.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["molecules.cvs"], "no such file, and not a SMILES"),
        (["data/molecules"], "no such file, and not a SMILES"),
        (["missing.csv"], "no such file"),
        (["CCO", "missing.csv"], "give one file, or `-`, or SMILES alone"),
        (["CCO", "-"], "give one file, or `-`, or SMILES alone"),
    ],
)
def test_misspelt_files_are_one_line(run, capsys, words, message):
    with pytest.raises(SystemExit) as end:
        predict(run, *words)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_file_that_is_there_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "CCO").write_text("smiles\nCCN\n")
    assert given_file(["CCO"], tmp_path) == (standard_input.Path("CCO"), True)
    assert given_file(["CCN"], tmp_path)[0].read_text().split() == ["smiles", "CCN"]


def test_nothing_that_can_be_read_ends_with_the_reason(run, capsys):
    with pytest.raises(SystemExit) as end:
        predict(run, "C(")
    assert "no row could be predicted: not a SMILES" in str(end.value.code)


def test_the_column_that_a_run_was_trained_on_is_taken(tmp_path):
    frame = pd.DataFrame({"solute": ["CCO", "CCN", "CCC", "CCCC"], "solvent": ["O", "CO", "CS(C)=O", "ClCCl"]})
    frame.assign(y=[1.0, 2, 3, 4]).to_csv(tmp_path / "pairs.csv", index=False)
    learner = zoo.build("gcn", task="regression", device="cpu")
    options = zoo.recipe.options.DataOptions(source="pairs.csv", smiles_column="solvent")
    data = zoo.data.load(tmp_path / "pairs.csv", smiles_column="solvent", tasks="y", task="regression")
    learner.fit(data, split=None, epochs=1, progress=False, data_options=options)
    learner.save(tmp_path / "run")
    predict(str(tmp_path / "run"), str(tmp_path / "pairs.csv"), "--output", str(tmp_path / "out.csv"))
    expected = learner.predict(list(frame["solvent"]))[:, 0]
    assert pd.read_csv(tmp_path / "out.csv")["predicted_y"].tolist() == pytest.approx(expected, rel=1e-5)
    frame.rename(columns={"solvent": "other"})[["other"]].to_csv(tmp_path / "renamed.csv", index=False)
    predict(str(tmp_path / "run"), str(tmp_path / "renamed.csv"), "--output", str(tmp_path / "out.csv"))
    assert len(pd.read_csv(tmp_path / "out.csv")) == 4
