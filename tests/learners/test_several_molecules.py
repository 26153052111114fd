"""Several molecules in a row: their pooled vectors are concatenated."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch

import zoo
from zoo.commands.main import main
from zoo.inference import predict_file, predict_shards
from zoo.layers.joined_molecules import NAME, embed_all
from zoo.layers.message_passing import mean_nodes

SOLUTES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "CCCl", "CCOC", "CC#N", "CCBr", "CCS", "C1CCCCC1", "CCF", "CC=O"]
SOLVENTS = ["O", "CO", "CS(C)=O", "ClCCl"]
FRAME = pd.DataFrame(
    [(solute, solvent, float(i + 2 * j)) for i, solute in enumerate(SOLUTES) for j, solvent in enumerate(SOLVENTS[:2])],
    columns=["solute", "solvent", "y"],
)
COLUMNS = ["solute", "solvent"]
PAIRS = list(FRAME[COLUMNS].itertuples(index=False, name=None))
EVERY_MODEL = ["gcn", "grover", "dmpnn", "graphormer", "compt", "gps", "mpnn", "gin"]


@pytest.fixture(scope="module")
def data():
    return zoo.data.load(FRAME, smiles_columns=COLUMNS, tasks="y")


@pytest.fixture(scope="module")
def learner(data):
    learner = zoo.build("gcn", dataset=data, device="cpu")
    learner.fit(data, split="random", epochs=2, progress=False)
    return learner


def test_both_columns_are_read(data):
    assert (data.smiles, *data.partners) == (list(FRAME["solute"]), list(FRAME["solvent"]))
    assert data.smiles_columns == ("solute", "solvent")
    assert data.subset([3, 1]).partners == (["CO", "CO"],)
    assert data.canonical_smiles[1] == "CCO + CO"
    assert len(set(data.canonical_smiles)) == 24
    assert data.scaffolds == zoo.data.load(list(FRAME["solute"])).scaffolds
    swapped = zoo.data.load(FRAME, smiles_columns=["solvent", "solute"], tasks="y")
    assert swapped.fingerprint != data.fingerprint


def test_a_row_counts_as_invalid_where_any_molecule_is(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("solute,solvent,y\nCCO,O,1\nCCO,bad,2\nbad,O,3\nCCN,CO,4\n")
    found = zoo.data.load(path, smiles_columns=COLUMNS, task="regression")
    assert (found.smiles, found.partners) == (["CCO", "CCN"], (["O", "CO"],))
    assert [(entry.where, entry.smiles, entry.reason) for entry in found.invalid] == [
        ("line 3", "bad", "solvent: not a SMILES (syntax error)"),
        ("line 4", "bad", "solute: not a SMILES (syntax error)"),
    ]


@pytest.mark.parametrize("own", [False, True], ids=["shared", "own"])
@pytest.mark.parametrize("name", EVERY_MODEL)
def test_the_readout_is_that_of_the_vectors_side_by_side(name, own, data):
    learner = zoo.build(name, dataset=data, own_encoders=own, device="cpu")
    model = learner.model.eval()
    packed = zoo.data.featurize(data.subset([0, 1, 2, 5]), learner.featurizer)
    graph = learner.featurizer.collate(packed)
    with torch.no_grad():
        scores, first = model(graph), model.embed(graph)
        other = (getattr(model, NAME)[0] if own else model).embed(graph.partners[0])
        torch.testing.assert_close(embed_all(model, graph), torch.cat([first, other], 1))
        direct = zoo.data.featurize(list(data.subset([0, 1, 2, 5]).smiles), learner.featurizer)
        alone = learner.featurizer.collate(direct)
        alone.descriptors = other
        torch.testing.assert_close(model.forward(alone), scores)
    assert scores.shape == (4, 1)


def test_every_form_of_the_rows_gives_the_same(learner, data, tmp_path):
    expected = learner.predict(data)
    assert np.ptp(expected) > 0
    FRAME[["y", "solvent", "solute"]].to_csv(tmp_path / "pairs.csv", index=False)
    given = (PAIRS, FRAME, FRAME[["solvent", "solute"]], FRAME.to_dict("list"), tmp_path / "pairs.csv", np.array(PAIRS))
    for found in map(learner.predict, given):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(learner.predict(PAIRS[3]), expected[3:4], rtol=1e-5)
    assert not np.allclose(learner.predict([pair[::-1] for pair in PAIRS]), expected, rtol=1e-3)
    assert learner.embed(data).shape == (24, 2 * zoo.build("gcn", device="cpu").embed("C").shape[1])


def test_the_reason_names_the_column(learner):
    found = learner.predictions([("CCO", "O"), ("CCO", "bad"), ("bad", "O"), ("CCO", None)])
    assert found.reasons.tolist()[:3] == [
        "",
        "solvent: not a SMILES (syntax error)",
        "solute: not a SMILES (syntax error)",
    ]
    assert found.failed.tolist() == [False, True, True, True]


def test_it_is_saved_and_loaded(learner, data, tmp_path):
    for own in (False, True):
        trained = zoo.build("dmpnn", dataset=data, own_encoders=own, device="cpu")
        trained.fit(data, split=None, epochs=1, progress=False)
        trained.save(tmp_path / "saved")
        loaded = zoo.load(tmp_path / "saved", device="cpu")
        np.testing.assert_array_equal(loaded.predict(data), trained.predict(data))
        unused = [name for name, p in loaded.model.named_parameters() if not p.requires_grad]
        assert all(name.startswith(f"{NAME}.0.head") for name in unused)
        assert bool(unused) is own
    assert loaded.evaluate(FRAME) == pytest.approx(trained.evaluate(data))


def test_an_encoder_of_its_own_is_another_one_also_in_copies(data):
    learner = zoo.build("gcn", dataset=data, own_encoders=True, device="cpu")
    model, graph = learner.model.eval(), learner.featurizer("CCO")
    assert not torch.allclose(model.embed(graph), getattr(model, NAME)[0].embed(graph))
    graph.partners, twin = (learner.featurizer("CO"),), copy.deepcopy(model)
    with torch.no_grad():
        before = model(graph)
        for parameter in getattr(twin, NAME).parameters():
            parameter.zero_()
        assert torch.equal(model(graph), before)
        assert not torch.allclose(twin(graph), before)


class Plugin(torch.nn.Module):
    def __init__(self, num_tasks, atom_size):
        super().__init__()
        self.head = torch.nn.Linear(atom_size, num_tasks)

    def embed(self, graph):
        return mean_nodes(graph.graph, graph.atom_feats)

    def forward(self, graph):
        return self.head(self.embed(graph))


class Blind(torch.nn.Module):
    def __init__(self, num_tasks, atom_size):
        super().__init__()
        self.head = torch.nn.Linear(atom_size, num_tasks)

    def forward(self, graph):
        return self.head(mean_nodes(graph.graph, graph.atom_feats))


def test_a_plugins_model_needs_embed_alone(data):
    learner = zoo.build(Plugin, featurizer="canonical", dataset=data, device="cpu")
    learner.fit(data, split=None, epochs=2, progress=False)
    assert not np.allclose(learner.predict([("CCO", "O")]), learner.predict([("CCO", "ClCCl")]))
    with pytest.raises(ValueError, match=r"model Blind cannot read several molecules in a row: it has no method embed"):
        zoo.build(Blind, featurizer="canonical", dataset=data, device="cpu")
    with pytest.raises(ValueError, match="a finished model reads one molecule in a row"):
        zoo.build(zoo.build("gcn", device="cpu").model, featurizer="canonical", dataset=data, device="cpu")


def test_features_and_trees_and_ensembles_go_along(tmp_path):
    frame = FRAME.assign(T=np.linspace(280, 320, 24))
    data = zoo.data.load(frame, smiles_columns=COLUMNS, feature_columns="T", tasks="y")
    network = zoo.build("gin", dataset=data, device="cpu")
    network.fit(data, split=None, epochs=1, progress=False)
    trees = zoo.build("random_forest", dataset=data, model_args={"num_trees": 5, "num_jobs": 1})
    trees.fit(data, split=None, progress=False)
    trees.save(tmp_path / "trees")
    np.testing.assert_allclose(zoo.load(tmp_path / "trees").predict(frame), trees.predict(data))
    both = zoo.ensemble([network, trees])
    expected = (network.predict(data) + trees.predict(data)) / 2
    np.testing.assert_allclose(both.predict(PAIRS, features={"T": frame["T"]}), expected, rtol=1e-5)
    assert not np.allclose(network.predict(PAIRS, features={"T": 280}), network.predict(PAIRS, features={"T": 320}))


@pytest.mark.parametrize(
    ("molecules", "error", "message"),
    [
        (["CCO", "CCN"], TypeError, r"this learner reads 2 molecules in a row \(solute, solvent\)"),
        ([("CCO", "O", "C")], TypeError, "this learner reads 2 molecules in a row"),
        (FRAME[["solute", "y"]], zoo.data.DataError, "no column 'solvent'"),
        (
            zoo.data.load(SOLUTES),
            zoo.data.DataError,
            r"molecules in one column, and this learner reads 'solute', 'solvent'",
        ),
    ],
)
def test_rows_that_do_not_fit_are_one_line(learner, molecules, error, message):
    with pytest.raises(error, match=message):
        learner.predict(molecules)


def test_a_learner_of_one_molecule_is_not_trained_on_two(data):
    with pytest.raises(
        zoo.data.DataError, match=r"molecules in 'solute', 'solvent', and this learner reads one column"
    ):
        zoo.build("gcn", task="regression", device="cpu").fit(data, epochs=1, progress=False)


def test_commands_train_evaluate_and_predict(tmp_path, capsys):
    FRAME.to_csv(tmp_path / "pairs.csv", index=False)
    run = str(tmp_path / "run")
    common = ["--quiet", "--device", "cpu"]
    main(["train", "--data", str(tmp_path / "pairs.csv"), "--smiles-columns", *COLUMNS, "--tasks", "y", "--model",
          "gcn", "--own-encoders", "true", "--split", "random", "--epochs", "1", "--output", run, *common])  # fmt: skip
    main(["evaluate", run, "--device", "cpu"])
    main(["evaluate", run, "--data", str(tmp_path / "pairs.csv"), "--part", "all", "--device", "cpu"])
    main(["train", "--resume", run, "--epochs", "2", *common])
    assert hasattr(zoo.load(run, device="cpu").model, NAME)
    options = {"device": "cpu", "num_workers": 0}
    assert predict_file(run, tmp_path / "pairs.csv", tmp_path / "out.csv", **options).failed == 0
    predict_shards(run, tmp_path / "pairs.csv", tmp_path / "parts", shards=2, **options)
    expected = zoo.load(run, device="cpu").predict(PAIRS)[:, 0]
    parts = pd.concat([pd.read_parquet(path) for path in sorted((tmp_path / "parts").glob("*.parquet"))])
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")["predicted_y"], expected, rtol=1e-5)
    np.testing.assert_allclose(parts["predicted_y"], expected, rtol=1e-5)
    with pytest.raises(SystemExit) as end:
        main(["predict", run, "CCO", "--device", "cpu"])
    assert end.value.code == 2
    assert "error: the input: no column 'solute'" in capsys.readouterr().err
