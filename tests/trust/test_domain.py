"""Applicability domain: exact similarities, a threshold that means what is documented, files that run no code."""

import json
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

import zoo
from zoo.inference import predict_file
from zoo.runs.checkpoint import CheckpointError
from zoo.trust.domain import Domain, NoDomain, domain_of, read_domain, write_domain
from zoo.trust.domain import fingerprints as packed_bits
from zoo.trust.domain.fingerprints import ecfp4, nearest
from zoo.views.domain_plots import draw_error_by_similarity, error_by_similarity, label_errors

SMILES = [
    "CCO", "CCCO", "c1ccccc1", "Cc1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CCN(CC)CC", "O=C(O)c1ccccc1", "C1CCNCC1",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "OCC(O)CO", "ClC(Cl)Cl", "CCCCCCCC", "NC(=O)c1cccnc1",
]  # fmt: skip


@pytest.fixture(scope="module")
def data():
    values = [len(text) / 10 for text in SMILES]
    return zoo.data.load(pd.DataFrame({"smiles": SMILES, "y": values}), task="regression", tasks=["y"])


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("domain") / "run"
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
    learner.fit(data, split="random", epochs=1, logdir=folder, progress=False)
    return learner, folder


@pytest.mark.parametrize("count", [1, 3, len(SMILES)])
def test_neighbors_are_those_of_rdkit(count, monkeypatch):
    monkeypatch.setattr(packed_bits, "REFERENCES", 5)  # several blocks
    monkeypatch.setattr(packed_bits, "QUERIES", 4)
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    bits = [generator.GetFingerprint(Chem.MolFromSmiles(text)) for text in SMILES]
    packed, readable = ecfp4(SMILES)
    similarities, positions = nearest(packed, packed, count)
    assert readable.all()
    for row, query in enumerate(bits):
        expected = np.array(DataStructs.BulkTanimotoSimilarity(query, bits))
        order = np.argsort(-expected, kind="stable")[:count]
        np.testing.assert_allclose(similarities[row], expected[order], rtol=1e-6)
        assert positions[row].tolist() == order.tolist()


def test_the_threshold_is_what_validation_molecules_reach(data):
    train, valid = data.subset(range(4)), data.subset(range(4, 14))
    domain = Domain.of(train, valid)
    reached = domain.resemblance(valid).similarity
    assert domain.threshold == pytest.approx(np.sort(reached)[0])  # 95 % of ten, rounded towards more
    assert domain.resemblance(valid).in_domain.all()
    alone = Domain.of(train)  # without validation each training molecule is compared with the others
    assert 0 < alone.threshold < 1
    assert Domain.of(data.subset([0])).resemblance(["CCO", "CCN"]).in_domain.tolist() == [True, False]


def test_unreadable_molecules_are_outside(data):
    found = Domain.of(data).resemblance(["", "nonsense", "CCO"], neighbors=2)
    assert found.in_domain.tolist() == [False, False, True]
    assert np.isnan(found.similarity[:2]).all()
    table = found.to_frame()
    assert table["neighbor_1"].tolist() == ["", "", "CCO"]
    assert table["neighbor_1_y"].tolist()[2] == pytest.approx(0.3)


def test_a_run_keeps_its_domain(trained, data):
    learner, folder = trained
    expected = learner.predictions(SMILES, domain=True, neighbors=2)
    found = zoo.load(str(folder)).predictions(SMILES, neighbors=2)
    pd.testing.assert_frame_equal(found.to_frame(), expected.to_frame())
    assert (found.more["nearest_similarity"] == 1).sum() >= len(learner.trained_on[0])
    assert found.to_frame().columns.tolist()[:3] == ["predicted_y", "in_domain", "nearest_similarity"]


def test_saved_learners_and_baselines_too(data, tmp_path):
    forest = zoo.build("random_forest", dataset=data, model_args={"num_trees": 2, "num_jobs": 1})
    forest.fit(data, split="random", progress=False)
    forest.save(tmp_path / "forest")
    loaded = zoo.load(str(tmp_path / "forest"))
    assert domain_of(loaded).smiles == domain_of(forest).smiles
    loaded.save(tmp_path / "again")  # a copy keeps it
    assert domain_of(zoo.load(str(tmp_path / "again"))).threshold == domain_of(forest).threshold
    with pytest.raises(TypeError, match="choose domain='fingerprint'"):
        loaded.predictions(SMILES, domain="embedding")


def test_a_new_fit_has_a_new_domain(data):
    learner = zoo.build("gcn", dataset=data, model_args={"hidden_size": 8})
    for part in (data.subset(range(7)), data.subset(range(7, 14))):
        learner.fit(part, split=None, epochs=1, progress=False)
        assert domain_of(learner).smiles == part.smiles


def test_distance_in_the_embedding(trained):
    learner, _ = trained
    found = learner.predictions(["CCO", "CCCCCCCCCCCCCCCCCCCCCCCCCC", "nonsense"], domain="embedding", neighbors=1)
    distance = found.more["nearest_distance"]
    train = learner.embed(domain_of(learner).smiles)
    expected = np.linalg.norm(learner.embed(["CCO"]) - train, axis=1).min()
    assert distance[0] == pytest.approx(expected, abs=1e-4)
    assert np.isnan(distance[2])
    assert not found.in_domain[2]


def test_the_files_of_predict(trained, tmp_path):
    _, folder = trained
    table = pd.DataFrame({"smiles": ["CCO", "nonsense", *SMILES]})
    table.to_csv(tmp_path / "in.csv", index=False)
    predict_file(folder, tmp_path / "in.csv", tmp_path / "out.csv", domain="fingerprint", neighbors=1, num_workers=0,
                 chunk_size=5, progress=False)  # fmt: skip
    found = pd.read_csv(tmp_path / "out.csv")
    assert {"nearest_similarity", "in_domain", "neighbor_1", "neighbor_1_similarity", "neighbor_1_y"} <= {*found}
    expected = zoo.load(str(folder)).predictions(table, neighbors=1).to_frame()
    assert found["in_domain"].tolist() == expected["in_domain"].tolist()
    np.testing.assert_allclose(found["nearest_similarity"], expected["nearest_similarity"], rtol=1e-5)


def test_checkpoints_without_the_file(trained, tmp_path):
    learner, _ = trained
    learner.save(tmp_path / "old")
    (tmp_path / "old" / "domain.safetensors").unlink()
    with pytest.raises(NoDomain, match="older version"):
        zoo.load(str(tmp_path / "old")).predictions(["CCO"], domain=True)
    with pytest.raises(NoDomain, match="not trained"):
        zoo.build("gcn").predictions(["CCO"], domain=True)
    with pytest.raises(LookupError, match="fingerprint, embedding"):
        learner.predictions(["CCO"], domain="nose")


@pytest.mark.parametrize("damage", ["cut", "zip", "shape", "threshold"])
def test_damaged_files(data, tmp_path, damage):
    domain = Domain.of(data)
    file = write_domain(domain, tmp_path)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-10])
    elif damage == "zip":
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("smiles", "CCO")
    else:
        wrong = {"threshold": float("nan")} if damage == "threshold" else {"smiles": domain.smiles[:-1]}
        write_domain(replace(domain, **wrong), tmp_path)
    with pytest.raises(CheckpointError, match=r"domain\.safetensors is damaged"):
        read_domain(file)


def test_union_of_the_members_of_an_ensemble(data):
    parts = [Domain.of(data.subset(range(8))), Domain.of(data.subset(range(4, 14)))]
    joined = Domain.union(parts)
    assert sorted(joined.smiles) == sorted(SMILES)
    assert joined.threshold == pytest.approx(np.mean([part.threshold for part in parts]))
    assert joined.resemblance(SMILES).similarity.tolist() == [1.0] * len(SMILES)


def test_an_ensemble_compares_with_the_training_molecules_of_all_members(trained, data, tmp_path):
    other = zoo.build("random_forest", dataset=data, model_args={"num_trees": 2, "num_jobs": 1})
    other.fit(data, split=None, progress=False)
    both = zoo.ensemble([trained[0], other])
    assert both.predictions(SMILES, neighbors=1).more["nearest_similarity"].tolist() == [1.0] * len(SMILES)
    both.save(tmp_path / "both")
    assert len(domain_of(zoo.load(tmp_path / "both"))) == len(SMILES)


def test_error_by_similarity(data):
    similarity = np.linspace(0.1, 1.0, len(SMILES))
    predictions = data.targets + (1 - similarity)[:, None] * data.targets.std()
    errors = label_errors(data, predictions)
    table = error_by_similarity(errors, similarity)
    assert table["labels"].sum() == len(SMILES)
    assert table["error"].is_monotonic_decreasing
    np.testing.assert_allclose(table["error"], 1 - table["similarity"], atol=1e-6)
    assert draw_error_by_similarity(table, 0.4).axes
    assert error_by_similarity(errors, similarity * np.nan).empty


def test_drawn_training_molecules_are_named(data, monkeypatch):
    monkeypatch.setattr("zoo.trust.domain.domain.MOST_MOLECULES", 5)
    domain = Domain.of(data)
    assert (len(domain), domain.trained_on) == (5, len(SMILES))
    assert json.dumps(domain.smiles) == json.dumps(Domain.of(data).smiles)  # the same ones each time
