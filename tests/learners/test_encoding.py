"""Molecules are encoded in other processes while a GPU predicts."""

import numpy as np
import pytest

import zoo
from featurizers import InvalidMolecule
from zoo.learners import encoding
from zoo.learners.learner import Learner

SMILES = [f"C{'C' * (n % 5)}{'O' * (n % 3)}" if n % 7 else "no molecule" for n in range(40)]


@pytest.fixture
def learner():
    return zoo.build("gcn", device="cpu")


def test_workers_give_the_same_rows_and_reasons(learner, monkeypatch):
    alone = learner.predictions(SMILES)
    calls = []
    monkeypatch.setattr(encoding, "SHARED_CHUNK", 8)
    monkeypatch.setattr(encoding, "CHUNK", 32)
    monkeypatch.setattr(Learner, "encoding_workers", 2)
    monkeypatch.setattr(encoding, "ordered_map", lambda *args: calls.append(args[2]) or ordered_map(*args))
    shared = learner.predictions(SMILES)
    np.testing.assert_allclose(shared.values, alone.values, rtol=1e-5)
    assert shared.reasons.tolist() == alone.reasons.tolist()
    with pytest.raises(InvalidMolecule, match="no molecule"):
        learner.predict(SMILES, on_invalid="raise")
    learner.predict(SMILES[:10])
    assert calls == [2, 2, 0]


def test_only_gpus_are_worth_processes(learner, monkeypatch):
    assert learner.encoding_workers == 0
    monkeypatch.setattr("zoo.learners.learner.available_cores", lambda: 16)
    learner.model.to("meta")
    assert learner.encoding_workers == 15


ordered_map = encoding.ordered_map
