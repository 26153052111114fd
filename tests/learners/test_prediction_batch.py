import numpy as np
import pytest

import zoo
from featurizers import GroverFeaturizer, PackedMolecules
from zoo.learners.batches import prediction_batch, prediction_loader
from zoo.models.dmpnn import DMPNN, DMPNNConfig
from zoo.models.gcn import GCN, GCNConfig
from zoo.models.grover import Grover, GroverConfig


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (GCN(GCNConfig()), 32),
        (Grover(GroverConfig(hidden_size=100)), 256),
        (DMPNN(DMPNNConfig(hidden_size=300)), 256),
        (DMPNN(DMPNNConfig(hidden_size=800)), 75),
        (DMPNN(DMPNNConfig(hidden_size=4000, num_layers=1)), 32),
        (Grover(GroverConfig(hidden_size=100, released_padding=True)), 32),
    ],
)
def test_models_that_share_states_are_given_more_molecules_the_narrower_they_are(model, expected):
    assert prediction_batch(model) == expected


def test_models_that_drop_values_share_none():
    assert prediction_batch(DMPNN(DMPNNConfig(dropout=0.1)).eval()) == 256
    assert prediction_batch(DMPNN(DMPNNConfig(dropout=0.1)).train()) == 32


@pytest.mark.parametrize(("smiles", "expected"), [("CCO", 256), ("C" * 100, 64), ("C" * 2000, 32)])
def test_batches_of_large_molecules_are_smaller(smiles, expected):
    featurizer = GroverFeaturizer()
    packed = PackedMolecules.pack([featurizer.encode(featurizer.parse(smiles))] * 200)
    assert prediction_loader(DMPNN(DMPNNConfig()), featurizer, packed, None).batch_size == expected
    assert prediction_loader(DMPNN(DMPNNConfig()), featurizer, packed, 7).batch_size == 7


def test_a_few_large_molecules_make_batches_smaller():
    featurizer = GroverFeaturizer()
    small, large = (featurizer.encode(featurizer.parse(text)) for text in ("CCO", "C" * 100))
    packed = PackedMolecules.pack([small] * 1000 + [large] * 300)
    assert prediction_loader(DMPNN(DMPNNConfig()), featurizer, packed, None).batch_size == 64


def test_predictions_hardly_depend_on_the_batch():
    learner = zoo.build("dmpnn", model_args={"hidden_size": 16}, num_tasks=1)
    molecules = ["CCO", "CCN", "CCO", "c1ccccc1O"] * 5
    vectors = [learner.embed(molecules, batch_size=size) for size in (None, 1, 3)]
    for other in vectors[1:]:
        np.testing.assert_allclose(other, vectors[0], rtol=1e-5, atol=1e-6)
