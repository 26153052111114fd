"""Models without an option for descriptors read them at their head's input."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import zoo
from featurizers import CanonicalFeaturizer
from zoo.layers.joined_head import NAME, join_to_head, reads_descriptors
from zoo.layers.message_passing import mean_nodes

FRAME = {"smiles": ["CCO", "CCN", "CCC", "CCCl"], "T": [1.0, 2.0, 3.0, 5.0], "y": [0.1, 0.9, 2.2, 2.9]}


class MeanAtoms(torch.nn.Module):
    """A plugin's model: an encoder and a head."""

    def __init__(self, num_tasks, atom_size):
        super().__init__()
        self.head = torch.nn.Linear(atom_size, num_tasks)

    def forward(self, graph):
        return self.head(mean_nodes(graph.graph, graph.atom_feats))


class Reading(MeanAtoms):
    """One that reads descriptors in its own way."""

    def forward(self, graph):
        return super().forward(graph) + graph.descriptors.sum(1, keepdim=True)


class Headless(torch.nn.Module):
    """One whose scores come from no head."""

    def __init__(self, num_tasks, atom_size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(atom_size, num_tasks))

    def forward(self, graph):
        return mean_nodes(graph.graph, graph.atom_feats) @ self.weight


def batch(descriptors, smiles="CCO"):
    graph = CanonicalFeaturizer()(smiles)
    graph.descriptors = torch.tensor(descriptors)
    return graph


def test_the_head_computes_as_of_both_side_by_side():
    model = MeanAtoms(2, 74)
    join_to_head(model, 3, batch([[0.0, 0, 0]]))
    numbers = [[0.5, -1.0, 2.0]]
    vectors = mean_nodes(batch(numbers).graph, batch(numbers).atom_feats)
    a, w = model.head.weight, getattr(model, NAME).weight
    expected = torch.cat([vectors, torch.tensor(numbers)], 1) @ torch.cat([a, a @ w], 1).T + model.head.bias
    torch.testing.assert_close(model(batch(numbers)), expected)
    with pytest.raises(ValueError, match=r"needs descriptors \(B, 3\) and the batch has \(B, 1\)"):
        model(batch([[1.0]]))


def test_copies_have_weights_of_their_own_and_threads_batches_of_their_own():
    model = MeanAtoms(1, 74)
    join_to_head(model, 1, batch([[0.0]]))
    twin = copy.deepcopy(model)
    with torch.no_grad():
        getattr(twin, NAME).weight.zero_()
    assert twin(batch([[5.0]])) == twin(batch([[0.0]]))
    assert model(batch([[5.0]])) != model(batch([[0.0]]))
    numbers = [[[float(n)]] for n in range(40)]
    with torch.no_grad(), ThreadPoolExecutor(4) as pool:
        shared = list(pool.map(lambda n: float(model(batch(n)).detach()), numbers))
        assert shared == [float(model(batch(n))) for n in numbers]


def test_who_reads_descriptors_is_found_out():
    assert not reads_descriptors(MeanAtoms(1, 74), batch([[0.0, 0]]))
    assert reads_descriptors(Reading(1, 74), batch([[0.0, 0]]))


@pytest.mark.parametrize("model", [MeanAtoms, Reading])
def test_a_plugins_model_learns_from_features_and_is_loaded(tmp_path, model):
    data = zoo.data.load(FRAME, feature_columns="T", tasks="y")
    learner = zoo.build(model, featurizer="canonical", dataset=data, optimizer_args={"lr": 0.05}, device="cpu")
    assert hasattr(learner.model, NAME) is (model is MeanAtoms)
    learner.fit(data, split=None, epochs=30, progress=False)
    cold, warm = (learner.predict(["CCO"], features={"T": value})[0, 0] for value in (1.0, 5.0))
    assert warm > cold + 0.5
    learner.save(tmp_path / "saved")
    loaded = zoo.load(tmp_path / "saved", trust=True, device="cpu")
    np.testing.assert_array_equal(loaded.predict(data), learner.predict(data))


def test_features_that_cannot_be_joined_are_refused():
    data = zoo.data.load(FRAME, feature_columns="T", tasks="y")
    with pytest.raises(ValueError, match=r"model Headless reads no descriptors .* has no module `head`"):
        zoo.build(Headless, featurizer="canonical", dataset=data, device="cpu")
    with pytest.raises(ValueError, match=r"GCN reads no descriptors .* gives 1"):
        zoo.build(zoo.build("gcn", device="cpu").model, featurizer="canonical", dataset=data, device="cpu")


@pytest.mark.parametrize("model", [MeanAtoms, "gcn", "graphormer", "grover"])
def test_rdkit_descriptors_act_in_every_model(model):
    pytest.importorskip("descriptastorus")
    featurizer = "canonical" if model is MeanAtoms else None
    options = {"seed": 1, "device": "cpu", "featurizer": featurizer}
    learner = zoo.build(model, featurizer_args={"descriptors": True}, **options)
    packed = zoo.data.featurize(["CCO", "c1ccccc1"], learner.featurizer)
    graph = learner.featurizer.collate(packed)
    with torch.no_grad():
        with_them = learner.model.eval()(graph)
        graph.descriptors = torch.zeros_like(graph.descriptors)
        assert not torch.allclose(learner.model(graph), with_them, rtol=1e-3)
    assert learner.predict(["CCO"]).shape == (1, 1)
