"""Vectors of molecules and atoms: files, GROVER's sources, a step of a pipeline."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import zoo
from featurizers import PackedMolecules
from zoo.commands.main import main
from zoo.inference import InferenceError, embed_file, embed_shards
from zoo.sklearn import MoleculeEmbedder

SMILES = ["CCO", "not a molecule", "c1ccccc1O", "C", "[Na+].[Cl-]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "grover"
    args = {"hidden_size": 16, "num_layers": 2, "num_heads": 2, "embedding_output": "both"}
    zoo.build("grover", model_args=args).save(folder)
    return str(folder)


@pytest.fixture
def table(tmp_path):
    pd.DataFrame({"id": range(5), "smiles": SMILES}).to_csv(tmp_path / "in.csv", index=False)
    return tmp_path / "in.csv"


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_of_molecules_becomes_a_table_of_vectors(run, table, tmp_path, ending, capsys):
    output = tmp_path / f"out.{ending}"
    main(["embed", run, str(table), "--output", str(output), "--chunk-size", "2", "--num-workers", "0", "--quiet"])
    assert "5 rows, 1 without a vector, 32 columns" in capsys.readouterr().out
    found = pd.read_parquet(output) if ending == "parquet" else pd.read_csv(output)
    assert found["id"].astype(int).tolist() == list(range(5))
    expected = zoo.load(run).embed(SMILES)
    np.testing.assert_allclose(found.filter(regex=r"^e\d+$").to_numpy(float), expected, atol=1e-5)


def test_atoms_have_rows_of_their_own(run, table, tmp_path):
    main(["embed", run, str(table), "--output", str(tmp_path / "out.parquet"), "--level", "atom", "--quiet"])
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found["id"].astype(int).tolist() == [0] * 3 + [2] * 7 + [3] + [4] * 2
    assert found["atom"].tolist() == [*range(3), *range(7), 0, 0, 1]
    pooled = found.groupby(found["id"].astype(int)).mean(numeric_only=True).filter(regex=r"^e\d+$").to_numpy()
    readable = [text for text in SMILES if text != "not a molecule"]
    np.testing.assert_allclose(pooled, zoo.load(run).embed(readable), atol=1e-5)


@pytest.mark.parametrize("level", ["molecule", "atom"])
def test_shards_are_the_table_cut_into_pieces(run, table, tmp_path, level, capsys):
    command = ["embed", run, str(table), "--level", level, "--chunk-size", "1", "--num-workers", "0", "--quiet"]
    main([*command, "--output", str(tmp_path / "all.parquet")])
    main([*command, "--output", str(tmp_path / "shards"), "--shards", "3", "--shard", "1"])
    main([*command, "--output", str(tmp_path / "shards"), "--shards", "3"])
    said = capsys.readouterr().out
    assert "2 rows, 1 without a vector\n" in said
    assert "5 rows, 0 without a vector, 2 of them by other calls\n" in said
    assert len(list((tmp_path / "shards").glob("shard-*.parquet"))) == 3
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "shards"), pd.read_parquet(tmp_path / "all.parquet"))
    with pytest.raises(InferenceError, match=r"another request \(other .*vectors"):
        embed_shards(run, table, tmp_path / "shards", shards=3, level={"molecule": "atom", "atom": "molecule"}[level])


def test_workers_give_the_same_vectors(run, table, tmp_path):
    for workers in (0, 2):
        embed_file(run, table, tmp_path / f"{workers}.parquet", chunk_size=1, num_workers=workers, progress=False)
    one, two = (pd.read_parquet(tmp_path / f"{workers}.parquet") for workers in (0, 2))
    pd.testing.assert_frame_equal(one, two)


def test_sources_are_those_of_the_released_command(run):
    learner = zoo.load(run)
    atom, bond, both = (learner.embed(["CCO", "C"], source=source) for source in ("atom", "bond", "both"))
    np.testing.assert_array_equal(both, np.concatenate([atom, bond], axis=1))
    np.testing.assert_array_equal(learner.embed(["CCO", "C"]), atom)
    assert not bond[1].any()  # methane has no bonds
    graph = learner.featurizer.collate(PackedMolecules.pack([learner.featurizer.read("CCO")]))
    with torch.no_grad():
        states = learner.model.encoder(graph, bonds=True)
    means = torch.cat([states.bond_from_atom.mean(0), states.bond_from_bond.mean(0)])
    np.testing.assert_allclose(bond[0], means, atol=1e-6)
    with pytest.raises(ValueError, match="choose one of atom, bond, both"):
        learner.embed(["CCO"], source="molecule")
    with pytest.raises(TypeError, match="only GROVER"):
        zoo.build("gcn").embed(["CCO"], source="atom")


def test_an_embedding_is_a_step_of_a_pipeline(run):
    smiles, labels = ["CCO", "CCN", "c1ccccc1", "c1ccccc1O"], [0, 0, 1, 1]
    pipeline = make_pipeline(MoleculeEmbedder(run), LogisticRegression()).fit(smiles, labels)
    again = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(again.predict_proba(smiles), pipeline.predict_proba(smiles))
    assert pipeline.score(smiles, labels) == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--level", "bond"], "molecule"),
        (["--source", "x"], "choose one of atom, bond, both"),
        (["--level", "atom", "--source", "both"], "leave it out"),
        (["--output", "in.csv"], "is the input"),
    ],
)
def test_mistakes_get_one_line(run, table, arguments, message, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        main(["embed", run, str(table), *arguments])
    assert stop.value.code == 2
    assert message in capsys.readouterr().err
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.csv"]
